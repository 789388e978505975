import { Link } from '@tanstack/react-router';
import { useQuery } from 'urql';

import { graphql } from '../api/generated';
import { useViewer } from '../api/viewer';
import { Empty, Result } from '../parts/Result';
import { Time } from '../parts/Time';

const APPROVALS = graphql(`
  query Approvals {
    approvals { state requestedBy requestedAt expiresAt deployment { id number commitSha project { slug } environment { name } } }
    members { user { id name } }
  }
`);

/** Deployments that wait until somebody decides. */
export function Approvals() {
  const { team } = useViewer();
  const [state, again] = useQuery({ query: APPROVALS });
  return (
    <div className="stack">
      <h1>Approvals</h1>
      <Result state={state} again={() => again({ requestPolicy: 'network-only' })}>
        {({ approvals, members }) => {
          const waiting = approvals.filter((approval) => approval.state === 'PENDING');
          if (waiting.length === 0) return <Empty>Nothing waits for a decision. Deployments to a protected environment wait here.</Empty>;
          const names = new Map(members.map(({ user }) => [user.id, user.name]));
          return (
            <ul className="list">
              {waiting.map(({ deployment, requestedBy, requestedAt, expiresAt }) => deployment && (
                <li key={deployment.id}>
                  <Link className="grow" to="/teams/$team/deployments/$id" params={{ team: team.id, id: deployment.id }}><strong>{deployment.project.slug}</strong> #{deployment.number} to {deployment.environment.name}</Link>
                  {deployment.commitSha && <code>{deployment.commitSha.slice(0, 10)}</code>}
                  <span className="small">asked for by {names.get(requestedBy) ?? 'somebody'} <Time at={requestedAt} />, ends <Time at={expiresAt} /></span>
                </li>
              ))}
            </ul>
          );
        }}
      </Result>
    </div>
  );
}
