import { useEffect, useState } from 'react';

import { ago, exact } from './time';

/** A moment: how long ago it was; exactly, in one's own zone and in UTC, on hover. */
export function Time({ at }: { at: string }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 15_000);
    return () => clearInterval(timer);
  }, []);
  return <time dateTime={at} title={exact(at)}>{ago(Date.parse(at), now)}</time>;
}
