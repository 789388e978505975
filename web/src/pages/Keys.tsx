import { type FormEvent, useState } from 'react';
import { useMutation, useQuery } from 'urql';

import { graphql } from '../api/generated';
import { refusal } from '../api/mutate';
import { missing, useViewer } from '../api/viewer';
import { Confirm } from '../parts/Confirm';
import { Empty, Result } from '../parts/Result';
import { Secret } from '../parts/Secret';
import { Time } from '../parts/Time';

const KEYS = graphql(`query Keys { me { user { id } permissions apiKeys { id name prefix scopes expiresAt revokedAt createdAt } } }`);
const CREATE = graphql(`mutation CreateKey($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret userErrors { message } } }`);
const REVOKE = graphql(`mutation RevokeKey($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) { done userErrors { message } } }`);

/** Keys with which programs act in one's name. */
export function Keys() {
  const viewer = useViewer();
  const refused = missing(viewer, 'api-key-write');
  const [state, again] = useQuery({ query: KEYS });
  const look = () => again({ requestPolicy: 'network-only' });
  const [, create] = useMutation(CREATE);
  const [, revoke] = useMutation(REVOKE);
  const [name, setName] = useState('');
  const [days, setDays] = useState('90');
  const [scopes, setScopes] = useState<ReadonlySet<string>>(new Set());
  const [secret, setSecret] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const input = { name: name.trim(), expiresInDays: days === '' ? null : Number(days), scopes: scopes.size === 0 ? null : [...scopes] };
    const result = await create({ input });
    setProblem(refusal(result));
    const made = result.data?.createApiKey.secret;
    if (made) {
      setSecret(made);
      setName('');
      setScopes(new Set());
    }
    look();
  };
  return (
    <div className="stack">
      <h1>API keys</h1>
      <p className="quiet">Programs act with a key as you do, in this team, and with no more than you may at that moment. Each needs one of its own.</p>
      {secret !== undefined && <Secret what="The key" text={secret} done={() => setSecret(undefined)} />}
      <Result state={state} again={look}>
        {({ me }) => {
          const keys = me.apiKeys.filter((key) => key.revokedAt === null);
          return (
            <>
              {keys.length === 0 ? <Empty command="mikrocloud keys create NAME">You have no keys.</Empty> : (
                <ul className="list">
                  {keys.map((key) => (
                    <li key={key.id}>
                      <span className="grow cut"><strong>{key.name}</strong> <code>{key.prefix}…</code></span>
                      <span className="small cut" title={key.scopes.join(', ')}>{key.scopes.length === 0 ? 'all that you may' : `${key.scopes.length} permissions`}</span>
                      <span className="small">made <Time at={key.createdAt} />{key.expiresAt && <>, ends <Time at={key.expiresAt} /></>}</span>
                      <Confirm label="Revoke" title={`Revoke ${key.name}?`} action="Revoke it" danger disabled={refused} act={async () => { const failed = refusal(await revoke({ id: key.id })); look(); return failed; }}>
                        <p>Programs that use it are refused from now on.</p>
                      </Confirm>
                    </li>
                  ))}
                </ul>
              )}
              {refused !== undefined ? <p className="quiet">You see your keys and cannot make any: {refused}.</p> : (
                <form className="card stack" onSubmit={(event) => void submit(event)}>
                  <h2>A new key</h2>
                  <label className="field"><span>Name</span><input value={name} onChange={(event) => setName(event.target.value)} placeholder="deploys of the shop" required autoComplete="off" /></label>
                  <label className="field"><span>Days until it ends (none: never)</span><input type="number" min={1} max={3650} value={days} onChange={(event) => setDays(event.target.value)} /></label>
                  <fieldset className="checks"><legend>Permissions (none: all that you may)</legend>
                    {me.permissions.map((permission) => (
                      <label key={permission}><input type="checkbox" checked={scopes.has(permission)} onChange={(event) => {
                        const next = new Set(scopes);
                        if (event.target.checked) next.add(permission);
                        else next.delete(permission);
                        setScopes(next);
                      }} /> {permission}</label>
                    ))}
                  </fieldset>
                  {problem !== undefined && <p className="problem" role="alert">{problem}</p>}
                  <p><button type="submit" className="button" disabled={name.trim() === ''}>Make it</button></p>
                </form>
              )}
            </>
          );
        }}
      </Result>
    </div>
  );
}
