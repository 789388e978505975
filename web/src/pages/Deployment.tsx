import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { useMutation, useQuery } from 'urql';

import { follow } from '../api/follow';
import { graphql } from '../api/generated';
import type { DeploymentQuery } from '../api/generated/graphql';
import { refusal } from '../api/mutate';
import { missing, useViewer } from '../api/viewer';
import { Lines } from '../log/lines';
import { Log } from '../log/Log';
import { plain } from '../log/sgr';
import { Confirm } from '../parts/Confirm';
import { Copy } from '../parts/Copy';
import { Place } from '../parts/Place';
import { Result, sentence } from '../parts/Result';
import { iconOf, Status } from '../parts/Status';
import { Time } from '../parts/Time';
import { duration } from '../parts/time';
import { DEPLOYMENT_EVENTS, DEPLOYMENT_LOGS } from './events';

const DEPLOYMENT = graphql(`
  query Deployment($id: ID!) {
    deployment(id: $id) {
      id
      number
      status
      trigger
      kind
      commitSha
      url
      createdAt
      changedAt
      rollbackAvailable
      artifactDigest
      artifactRemovedAt
      buildsBefore
      logCount
      source { kind repository reference directory }
      failure { code message }
      approval { state requestedBy requestedAt expiresAt reason }
      place { cloud region account simulated detail }
      project { id slug environments { id name } }
      environment { id name url protected liveDeployment { id } }
      events(first: 100) { number status message at }
    }
  }
`);

const CANCEL = graphql(`mutation Cancel($id: ID!) { cancelDeployment(input: { deploymentId: $id }) { userErrors { message } } }`);
const ROLL_BACK = graphql(`
  mutation RollBack($project: ID!, $environment: String!, $id: ID!) {
    rollbackDeployment(input: { projectId: $project, environment: $environment, toDeploymentId: $id }) { deployment { id } userErrors { message } }
  }
`);
const PROMOTE = graphql(`
  mutation Promote($id: ID!, $environment: String!) {
    promoteDeployment(input: { deploymentId: $id, environment: $environment }) { deployment { id } userErrors { message } }
  }
`);
const REDEPLOY = graphql(`
  mutation Redeploy($input: TriggerDeploymentInput!) {
    triggerDeployment(input: $input) { deployment { id } userErrors { message } }
  }
`);
const APPROVE = graphql(`mutation Approve($id: ID!, $reason: String) { approveDeployment(input: { deploymentId: $id, reason: $reason }) { userErrors { message } } }`);
const REJECT = graphql(`mutation Reject($id: ID!, $reason: String) { rejectDeployment(input: { deploymentId: $id, reason: $reason }) { userErrors { message } } }`);

type Shown = NonNullable<DeploymentQuery['deployment']>;
type Event = Shown['events'][number];

const ENDED = ['LIVE', 'SUPERSEDED', 'FAILED', 'CANCELLED'];

/** A deployment: why it failed or that it is live, its steps, its log, and what can be done. */
export function Deployment() {
  const { id } = useParams({ from: '/teams/$team/deployments/$id' });
  return <Known key={id} id={id} />;
}

