import { useState } from 'react';
import { useMutation, useQuery } from 'urql';

import { graphql } from '../api/generated';
import { refusal } from '../api/mutate';
import { missing, useViewer } from '../api/viewer';
import { Empty, Result } from '../parts/Result';
import { Scroll } from '../parts/Scroll';
import { Time } from '../parts/Time';
import { useToast } from '../parts/Toast';
import { useProject } from './Project';
import { BadLine, parse, type Staged, wrongName } from './staged';

const VARIABLES = graphql(`
  query Variables($slug: String!, $environment: String!) {
    project(slug: $slug) { id environment(name: $environment) { id variables { name createdAt } } }
  }
`);
const SET = graphql(`mutation SetVariables($input: SetEnvironmentVariableInput!) { setEnvironmentVariable(input: $input) { names userErrors { message } } }`);
const UNSET = graphql(`mutation UnsetVariable($input: UnsetEnvironmentVariableInput!) { unsetEnvironmentVariable(input: $input) { names userErrors { message } } }`);

/** Variables of an environment: changes are gathered, shown, and saved at once. Values go in and are never shown. */
export function Variables() {
  const viewer = useViewer();
  const say = useToast();
  const { project } = useProject();
  const [environment, setEnvironment] = useState(project.environments[0]?.name ?? 'production');
  const [state, again] = useQuery({ query: VARIABLES, variables: { slug: project.slug, environment } });
  const look = () => again({ requestPolicy: 'network-only' });
  const [staged, setStaged] = useState<Staged>(new Map());
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [, set] = useMutation(SET);
  const [, unset] = useMutation(UNSET);
  const environmentId = project.environments.find(({ name }) => name === environment)?.id;
  const refused = missing(viewer, 'variable-write', project.id, environmentId);

  const stage = (changes: Iterable<[string, string | null]>) => setStaged(new Map([...staged, ...changes]));
  const undo = (name: string) => setStaged(new Map([...staged].filter(([other]) => other !== name)));
  const save = async () => {
    setBusy(true);
    const input = { projectId: project.id, environment };
    const variables = [...staged].flatMap(([name, value]) => (value === null ? [] : [{ name, value }]));
    let failed = variables.length === 0 ? undefined : refusal(await set({ input: { ...input, variables } }));
    const left = new Map([...staged].filter(([, value]) => value === null));
    for (const name of failed === undefined ? [...left.keys()] : []) {
      failed ??= refusal(await unset({ input: { ...input, name } }));
      if (failed === undefined) left.delete(name);
    }
    setBusy(false);
    setProblem(failed);
    // What was saved is no longer waiting; what failed stays as it was typed.
    if (failed === undefined) setStaged(new Map());
    else if (variables.length > 0 && left.size < staged.size) setStaged(left.size === 0 ? staged : left);
    look();
    if (failed === undefined) say('Saved. It takes effect with the next deployment.');
  };

  return (
    <div className="stack">
      <div className="row apart">
        <label className="row"><span>Environment</span>
          <select style={{ width: 'auto' }} value={environment} disabled={staged.size > 0} title={staged.size > 0 ? 'save or discard the changes first' : undefined} onChange={(event) => setEnvironment(event.target.value)}>
            {project.environments.map(({ id, name }) => <option key={id}>{name}</option>)}
            {project.environments.length === 0 && <option>production</option>}
          </select>
        </label>
      </div>
      {refused !== undefined && <p className="quiet">You see the names alone: {refused}.</p>}
      <Result state={state} again={look}>
        {(data) => {
          const variables = data.project?.environment?.variables ?? [];
          const added = [...staged].filter(([name, value]) => value !== null && !variables.some((variable) => variable.name === name));
          if (variables.length + added.length === 0) return <Empty command={`mikrocloud env set --project ${project.slug} NAME`}>No variables are set here.</Empty>;
          return (
            <Scroll label="Variables">
              <table>
                <thead><tr><th scope="col">Name</th><th scope="col">Value</th><th scope="col">State</th><th scope="col"><span className="visually-hidden">Change</span></th></tr></thead>
                <tbody>
                  {variables.map(({ name, createdAt }) => (
                    <tr key={name}>
                      <th scope="row"><code>{name}</code></th>
                      <td>{staged.get(name) ? '•'.repeat(12) : <span className="quiet">set <Time at={createdAt} /></span>}</td>
                      <td>{staged.has(name) ? <span className="badge">{staged.get(name) === null ? 'will be unset' : 'changed, not saved'}</span> : ''}</td>
                      <td>{staged.has(name)
                        ? <button type="button" className="link" onClick={() => undo(name)}>Undo</button>
                        : <button type="button" className="link" disabled={refused !== undefined} onClick={() => stage([[name, null]])}>Unset</button>}</td>
                    </tr>
                  ))}
                  {added.map(([name]) => (
                    <tr key={name}>
                      <th scope="row"><code>{name}</code></th><td>{'•'.repeat(12)}</td><td><span className="badge">new, not saved</span></td>
                      <td><button type="button" className="link" onClick={() => undo(name)}>Undo</button></td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroll>
          );
        }}
      </Result>
      {refused === undefined && <Add stage={stage} />}
      {problem !== undefined && <p className="problem" role="alert">{problem}</p>}
      {staged.size > 0 && (
        <div className="card row apart">
          <p><strong>{staged.size} {staged.size === 1 ? 'change' : 'changes'}</strong>: {[...staged.keys()].join(', ')}</p>
          <div className="row">
            <button type="button" className="button" onClick={() => setStaged(new Map())} disabled={busy}>Discard</button>
            <button type="button" className="button primary" onClick={() => void save()} disabled={busy}>{busy ? 'Saving …' : 'Save'}</button>
          </div>
        </div>
      )}
    </div>
  );
}

function Add({ stage }: { stage: (changes: Iterable<[string, string | null]>) => void }) {
  const [name, setName] = useState('');
  const [value, setValue] = useState('');
  const [file, setFile] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const add = () => {
    const wrong = wrongName(name);
    setProblem(wrong);
    if (wrong !== undefined) return;
    stage([[name, value]]);
    setName('');
    setValue('');
  };
  const paste = () => {
    try {
      stage(parse(file ?? ''));
      setFile(undefined);
      setProblem(undefined);
    } catch (error) {
      if (!(error instanceof BadLine)) throw error;
      setProblem(error.message);
    }
  };
  return (
    <section className="card stack" aria-label="Add variables">
      {file === undefined ? (
        <form className="row" onSubmit={(event) => { event.preventDefault(); add(); }}>
          <label className="field grow"><span>Name</span><input value={name} onChange={(event) => setName(event.target.value)} autoComplete="off" spellCheck={false} placeholder="DATABASE_URL" /></label>
          <label className="field grow"><span>Value</span><input type="password" value={value} onChange={(event) => setValue(event.target.value)} autoComplete="new-password" /></label>
          <button type="submit" className="button" style={{ alignSelf: 'end' }} disabled={name === ''}>Add</button>
          <button type="button" className="button" style={{ alignSelf: 'end' }} onClick={() => setFile('')}>Paste a .env file</button>
        </form>
      ) : (
        <form className="stack" onSubmit={(event) => { event.preventDefault(); paste(); }}>
          <label className="field"><span>Contents of a .env file</span><textarea rows={8} value={file} onChange={(event) => setFile(event.target.value)} spellCheck={false} autoComplete="off" /></label>
          <div className="row"><button type="submit" className="button">Take them</button><button type="button" className="button" onClick={() => setFile(undefined)}>Close</button></div>
        </form>
      )}
      {problem !== undefined && <p className="problem" role="alert">{problem}</p>}
    </section>
  );
}
