import { useState } from 'react';
import { useMutation } from 'urql';

import { graphql } from '../api/generated';
import { refusal } from '../api/mutate';
import { missing, useViewer } from '../api/viewer';
import { Confirm } from '../parts/Confirm';
import { Copy } from '../parts/Copy';
import { Empty } from '../parts/Result';
import { Scroll } from '../parts/Scroll';
import { Time } from '../parts/Time';
import { useProject } from './Project';

const ADD = graphql(`mutation AddDomain($input: AddDomainInput!) { addDomain(input: $input) { domain { id } userErrors { message } } }`);
const VERIFY = graphql(`mutation VerifyDomain($id: ID!) { verifyDomain(input: { domainId: $id }) { domain { id state } userErrors { message } } }`);
const REMOVE = graphql(`mutation RemoveDomain($id: ID!) { removeDomain(input: { domainId: $id }) { removed userErrors { message } } }`);

/** Names of a project's own: what to put into their zone, and whether they are served. */
export function Domains() {
  const viewer = useViewer();
  const { project, look } = useProject();
  const refused = missing(viewer, 'project-write', project.id);
  const [name, setName] = useState('');
  const [environment, setEnvironment] = useState('production');
  const [problem, setProblem] = useState<string>();
  const [, add] = useMutation(ADD);
  const [, verify] = useMutation(VERIFY);
  const [, remove] = useMutation(REMOVE);
  const submit = async () => {
    const failed = refusal(await add({ input: { projectId: project.id, environment, name: name.trim() } }));
    setProblem(failed);
    if (failed === undefined) setName('');
    look();
  };
  return (
    <div className="stack">
      {project.domains.length === 0 && <Empty command="mikrocloud domains add www.example.org">No names of its own yet: it is shown at the addresses of its environments.</Empty>}
      {project.domains.map((domain) => (
        <section key={domain.id} className="card stack" aria-label={domain.name}>
          <div className="row apart">
            <h2><a href={domain.url}>{domain.unicodeName}</a></h2>
            <span className="row">
              <span className="badge">{domain.environment}</span>
              <span className={`status ${domain.state === 'VERIFIED' ? 'live' : 'waiting'}`}>{domain.state === 'VERIFIED' ? 'Verified' : 'Waits for its records'}</span>
            </span>
          </div>
          {domain.problem && <p className="problem">{domain.problem}</p>}
          {domain.certificate.problem && <p className="problem">Certificate: {domain.certificate.problem}</p>}
          {domain.certificate.notAfter && <p className="small">Certificate until <Time at={domain.certificate.notAfter} /></p>}
          <Scroll label="Records">
            <table>
              <thead><tr><th scope="col">Type</th><th scope="col">Name</th><th scope="col">Value</th><th scope="col"><span className="visually-hidden">Copy</span></th></tr></thead>
              <tbody>
                {domain.records.map((record) => (
                  <tr key={record.type + record.name + record.value}><td>{record.type}</td><td><code>{record.name}</code></td><td><code>{record.value}</code></td><td><Copy text={record.value} what={`the value of ${record.name}`} /></td></tr>
                ))}
              </tbody>
            </table>
          </Scroll>
          <div className="row">
            {domain.checkedAt && <span className="small">looked at <Time at={domain.checkedAt} /></span>}
            <button type="button" className="button" disabled={refused !== undefined} title={refused} onClick={() => void verify({ id: domain.id }).then((result) => { setProblem(refusal(result)); look(); })}>Look now</button>
            <Confirm label="Remove" title={`Remove ${domain.unicodeName}?`} action="Remove it" danger disabled={refused} act={async () => { const failed = refusal(await remove({ id: domain.id })); look(); return failed; }}>
              <p>Visitors of this name get nothing from then on. The project stays at its other addresses.</p>
            </Confirm>
          </div>
        </section>
      ))}
      {refused === undefined && (
        <form className="card row" onSubmit={(event) => { event.preventDefault(); void submit(); }}>
          <label className="field grow"><span>Name</span><input value={name} onChange={(event) => setName(event.target.value)} placeholder="www.example.org" autoComplete="off" spellCheck={false} /></label>
          <label className="field"><span>Environment</span>
            <select value={environment} onChange={(event) => setEnvironment(event.target.value)}>
              {project.environments.map((each) => <option key={each.id}>{each.name}</option>)}
              {project.environments.length === 0 && <option>production</option>}
            </select>
          </label>
          <button type="submit" className="button" style={{ alignSelf: 'end' }} disabled={name.trim() === ''}>Add</button>
        </form>
      )}
      {problem !== undefined && <p className="problem" role="alert">{problem}</p>}
    </div>
  );
}
