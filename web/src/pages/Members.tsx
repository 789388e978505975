import { type FormEvent, useState } from 'react';
import { useMutation, useQuery } from 'urql';

import { graphql } from '../api/generated';
import type { Role } from '../api/generated/graphql';
import { refusal } from '../api/mutate';
import { missing, useViewer } from '../api/viewer';
import { Confirm } from '../parts/Confirm';
import { Empty, Result } from '../parts/Result';
import { Secret } from '../parts/Secret';
import { Time } from '../parts/Time';
import { useToast } from '../parts/Toast';

const MEMBERS = graphql(`
  query Members {
    members { user { id name email } role customRoleId permissions grants { id } }
    roles { id name permissions }
    invitations { id user { email } role expiresAt }
  }
`);
const ADD = graphql(`mutation AddMember($input: AddMemberInput!) { addMember(input: $input) { signInPath invitationId userErrors { message } } }`);
const SET_ROLE = graphql(`mutation SetRole($input: SetMemberRoleInput!) { setMemberRole(input: $input) { done userErrors { message } } }`);
const REMOVE = graphql(`mutation RemoveMember($id: ID!) { removeMember(input: { userId: $id }) { done userErrors { message } } }`);
const REVOKE = graphql(`mutation RevokeInvitation($id: ID!) { revokeInvitation(input: { invitationId: $id }) { done userErrors { message } } }`);

const ROLES: Role[] = ['OWNER', 'ADMIN', 'DEVELOPER', 'VIEWER'];

/** A role as a choice: a built-in one by its name, one of the team by its id. */
function chosen(value: string): { role: Role | null; customRoleId: string | null } {
  const role = ROLES.find((each) => each === value) ?? null;
  return { role, customRoleId: role === null ? value : null };
}

/** Who is in the team, and in which role. */
export function Members() {
  const viewer = useViewer();
  const say = useToast();
  const refused = missing(viewer, 'member-write');
  const [state, again] = useQuery({ query: MEMBERS });
  const look = () => again({ requestPolicy: 'network-only' });
  const [, add] = useMutation(ADD);
  const [, setRole] = useMutation(SET_ROLE);
  const [, remove] = useMutation(REMOVE);
  const [, revoke] = useMutation(REVOKE);
  const [email, setEmail] = useState('');
  const [role, setRoleToGive] = useState('DEVELOPER');
  const [path, setPath] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const result = await add({ input: { email: email.trim(), ...chosen(role) } });
    setProblem(refusal(result));
    const added = result.data?.addMember;
    if (added?.signInPath) setPath(location.origin + added.signInPath);
    else if (refusal(result) === undefined) say('They get a link by mail.');
    if (refusal(result) === undefined) setEmail('');
    look();
  };
  return (
    <div className="stack">
      <h1>Members</h1>
      {path !== undefined && <Secret what="The link to hand to them" text={path} done={() => setPath(undefined)} />}
      <Result state={state} again={look}>
        {({ members, roles, invitations }) => {
          const choices = [
            ...ROLES.map((each) => [each, each.toLowerCase()] as const),
            ...roles.flatMap(({ id, name }) => (id === null || id === undefined ? [] : [[id, name] as const])),
          ];
          const Choices = () => <>{choices.map(([value, name]) => <option key={value} value={value}>{name}</option>)}</>;
          return (
            <>
              <ul className="list">
                {members.map((member) => (
                  <li key={member.user.id}>
                    <span className="grow cut"><strong>{member.user.name}</strong> <span className="quiet">{member.user.email}</span></span>
                    {member.grants.length > 0 && <span className="badge">{member.grants.length} grants</span>}
                    <details><summary className="small">{member.permissions.length} permissions</summary><p className="small">{member.permissions.join(', ')}</p></details>
                    <select style={{ width: 'auto' }} aria-label={`Role of ${member.user.name}`} value={member.role ?? member.customRoleId ?? ''} disabled={refused !== undefined} title={refused}
                      onChange={(event) => void setRole({ input: { userId: member.user.id, ...chosen(event.target.value) } }).then((result) => { say(refusal(result) ?? 'Changed.'); look(); })}>
                      <Choices />
                    </select>
                    <Confirm label="Remove" title={`Remove ${member.user.name}?`} action="Remove" danger disabled={refused} act={async () => { const failed = refusal(await remove({ id: member.user.id })); look(); return failed; }}>
                      <p>They lose the team with everything in it, their keys here, and their grants, at once. Their account stays.</p>
                    </Confirm>
                  </li>
                ))}
              </ul>
              {invitations.length > 0 && (
                <section className="stack"><h2>Invited</h2>
                  <ul className="list">
                    {invitations.map((invitation) => (
                      <li key={invitation.id}>
                        <span className="grow cut">{invitation.user.email}</span><span>{invitation.role?.toLowerCase()}</span><span className="small">ends <Time at={invitation.expiresAt} /></span>
                        <Confirm label="Take back" title={`Take back the invitation of ${invitation.user.email}?`} action="Take it back" disabled={refused} act={async () => { const failed = refusal(await revoke({ id: invitation.id })); look(); return failed; }}>
                          <p>The invitation can no longer be accepted.</p>
                        </Confirm>
                      </li>
                    ))}
                  </ul>
                </section>
              )}
              {members.length === 1 && <Empty command="mikrocloud members add ADDRESS">You are the only one here.</Empty>}
              {refused === undefined && (
                <form className="card row" onSubmit={(event) => void submit(event)}>
                  <label className="field grow"><span>Address of somebody new</span><input type="email" value={email} onChange={(event) => setEmail(event.target.value)} placeholder="ada@example.org" required autoComplete="off" /></label>
                  <label className="field"><span>Role</span><select value={role} onChange={(event) => setRoleToGive(event.target.value)}><Choices /></select></label>
                  <button type="submit" className="button" style={{ alignSelf: 'end' }} disabled={email.trim() === ''}>Add</button>
                </form>
              )}
              {problem !== undefined && <p className="problem" role="alert">{problem}</p>}
            </>
          );
        }}
      </Result>
    </div>
  );
}