function Known({ id }: { id: string }) {
  const { team } = useViewer();
  const [state, again] = useQuery({ query: DEPLOYMENT, variables: { id } });
  const look = () => again({ requestPolicy: 'network-only' });
  const [events, setEvents] = useState<Event[]>([]);
  const lines = useMemo(() => new Lines(), []);
  useEffect(() => {
    const stops = [
      follow({
        team: team.id,
        document: DEPLOYMENT_EVENTS,
        variables: { deploymentId: id },
        after: 0,
        item: ({ deploymentEvents }) => deploymentEvents,
        onItem: (event) => {
          setEvents((known) => [...known, event]);
          look();
        },
      }),
      follow({
        team: team.id,
        document: DEPLOYMENT_LOGS,
        variables: { deploymentId: id },
        after: 0,
        item: ({ deploymentLogs }) => deploymentLogs,
        onItem: (line) => lines.add(line),
      }),
    ];
    return () => stops.forEach((stop) => stop());
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [team.id, id]);
  return (
    <Result state={state} again={look}>
      {({ deployment }) =>
        deployment === null || deployment === undefined
          ? <p>There is no such deployment, or it is not yours to see.</p>
          : <Page deployment={deployment} events={merged(deployment.events, events)} lines={lines} look={look} />
      }
    </Result>
  );
}

/** Events that were read and that came, each once, in their order. */
export function merged<Numbered extends { number: number }>(read: Numbered[], came: Numbered[]): Numbered[] {
  const all = new Map([...read, ...came].map((event) => [event.number, event]));
  return [...all.values()].sort((one, other) => one.number - other.number);
}

function Page({ deployment, events, lines, look }: { deployment: Shown; events: Event[]; lines: Lines; look: () => void }) {
  const { team } = useViewer();
  const status = events.at(-1)?.status ?? deployment.status;
  const { project, environment } = deployment;
  useEffect(() => {
    document.title = `${project.slug} #${deployment.number} ${status.toLowerCase()} - MikroCloud`;
    document.querySelector('link[rel=icon]')?.setAttribute('href', iconOf(status));
  }, [project.slug, deployment.number, status]);
  useEffect(() => () => document.querySelector('link[rel=icon]')?.setAttribute('href', 'data:,'), []);
  const isShown = status === 'LIVE';
  const address = isShown ? environment.url : deployment.url;
  return (
    <div className="stack">
      <div className="row">
        <h1>
          <Link to="/teams/$team/projects/$slug" params={{ team: team.id, slug: project.slug }}>{project.slug}</Link> / #{deployment.number}
        </h1>
        <Status status={status} waits={deployment.approval?.state === 'PENDING'} />
        <Place place={deployment.place} />
      </div>
      <p className="row quiet">
        <span>{environment.name}</span>
        {deployment.commitSha && <code>{deployment.commitSha.slice(0, 10)}</code>}
        {deployment.source.repository && <span className="cut">{deployment.source.repository} {deployment.source.reference}</span>}
        {deployment.trigger !== 'BUILD' && <span>{deployment.trigger.toLowerCase()}</span>}
        <Time at={deployment.createdAt} />
      </p>
      {address && <p className="row"><a className="cut" href={address}>{address}</a><Copy text={address} what="the address" /></p>}
      {deployment.failure && (
        <div className="card failed stack" role="alert">
          <p><strong><code>{deployment.failure.code}</code></strong></p>
          <p className="lines">{sentence(plain(deployment.failure.message))}</p>
        </div>
      )}
      <Actions deployment={deployment} look={look} />
      {status === 'QUEUED' && deployment.buildsBefore !== null && deployment.buildsBefore !== undefined && (
        <p className="quiet">Waits for a worker; {deployment.buildsBefore === 0 ? 'it is the next' : `${deployment.buildsBefore} builds come before it`}.</p>
      )}
      <div className="deployment">
        <Steps events={events} createdAt={deployment.createdAt} isOver={ENDED.includes(status)} detail={deployment.place?.detail ?? undefined} />
        <Log lines={lines} total={deployment.logCount} empty="No lines yet." name={`${project.slug}-${deployment.number}`} />
      </div>
    </div>
  );
}

function Steps({ events, createdAt, isOver, detail }: { events: Event[]; createdAt: string; isOver: boolean; detail: string | undefined }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (isOver) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [isOver]);
  const end = events.find((event) => ENDED.includes(event.status));
  return (
    <ol className="steps" aria-label="Steps">
      {events.map((event, index) => {
        const next = events[index + 1];
        const began = Date.parse(event.at);
        const took = next !== undefined ? Date.parse(next.at) - began : isOver ? undefined : now - began;
        return (
          <li key={event.number}>
            <span className="row apart"><Status status={event.status} />{took !== undefined && <span className="small number">{duration(took)}</span>}</span>
            <span className="small">{event.message}</span>
          </li>
        );
      })}
      {detail !== undefined && !isOver && <li className="small">{detail}</li>}
      {end !== undefined && <li className="small number">in all {duration(Date.parse(end.at) - Date.parse(createdAt))}</li>}
    </ol>
  );
}

