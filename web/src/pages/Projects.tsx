import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useQuery } from 'urql';

import { follow } from '../api/follow';
import { graphql } from '../api/generated';
import type { ProjectsQuery } from '../api/generated/graphql';
import { missing, useViewer } from '../api/viewer';
import { Place } from '../parts/Place';
import { Empty, Result } from '../parts/Result';
import { Status } from '../parts/Status';
import { Time } from '../parts/Time';
import { PROJECT_EVENTS } from './events';

const PROJECTS = graphql(`
  query Projects($after: String) {
    projects(first: 50, after: $after) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes {
        id
        slug
        deleting
        createdAt
        environment { name url place { cloud region simulated } }
        deployments(first: 1) {
          nodes {
            id
            number
            status
            changedAt
            commitSha
            failure { code }
            approval { state }
            environment { name }
            events(first: 100) { projectNumber }
          }
        }
      }
    }
  }
`);

type Project = ProjectsQuery['projects']['nodes'][number];

/** Pause in which several changes become one look. */
const LOOK_AFTER = 700;

/** All projects: those that need somebody first. */
export function Projects() {
  const viewer = useViewer();
  const [after, setAfter] = useState<string>();
  const [search, setSearch] = useState('');
  const [state, again] = useQuery({ query: PROJECTS, variables: { after: after ?? null } });
  const look = () => again({ requestPolicy: 'network-only' });
  useChanges(viewer.team.id, state.data?.projects.nodes, look);
  const refused = missing(viewer, 'project-write');
  const create = refused === undefined
    ? <Link className="button primary" to="/teams/$team/new" params={{ team: viewer.team.id }}>New project</Link>
    : <button type="button" className="button" disabled title={refused}>New project</button>;
  useEffect(() => {
    document.title = 'Projects - MikroCloud';
  }, []);
  return (
    <div className="stack">
      <div className="row apart">
        <h1>Projects</h1>
        {create}
      </div>
      <Result state={state} again={look} rows={5}>
        {({ projects }) => {
          if (projects.totalCount === 0) return <Empty command="mikrocloud deploy" action={create}>No projects yet. A repository becomes a live URL here.</Empty>;
          const wanted = search.trim().toLowerCase();
          const nodes = projects.nodes.filter((project) => project.slug.includes(wanted));
          const attention = nodes.filter(needsSomebody);
          const rest = nodes.filter((project) => !needsSomebody(project));
          return (
            <>
              {projects.totalCount > 8 && (
                <input type="search" aria-label="Find a project on this page" placeholder="Find on this page" value={search} onChange={(event) => setSearch(event.target.value)} />
              )}
              {attention.length > 0 && <Rows title={`Needs attention (${attention.length})`} projects={attention} />}
              {rest.length > 0 && <Rows title={attention.length > 0 ? 'All others' : undefined} projects={rest} />}
              {nodes.length === 0 && <p className="quiet">No project on this page has “{search}” in its name.</p>}
              <div className="row apart">
                <p className="small number">{projects.nodes.length} of {projects.totalCount} projects</p>
                <div className="row">
                  {after !== undefined && <button type="button" className="button" onClick={() => setAfter(undefined)}>First page</button>}
                  {projects.pageInfo.hasNextPage && <button type="button" className="button" onClick={() => setAfter(projects.pageInfo.endCursor ?? undefined)}>Next page</button>}
                </div>
              </div>
            </>
          );
        }}
      </Result>
    </div>
  );
}

function needsSomebody(project: Project): boolean {
  const deployment = project.deployments.nodes[0];
  return deployment?.status === 'FAILED' || (deployment?.status === 'QUEUED' && deployment.approval?.state === 'PENDING');
}

function Rows({ title, projects }: { title: string | undefined; projects: Project[] }) {
  return (
    <section className="stack" aria-label={title ?? 'Projects'}>
      {title !== undefined && <h2>{title}</h2>}
      <ul className="list">{projects.map((project) => <Row key={project.id} project={project} />)}</ul>
    </section>
  );
}

function Row({ project }: { project: Project }) {
  const { team } = useViewer();
  const navigate = useNavigate();
  const deployment = project.deployments.nodes[0];
  const { environment } = project;
  return (
    <li>
      <div className="grow stack" style={{ gap: 2 }}>
        <Link className="cut" to="/teams/$team/projects/$slug" params={{ team: team.id, slug: project.slug }}><strong>{project.slug}</strong></Link>
        {environment?.url ? <a className="cut small" href={environment.url}>{environment.url.replace(/^https?:\/\//, '')}</a> : <span className="small">nothing is shown yet</span>}
      </div>
      <Place place={environment?.place} />
      {project.deleting ? <span className="badge">being deleted</span> : deployment === undefined ? <span className="quiet">never deployed</span> : (
        <>
          <button type="button" className="link" onClick={() => void navigate({ to: '/teams/$team/deployments/$id', params: { team: team.id, id: deployment.id } })}>
            <Status status={deployment.status} waits={deployment.approval?.state === 'PENDING'} />
          </button>
          <span className="small number">#{deployment.number} {deployment.environment.name} {deployment.commitSha?.slice(0, 7)}</span>
          <span className="small"><Time at={deployment.changedAt} /></span>
        </>
      )}
    </li>
  );
}

/** Looks again when anything on the page changed. */
function useChanges(team: string, projects: Project[] | undefined, look: () => void) {
  const latest = useRef(look);
  latest.current = look;
  const ids = useMemo(() => projects?.map((project) => project.id).join(' ') ?? '', [projects]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stops = (projects ?? []).map((project) =>
      follow({
        team,
        document: PROJECT_EVENTS,
        variables: { projectId: project.id },
        after: Math.max(0, ...(project.deployments.nodes[0]?.events.map((event) => event.projectNumber) ?? [])),
        item: ({ projectEvents }) => ({ number: projectEvents.projectNumber }),
        onItem: () => {
          clearTimeout(timer);
          timer = setTimeout(() => latest.current(), LOOK_AFTER);
        },
      }),
    );
    return () => {
      clearTimeout(timer);
      for (const stop of stops) stop();
    };
    // Followed anew when other projects are on the page, not with each look.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [team, ids]);
}
