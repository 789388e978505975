import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useMutation, useQuery } from 'urql';

import { graphql } from '../api/generated';
import { refusal } from '../api/mutate';
import { useViewer } from '../api/viewer';
import { DEPLOY } from './Overview';

const CREATE = graphql(`mutation CreateProject($input: CreateProjectInput!) { createProject(input: $input) { project { id slug } userErrors { message field } } }`);
const PLACES = graphql(`query Places { cloudAccounts { id cloud name region state simulated } clouds { name regions { neutral } } }`);

/** A repository becomes a project, and its first deployment begins. */
export function New() {
  const viewer = useViewer();
  const navigate = useNavigate();
  const [repository, setRepository] = useState('');
  const [name, setName] = useState('');
  const [reference, setReference] = useState('');
  const [place, setPlace] = useState('');
  const [region, setRegion] = useState('');
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [, create] = useMutation(CREATE);
  const [, deploy] = useMutation(DEPLOY);
  const [{ data }] = useQuery({ query: PLACES, pause: !viewer.may('cloud-read') });
  const usual = nameOf(repository);
  const accounts = data?.cloudAccounts.filter((account) => account.state === 'CONNECTED') ?? [];
  const account = accounts.find(({ id }) => id === place);
  const regions = data?.clouds.find((cloud) => cloud.name === account?.cloud)?.regions ?? [];

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const from = { repository: repository.trim(), reference: reference.trim() === '' ? null : reference.trim() };
    const created = await create({ input: { name: name.trim() === '' ? usual : name.trim(), ...from } });
    const project = created.data?.createProject.project;
    if (project === null || project === undefined) {
      setBusy(false);
      setProblem(refusal(created));
      return;
    }
    const where = account === undefined ? {} : { cloud: `${account.cloud}:${account.name}`, region: region === '' ? null : region };
    const begun = await deploy({ input: { projectId: project.id, ...where } });
    const id = begun.data?.triggerDeployment.deployment?.id;
    setBusy(false);
    setProblem(refusal(begun));
    if (id !== undefined) void navigate({ to: '/teams/$team/deployments/$id', params: { team: viewer.team.id, id } });
    else void navigate({ to: '/teams/$team/projects/$slug', params: { team: viewer.team.id, slug: project.slug } });
  };

  return (
    <form className="stack" style={{ maxWidth: 560 }} onSubmit={(event) => void submit(event)}>
      <h1>New project</h1>
      <label className="field"><span>Repository</span><input value={repository} onChange={(event) => setRepository(event.target.value)} placeholder="https://github.com/team/shop.git" required autoComplete="off" spellCheck={false} /></label>
      <label className="field"><span>Branch, tag or commit</span><input value={reference} onChange={(event) => setReference(event.target.value)} placeholder="its usual branch" autoComplete="off" spellCheck={false} /></label>
      <label className="field"><span>Name</span><input value={name} onChange={(event) => setName(event.target.value)} placeholder={usual === '' ? 'shop' : usual} autoComplete="off" spellCheck={false} /></label>
      <label className="field"><span>Place</span>
        <select value={place} onChange={(event) => { setPlace(event.target.value); setRegion(''); }}>
          <option value="">this installation's own machines</option>
          {accounts.map((each) => <option key={each.id} value={each.id}>{each.cloud}: {each.name}{each.simulated ? ' (SIMULATED)' : ''}</option>)}
        </select>
      </label>
      {account !== undefined && (
        <label className="field"><span>Region</span>
          <select value={region} onChange={(event) => setRegion(event.target.value)}>
            <option value="">{account.region} (the account's)</option>
            {regions.map(({ neutral }) => <option key={neutral}>{neutral}</option>)}
          </select>
        </label>
      )}
      {problem !== undefined && <p className="problem" role="alert">{problem}</p>}
      <p className="row"><button type="submit" className="button primary" disabled={busy || repository.trim() === ''}>{busy ? 'Beginning …' : 'Deploy'}</button></p>
      <p className="small">A directory of your own machine is deployed by <code>mikrocloud deploy</code>.</p>
    </form>
  );
}

/** The name that a repository suggests. */
export function nameOf(repository: string): string {
  const last = repository.trim().replace(/\/+$/, '').split(/[/:]/).at(-1) ?? '';
  return last.replace(/\.git$/, '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '');
}
