import { useQuery } from 'urql';

import { graphql } from '../api/generated';
import { Empty, Result } from '../parts/Result';
import { Time } from '../parts/Time';

const MEMBERS = graphql(`
  query Members {
    members { user { id name email } role customRoleId permissions grants { id projectId } }
    roles { id name }
    invitations { id user { email } role expiresAt }
  }
`);

/** Who is in the team, and in which role. */
export function Members() {
  const [state, again] = useQuery({ query: MEMBERS });
  return (
    <div className="stack">
      <h1>Members</h1>
      <Result state={state} again={() => again({ requestPolicy: 'network-only' })}>
        {({ members, roles, invitations }) => {
          const names = new Map(roles.map(({ id, name }) => [id, name]));
          return (
            <>
              <ul className="list">
                {members.map((member) => (
                  <li key={member.user.id}>
                    <span className="grow cut"><strong>{member.user.name}</strong> <span className="quiet">{member.user.email}</span></span>
                    <span>{member.role?.toLowerCase() ?? names.get(member.customRoleId ?? '') ?? 'a role of the team'}</span>
                    {member.grants.length > 0 && <span className="badge">{member.grants.length} grants</span>}
                    <details><summary className="small">{member.permissions.length} permissions</summary><p className="small">{member.permissions.join(', ')}</p></details>
                  </li>
                ))}
              </ul>
              {invitations.length > 0 && (
                <section className="stack"><h2>Invited</h2>
                  <ul className="list">{invitations.map((invitation) => <li key={invitation.id}><span className="grow">{invitation.user.email}</span><span>{invitation.role?.toLowerCase()}</span><span className="small">ends <Time at={invitation.expiresAt} /></span></li>)}</ul>
                </section>
              )}
              {members.length === 1 && <Empty command="mikrocloud members add ADDRESS">You are the only one here.</Empty>}
            </>
          );
        }}
      </Result>
    </div>
  );
}
