import type { ReactNode } from 'react';
import type { CombinedError } from 'urql';

import { told } from '../api/client';

/** State of a query. */
interface State<Data> {
  data?: Data | undefined;
  error?: CombinedError | undefined;
  fetching: boolean;
}

/** What a query gave: the shape of it while it is asked, what went wrong with a way to ask again, or the data. Data that is there stays. */
export function Result<Data>({ state, again, rows = 3, children }: { state: State<Data>; again: () => void; rows?: number; children: (data: Data) => ReactNode }) {
  const { data, error } = state;
  if (data !== undefined && data !== null) {
    return <>{error !== undefined && <Failed error={error} again={again} />}{children(data)}</>;
  }
  if (error !== undefined) return <Failed error={error} again={again} />;
  return (
    <div className="stack" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => <div key={row} className="skeleton" />)}
    </div>
  );
}

/** What went wrong, with its code, and a way to ask again. */
export function Failed({ error, again }: { error: CombinedError; again: () => void }) {
  const { message, code } = told(error);
  const isHidden = code === 'NOT_FOUND' || code === 'FORBIDDEN';
  return (
    <div className="card failed stack" role="alert">
      <p>{isHidden ? 'It is not there, or not yours to see.' : sentence(message)}</p>
      <p className="row"><button type="button" className="button" onClick={again}>Try again</button>{code !== '' && <code>{code}</code>}</p>
    </div>
  );
}

/** Nothing is there: what it would be, and how to get it. */
export function Empty({ children, command, action }: { children: ReactNode; command?: string; action?: ReactNode }) {
  return (
    <div className="empty">
      <p>{children}</p>
      {action}
      {command !== undefined && <p className="small">{action === undefined ? 'From a terminal: ' : 'or from a terminal: '}<code>{command}</code></p>}
    </div>
  );
}

/** A message of the server as a sentence. */
export function sentence(message: string): string {
  const text = message.trim();
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
