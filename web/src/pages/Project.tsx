import { Link, Outlet, useParams } from '@tanstack/react-router';
import { createContext, useContext, useEffect, useRef } from 'react';
import { useQuery } from 'urql';

import { follow } from '../api/follow';
import { graphql } from '../api/generated';
import type { ProjectQuery } from '../api/generated/graphql';
import { useViewer } from '../api/viewer';
import { Result } from '../parts/Result';
import { PROJECT_EVENTS } from './events';

const PROJECT = graphql(`
  query Project($slug: String!) {
    project(slug: $slug) {
      id
      slug
      repository
      reference
      deleting
      createdAt
      environments {
        id
        name
        url
        protected
        deleting
        place { cloud region account simulated detail }
        liveDeployment { id number status kind commitSha changedAt }
      }
      previews { id number title url environment isFork expiresAt }
      deployments(first: 20) {
        totalCount
        nodes {
          id
          number
          status
          trigger
          commitSha
          createdAt
          changedAt
          rollbackAvailable
          failure { code }
          approval { state }
          environment { id name }
          events(first: 100) { projectNumber }
        }
      }
      domains { id name unicodeName environment url state problem checkedAt certificate { state notAfter problem } records { type name value } }
    }
  }
`);

/** A project as its pages show it. */
export type ShownProject = NonNullable<ProjectQuery['project']>;

interface Given {
  project: ShownProject;
  look: () => void;
}

const Context = createContext<Given | undefined>(undefined);

/** The project that the page is about, and a way to look at it again. */
export function useProject(): Given {
  const given = useContext(Context);
  if (given === undefined) throw new Error('a page outside of a project');
  return given;
}

const TABS = [
  ['/teams/$team/projects/$slug', 'Overview'],
  ['/teams/$team/projects/$slug/deployments', 'Deployments'],
  ['/teams/$team/projects/$slug/logs', 'Logs'],
  ['/teams/$team/projects/$slug/variables', 'Variables'],
  ['/teams/$team/projects/$slug/domains', 'Domains'],
  ['/teams/$team/projects/$slug/schedules', 'Schedules'],
  ['/teams/$team/projects/$slug/settings', 'Settings'],
] as const;

/** The frame of a project's pages. */
export function Project() {
  const { slug } = useParams({ from: '/teams/$team/projects/$slug' });
  const { team } = useViewer();
  const [state, again] = useQuery({ query: PROJECT, variables: { slug } });
  const look = () => again({ requestPolicy: 'network-only' });
  const id = state.data?.project?.id;
  const latest = useRef(look);
  latest.current = look;
  const seen = Math.max(0, ...(state.data?.project?.deployments.nodes.flatMap((node) => node.events.map((event) => event.projectNumber)) ?? []));
  useEffect(() => {
    if (id === undefined) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = follow({
      team: team.id,
      document: PROJECT_EVENTS,
      variables: { projectId: id },
      after: seen,
      item: ({ projectEvents }) => ({ number: projectEvents.projectNumber }),
      onItem: () => {
        clearTimeout(timer);
        timer = setTimeout(() => latest.current(), 500);
      },
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
    // The stream goes on from where it began, whatever is read meanwhile.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [team.id, id]);
  useEffect(() => {
    document.title = `${slug} - MikroCloud`;
  }, [slug]);
  return (
    <div className="stack">
      <div className="row"><h1>{slug}</h1>{state.data?.project?.deleting && <span className="badge">being deleted</span>}</div>
      <nav className="tabs" aria-label="Project">
        {TABS.map(([to, title]) => (
          <Link key={to} to={to} params={{ team: team.id, slug }} activeOptions={{ exact: true }}>{title}</Link>
        ))}
      </nav>
      <Result state={state} again={look}>
        {({ project }) =>
          project === null || project === undefined
            ? <p>There is no project “{slug}” in {team.name}, or it is not yours to see.</p>
            : <Context.Provider value={{ project, look }}><Outlet /></Context.Provider>
        }
      </Result>
    </div>
  );
}