function Actions({ deployment, look }: { deployment: Shown; look: () => void }) {
  const viewer = useViewer();
  const navigate = useNavigate();
  const { id, project, environment } = deployment;
  const [, cancel] = useMutation(CANCEL);
  const [, rollBack] = useMutation(ROLL_BACK);
  const [, promote] = useMutation(PROMOTE);
  const [, redeploy] = useMutation(REDEPLOY);
  const others = project.environments.filter((other) => other.id !== environment.id);
  const [target, setTarget] = useState(others[0]?.name ?? '');
  const refused = missing(viewer, 'deployment-write', project.id, environment.id);
  const isOver = ENDED.includes(deployment.status);
  const isShown = environment.liveDeployment?.id === id;
  const goTo = (next: string | undefined) => {
    if (next !== undefined) void navigate({ to: '/teams/$team/deployments/$id', params: { team: viewer.team.id, id: next } });
  };
  const whyNoRollback = refused ?? (deployment.artifactRemovedAt ? 'what was built was removed to free space' : deployment.rollbackAvailable ? undefined : 'it was never live, so there is nothing to go back to');
  const whyNoPromotion = refused ?? (deployment.artifactDigest ? deployment.artifactRemovedAt ? 'what was built was removed to free space' : others.length === 0 ? 'the project has one environment only' : undefined : 'nothing was built');
  return (
    <div className="row">
      {deployment.approval?.state === 'PENDING' && <Decision deployment={deployment} look={look} />}
      {!isOver && (
        <Confirm label="Cancel" title={`Cancel #${deployment.number}?`} action="Cancel it" danger disabled={refused} act={async () => { const done = refusal(await cancel({ id })); look(); return done; }}>
          <p>What is live stays live.</p>
        </Confirm>
      )}
      {isOver && !isShown && (
        <Confirm label={`Roll back to #${deployment.number}`} title={`Show #${deployment.number} again?`} action={`Show #${deployment.number}`} disabled={whyNoRollback}
          act={async () => { const result = await rollBack({ project: project.id, environment: environment.name, id }); goTo(result.data?.rollbackDeployment.deployment?.id); return refusal(result); }}>
          <p>{environment.name} shows what #{deployment.number} built, with the variables that it had. Nothing is built.</p>
        </Confirm>
      )}
      {isOver && deployment.source.repository && (
        <Confirm label="Deploy again" title="Build and deploy again?" action="Deploy" disabled={refused}
          act={async () => {
            const { repository, reference, directory } = deployment.source;
            const input = { projectId: project.id, environment: environment.name, repository: repository ?? null, reference: reference ?? null, directory: directory ?? null };
            const result = await redeploy({ input });
            goTo(result.data?.triggerDeployment.deployment?.id);
            return refusal(result);
          }}>
          <p>{deployment.source.repository} is fetched anew at {deployment.source.reference ?? 'its usual branch'} and built for {environment.name}.</p>
        </Confirm>
      )}
      {isOver && (
        <Confirm label="Promote" title={`Show #${deployment.number} elsewhere?`} action="Promote" disabled={whyNoPromotion}
          act={async () => { const result = await promote({ id, environment: target }); goTo(result.data?.promoteDeployment.deployment?.id); return refusal(result); }}>
          <label className="field"><span>Environment</span>
            <select value={target} onChange={(event) => setTarget(event.target.value)}>{others.map((other) => <option key={other.id}>{other.name}</option>)}</select>
          </label>
          <p>It gets what was built here, with its own variables. Nothing is built.</p>
        </Confirm>
      )}
    </div>
  );
}

function Decision({ deployment, look }: { deployment: Shown; look: () => void }) {
  const viewer = useViewer();
  const [, approve] = useMutation(APPROVE);
  const [, reject] = useMutation(REJECT);
  const [reason, setReason] = useState('');
  const own = deployment.approval?.requestedBy === viewer.user.id ? 'somebody else has to decide on what you asked for' : undefined;
  const refused = missing(viewer, 'deployment-approve', deployment.project.id, deployment.environment.id) ?? own;
  const given = () => ({ id: deployment.id, reason: reason.trim() === '' ? null : reason.trim() });
  const words = (
    <>
      <p>{deployment.project.slug} {deployment.commitSha ? `at ${deployment.commitSha.slice(0, 10)} ` : ''}goes to {deployment.environment.name}. What is approved is what goes live: later pushes do not change it.</p>
      <label className="field"><span>Reason (optional)</span><input value={reason} onChange={(event) => setReason(event.target.value)} /></label>
    </>
  );
  return (
    <>
      <Confirm label="Approve" title={`Approve #${deployment.number}?`} action="Approve" disabled={refused} act={async () => { const done = refusal(await approve(given())); look(); return done; }}>{words}</Confirm>
      <Confirm label="Reject" title={`Reject #${deployment.number}?`} action="Reject" danger disabled={refused} act={async () => { const done = refusal(await reject(given())); look(); return done; }}>{words}</Confirm>
    </>
  );
}
