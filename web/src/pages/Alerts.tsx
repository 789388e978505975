import { useQuery } from 'urql';

import { graphql } from '../api/generated';
import { Empty, Result, sentence } from '../parts/Result';
import { Time } from '../parts/Time';

const ALERTS = graphql(`query Alerts { alerts(first: 100) { nodes { id kind subject message raisedAt resolvedAt } } }`);

/** What should have happened and did not: what is open first. */
export function Alerts() {
  const [state, again] = useQuery({ query: ALERTS });
  return (
    <div className="stack">
      <h1>Alerts</h1>
      <Result state={state} again={() => again({ requestPolicy: 'network-only' })}>
        {({ alerts }) => {
          if (alerts.nodes.length === 0) return <Empty command="mikrocloud alerts">Nothing is missing: every job, schedule, certificate and receiver did what it should.</Empty>;
          const open = alerts.nodes.filter((alert) => alert.resolvedAt === null);
          const over = alerts.nodes.filter((alert) => alert.resolvedAt !== null);
          return (
            <ul className="list">
              {[...open, ...over].map((alert) => (
                <li key={alert.id}>
                  <span className={`status ${alert.resolvedAt === null ? 'failed' : 'idle'}`}>{alert.resolvedAt === null ? 'Open' : 'Over'}</span>
                  <span className="badge">{alert.kind.replaceAll('_', ' ')}</span>
                  <span className="grow" style={{ flexBasis: 320 }}>{sentence(alert.message)}</span>
                  <span className="small">since <Time at={alert.raisedAt} />{alert.resolvedAt && <>, over <Time at={alert.resolvedAt} /></>}</span>
                </li>
              ))}
            </ul>
          );
        }}
      </Result>
    </div>
  );
}
