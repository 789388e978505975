import { useState } from 'react';
import { useMutation, useQuery } from 'urql';

import { graphql } from '../api/generated';
import type { CloudAccountState } from '../api/generated/graphql';
import { refusal } from '../api/mutate';
import { missing, useViewer } from '../api/viewer';
import { Confirm } from '../parts/Confirm';
import { Empty, Result, sentence } from '../parts/Result';
import { Scroll } from '../parts/Scroll';
import { Time } from '../parts/Time';
import { useToast } from '../parts/Toast';
import { Connect } from './Connect';

const CLOUDS = graphql(`
  query Clouds {
    cloudAccounts {
      id cloud name identity region isDefault state problem principal simulated verifiedAt
      checks { permission outcome remedy }
      bases { name region state problem }
    }
    clouds { name title regions { neutral } capabilities { name switch ownAddress idle { item per } proven { group cases against day } } }
  }
`);
const DISCONNECT = graphql(`mutation Disconnect($id: ID!) { disconnectCloudAccount(input: { id: $id }) { disconnected userErrors { message } } }`);
const MAKE_DEFAULT = graphql(`mutation MakeDefault($id: ID!) { updateCloudAccount(input: { id: $id, makeDefault: true }) { account { id } userErrors { message } } }`);
const VERIFY = graphql(`mutation VerifyAccount($id: ID!) { verifyCloudAccount(input: { id: $id }) { account { id } userErrors { message } } }`);

const STATES: Record<CloudAccountState, [string, string]> = {
  UNVERIFIED: ['waiting', 'Being checked'],
  CONNECTED: ['live', 'Connected'],
  RECONNECT: ['failed', 'Signed out: connect it again'],
  PAUSED: ['waiting', 'Paused after a restore'],
  DISCONNECTING: ['idle', 'Being disconnected'],
};

/** Accounts of the team at clouds, what each may not do, and what is proven of each cloud. */
export function Clouds() {
  const viewer = useViewer();
  const say = useToast();
  const [state, again] = useQuery({ query: CLOUDS });
  const look = () => again({ requestPolicy: 'network-only' });
  const [, verify] = useMutation(VERIFY);
  const [, disconnect] = useMutation(DISCONNECT);
  const [, makeDefault] = useMutation(MAKE_DEFAULT);
  const [connecting, setConnecting] = useState(false);
  const refused = missing(viewer, 'cloud-write');
  return (
    <div className="stack wide">
      <div className="row apart"><h1>Clouds</h1><button type="button" className="button primary" disabled={refused !== undefined} title={refused} aria-expanded={connecting} onClick={() => setConnecting(!connecting)}>Connect an account</button></div>
      <Result state={state} again={look}>
        {({ cloudAccounts, clouds }) => (
          <>
            {connecting && <Connect clouds={clouds} done={() => { setConnecting(false); say('Connected. Its permissions are being checked.'); look(); }} />}
            {cloudAccounts.length === 0
              ? <Empty command="mikrocloud clouds connect gcp --project ID --key-file FILE">Only this installation's own machines. Connect an account, and deployments can go there.</Empty>
              : (
                <div className="cards">
                  {cloudAccounts.map((account) => {
                    const gaps = account.checks.filter((check) => check.outcome === 'MISSING');
                    const [kind, words] = STATES[account.state];
                    return (
                      <section key={account.id} className="card stack" aria-label={account.name}>
                        <div className="row apart"><h2>{account.cloud}: {account.name}</h2><span className="row">{account.isDefault && <span className="badge">default</span>}{account.simulated && <span className="badge simulated">SIMULATED</span>}</span></div>
                        <p className={`status ${kind}`}>{words}</p>
                        <p className="small">{account.identity} · {account.region}{account.principal && ` · as ${account.principal}`}</p>
                        {account.problem && <p className="problem">{sentence(account.problem)}</p>}
                        {gaps.length > 0 && (
                          <details open><summary>{gaps.length} permissions are missing</summary>
                            <ul>{gaps.map((check) => <li key={check.permission}><code>{check.permission}</code> {check.remedy && <span className="quiet">{check.remedy}</span>}</li>)}</ul>
                          </details>
                        )}
                        {account.bases.map((base) => <p key={base.name + base.region} className="small">{base.name} in {base.region}: {base.state.toLowerCase()}{base.problem && `: ${base.problem}`}</p>)}
                        <p className="row">
                          <button type="button" className="button" disabled={refused !== undefined} title={refused} onClick={() => void verify({ id: account.id }).then((result) => { say(refusal(result) ?? 'It is being checked.'); look(); })}>Check again</button>
                          {!account.isDefault && <button type="button" className="button" disabled={refused !== undefined} title={refused} onClick={() => void makeDefault({ id: account.id }).then((result) => { say(refusal(result) ?? 'Deployments go there unless they name another.'); look(); })}>Make it the default</button>}
                          <Confirm label="Disconnect" title={`Disconnect ${account.name}?`} action="Disconnect it" danger disabled={refused} act={async () => { const failed = refusal(await disconnect({ id: account.id })); look(); return failed; }}>
                            <p>Its credential is forgotten. This is refused while deployments of the team are there.</p>
                          </Confirm>
                          {account.verifiedAt && <span className="small">checked <Time at={account.verifiedAt} /></span>}
                        </p>
                      </section>
                    );
                  })}
                </div>
              )}
            <section className="stack">
              <h2>What each cloud can do</h2>
              <Scroll label="Abilities of clouds">
                <table>
                  <thead><tr><th scope="col">Cloud</th><th scope="col">Kind</th><th scope="col">Switch</th><th scope="col">Costs while nobody visits</th><th scope="col">Proven</th></tr></thead>
                  <tbody>
                    {clouds.flatMap((cloud) => cloud.capabilities.map((capability) => (
                      <tr key={cloud.name + capability.name}>
                        <th scope="row">{cloud.title}</th>
                        <td>{capability.name}</td>
                        <td>{capability.switch === 'atomic' ? 'at once' : 'file by file, some seconds'}</td>
                        <td>{capability.idle.length === 0 ? 'nothing' : capability.idle.map((cost) => `${cost.item} (per ${cost.per.replace('_', ' and ')})`).join(', ')}</td>
                        <td>{capability.proven.length === 0 ? '– nothing yet' : capability.proven.map((proof) => <div key={proof.group} className="small">{proof.group}: {proof.cases} · {proof.against} · {proof.day}</div>)}</td>
                      </tr>
                    )))}
                  </tbody>
                </table>
              </Scroll>
              {clouds.length === 0 && <p className="quiet">This server was built without vendors' clouds.</p>}
            </section>
          </>
        )}
      </Result>
    </div>
  );
}
