import { useState } from 'react';
import { useQuery } from 'urql';

import { graphql } from '../api/generated';
import { Empty, Result } from '../parts/Result';
import { Scroll } from '../parts/Scroll';
import { Time } from '../parts/Time';

const AUDIT = graphql(`
  query Audit($filter: AuditFilter, $after: ID) {
    auditLog(filter: $filter, first: 50, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { sequence at action outcome address actor { name } target { kind name id } before after }
    }
  }
`);

/** Who changed what, and when. */
export function Audit() {
  const [action, setAction] = useState('');
  const [asked, setAsked] = useState('');
  const [after, setAfter] = useState<string | null>(null);
  const [state, again] = useQuery({ query: AUDIT, variables: { filter: asked === '' ? null : { action: asked }, after } });
  return (
    <div className="stack">
      <h1>Audit log</h1>
      <form className="row" onSubmit={(event) => { event.preventDefault(); setAfter(null); setAsked(action.trim()); }}>
        <input style={{ width: 260 }} aria-label="Action" placeholder="action, such as project.create" value={action} onChange={(event) => setAction(event.target.value)} />
        <button type="submit" className="button">Filter</button>
        {asked !== '' && <button type="button" className="link" onClick={() => { setAction(''); setAsked(''); }}>Clear</button>}
      </form>
      <Result state={state} again={() => again({ requestPolicy: 'network-only' })}>
        {({ auditLog }) => auditLog.nodes.length === 0 ? <Empty command="mikrocloud audit">No entries match.</Empty> : (
          <>
            <Scroll label="Entries">
              <table>
                <thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th><th scope="col">On</th><th scope="col">Change</th></tr></thead>
                <tbody>
                  {auditLog.nodes.map((entry) => (
                    <tr key={entry.sequence}>
                      <td><Time at={entry.at} /></td>
                      <td>{entry.actor.name ?? "MikroCloud"}<div className="small">{entry.address}</div></td>
                      <td>{entry.action}{entry.outcome === 'DENIED' && <span className="status failed"> denied</span>}</td>
                      <td>{entry.target && <>{entry.target.kind} {entry.target.name ?? entry.target.id}</>}</td>
                      <td><Change before={entry.before} after={entry.after} /></td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroll>
            {auditLog.pageInfo.hasNextPage && <p><button type="button" className="button" onClick={() => setAfter(auditLog.pageInfo.endCursor ?? null)}>Older</button></p>}
          </>
        )}
      </Result>
    </div>
  );
}

function Change({ before, after }: { before?: unknown; after?: unknown }) {
  const text = [before, after].filter((each) => each !== null && each !== undefined).map((each) => JSON.stringify(each)).join(' → ');
  return text === '' ? null : <details><summary className="small">show</summary><code>{text}</code></details>;
}
