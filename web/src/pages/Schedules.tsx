import { type FormEvent, useState } from 'react';
import { useMutation, useQuery } from 'urql';

import { graphql } from '../api/generated';
import type { RunState } from '../api/generated/graphql';
import { refusal } from '../api/mutate';
import { missing, useViewer } from '../api/viewer';
import { Confirm } from '../parts/Confirm';
import { Empty, Result } from '../parts/Result';
import { Time } from '../parts/Time';
import { exact } from '../parts/time';
import { useToast } from '../parts/Toast';
import { useProject } from './Project';

const SCHEDULES = graphql(`
  query Schedules($project: ID!) {
    schedules(projectId: $project) { id name environment cron timeZone path missed enabled nextDueAt runs(first: 14) { dueAt state outcome } }
  }
`);
const CREATE = graphql(`mutation CreateSchedule($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id } userErrors { message } } }`);
const ENABLE = graphql(`mutation EnableSchedule($id: ID!, $enabled: Boolean!) { enableSchedule(input: { scheduleId: $id, enabled: $enabled }) { userErrors { message } } }`);
const DELETE = graphql(`mutation DeleteSchedule($id: ID!) { deleteSchedule(input: { scheduleId: $id }) { deleted userErrors { message } } }`);

const RUNS: Record<RunState, [string, string]> = { WAITING: ['○', 'waits'], RUNNING: ['◐', 'runs'], DONE: ['●', 'done'], FAILED: ['✕', 'failed'], SKIPPED: ['–', 'skipped'] };

/** What a project does by the clock, and whether it did. */
export function Schedules() {
  const viewer = useViewer();
  const say = useToast();
  const { project } = useProject();
  const refused = missing(viewer, 'project-write', project.id);
  const [state, again] = useQuery({ query: SCHEDULES, variables: { project: project.id } });
  const look = () => again({ requestPolicy: 'network-only' });
  const [, create] = useMutation(CREATE);
  const [, enable] = useMutation(ENABLE);
  const [, erase] = useMutation(DELETE);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const [form, setForm] = useState({ name: '', cron: '0 3 * * *', path: '', timeZone: zone, environment: project.environments[0]?.name ?? 'production' });
  const [problem, setProblem] = useState<string>();
  const set = (field: keyof typeof form) => (event: { target: { value: string } }) => setForm({ ...form, [field]: event.target.value });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { name, cron, path, timeZone, environment } = form;
    const failed = refusal(await create({ input: { projectId: project.id, environment, name: name.trim(), cron: cron.trim(), timeZone, path: path.trim() === '' ? null : path.trim() } }));
    setProblem(failed);
    if (failed === undefined) setForm({ ...form, name: '', path: '' });
    look();
  };
  return (
    <div className="stack">
      <Result state={state} again={look}>
        {({ schedules }) => schedules.length === 0 ? <Empty command="mikrocloud schedules create nightly '0 3 * * *' --path /api/cron">Nothing runs by the clock.</Empty> : (
          <ul className="list">
            {schedules.map((schedule) => (
              <li key={schedule.id}>
                <span className="grow stack" style={{ gap: 2, flexBasis: 260 }}>
                  <span><strong>{schedule.name}</strong> {!schedule.enabled && <span className="badge">off</span>}</span>
                  <span className="small"><code>{schedule.cron}</code> in {schedule.timeZone}, {schedule.path ? `asks ${schedule.path} of ${schedule.environment}` : `deploys ${schedule.environment}`}</span>
                </span>
                <span aria-label="Last runs" role="img">{[...schedule.runs].reverse().map((run) => <span key={run.dueAt} title={`${exact(run.dueAt)}\n${RUNS[run.state][1]}${run.outcome ? `: ${run.outcome}` : ''}`} className={`status ${run.state === 'FAILED' ? 'failed' : run.state === 'DONE' ? 'live' : 'idle'}`}>{RUNS[run.state][0]}</span>)}</span>
                <span className="small">{schedule.enabled && schedule.nextDueAt ? <>next <Time at={schedule.nextDueAt} /></> : 'not due'}</span>
                <button type="button" className="button" disabled={refused !== undefined} title={refused} onClick={() => void enable({ id: schedule.id, enabled: !schedule.enabled }).then((result) => { say(refusal(result) ?? (schedule.enabled ? 'It is off.' : 'It is on.')); look(); })}>{schedule.enabled ? 'Turn off' : 'Turn on'}</button>
                <Confirm label="Delete" title={`Delete ${schedule.name}?`} action="Delete it" danger disabled={refused} act={async () => { const failed = refusal(await erase({ id: schedule.id })); look(); return failed; }}>
                  <p>It does not run any more, and what is known of its runs is gone.</p>
                </Confirm>
              </li>
            ))}
          </ul>
        )}
      </Result>
      {refused === undefined && (
        <form className="card stack" onSubmit={(event) => void submit(event)}>
          <h2>Something new by the clock</h2>
          <div className="row">
            <label className="field grow"><span>Name</span><input value={form.name} onChange={set('name')} placeholder="nightly" required autoComplete="off" /></label>
            <label className="field grow"><span>When (cron)</span><input className="mono" value={form.cron} onChange={set('cron')} required autoComplete="off" spellCheck={false} /></label>
            <label className="field grow"><span>Time zone</span><input value={form.timeZone} onChange={set('timeZone')} required autoComplete="off" spellCheck={false} /></label>
          </div>
          <div className="row">
            <label className="field grow"><span>Path to ask (none: deploy anew)</span><input value={form.path} onChange={set('path')} placeholder="/api/cron" autoComplete="off" spellCheck={false} /></label>
            <label className="field"><span>Environment</span><select value={form.environment} onChange={set('environment')}>{project.environments.map((each) => <option key={each.id}>{each.name}</option>)}{project.environments.length === 0 && <option>production</option>}</select></label>
          </div>
          {problem !== undefined && <p className="problem" role="alert">{problem}</p>}
          <p><button type="submit" className="button" disabled={form.name.trim() === ''}>Make it</button></p>
        </form>
      )}
    </div>
  );
}
