import type { ReactNode } from 'react';

/** A table that may be wider than the screen; keys scroll it, too. */
export function Scroll({ label, children }: { label: string; children: ReactNode }) {
  // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
  return <div className="scroll" role="group" aria-label={label} tabIndex={0}>{children}</div>;
}
