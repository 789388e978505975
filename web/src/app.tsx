import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Navigate, Outlet } from '@tanstack/react-router';

import { InTeam, useViewer } from './api/viewer';
import { Projects } from './pages/Projects';
import { Toasts } from './parts/Toast';
import { Shell } from './shell/Shell';

const root = createRootRoute({
  component: () => <Toasts><Outlet /></Toasts>,
  notFoundComponent: () => <p style={{ padding: 32 }}>There is no such page. <a href="/">Your projects</a></p>,
  errorComponent: ({ error }) => (
    <div className="card failed stack" role="alert" style={{ margin: 32 }}>
      <p>This page failed: {error instanceof Error ? error.message : 'for an unknown reason'}</p>
      <p><button type="button" className="button" onClick={() => location.reload()}>Load it again</button></p>
    </div>
  ),
});

const home = createRoute({ getParentRoute: () => root, path: '/', component: () => <InTeam team={undefined}><FirstTeam /></InTeam> });

function FirstTeam() {
  const { team } = useViewer();
  return <Navigate to="/teams/$team/projects" params={{ team: team.id }} replace />;
}

const team = createRoute({ getParentRoute: () => root, path: '/teams/$team', component: Shell });
const start = createRoute({
  getParentRoute: () => team,
  path: '/',
  component: () => <Navigate to="/teams/$team/projects" params={(known) => ({ team: known.team ?? '' })} replace />,
});
const projects = createRoute({ getParentRoute: () => team, path: '/projects', component: Projects });
const create = createRoute({ getParentRoute: () => team, path: '/new', component: lazyRouteComponent(() => import('./pages/New'), 'New') });
const deployment = createRoute({ getParentRoute: () => team, path: '/deployments/$id', component: lazyRouteComponent(() => import('./pages/Deployment'), 'Deployment') });
const approvals = createRoute({ getParentRoute: () => team, path: '/approvals', component: lazyRouteComponent(() => import('./pages/Approvals'), 'Approvals') });
const alerts = createRoute({ getParentRoute: () => team, path: '/alerts', component: lazyRouteComponent(() => import('./pages/Alerts'), 'Alerts') });
const jobs = createRoute({ getParentRoute: () => team, path: '/jobs', component: lazyRouteComponent(() => import('./pages/Jobs'), 'Jobs') });
const clouds = createRoute({ getParentRoute: () => team, path: '/clouds', component: lazyRouteComponent(() => import('./pages/Clouds'), 'Clouds') });
const members = createRoute({ getParentRoute: () => team, path: '/members', component: lazyRouteComponent(() => import('./pages/Members'), 'Members') });
const keys = createRoute({ getParentRoute: () => team, path: '/keys', component: lazyRouteComponent(() => import('./pages/Keys'), 'Keys') });
const audit = createRoute({ getParentRoute: () => team, path: '/audit', component: lazyRouteComponent(() => import('./pages/Audit'), 'Audit') });
const project = createRoute({ getParentRoute: () => team, path: '/projects/$slug', component: lazyRouteComponent(() => import('./pages/Project'), 'Project') });
const overview = createRoute({ getParentRoute: () => project, path: '/', component: lazyRouteComponent(() => import('./pages/Overview'), 'Overview') });
const deployments = createRoute({ getParentRoute: () => project, path: '/deployments', component: lazyRouteComponent(() => import('./pages/Deployments'), 'Deployments') });
const variables = createRoute({ getParentRoute: () => project, path: '/variables', component: lazyRouteComponent(() => import('./pages/Variables'), 'Variables') });
const domains = createRoute({ getParentRoute: () => project, path: '/domains', component: lazyRouteComponent(() => import('./pages/Domains'), 'Domains') });
const output = createRoute({ getParentRoute: () => project, path: '/logs', component: lazyRouteComponent(() => import('./pages/Output'), 'Output') });
const schedules = createRoute({ getParentRoute: () => project, path: '/schedules', component: lazyRouteComponent(() => import('./pages/Schedules'), 'Schedules') });
const settings = createRoute({ getParentRoute: () => project, path: '/settings', component: lazyRouteComponent(() => import('./pages/Settings'), 'Settings') });

const routes = root.addChildren([
  home,
  team.addChildren([start, projects, create, deployment, approvals, alerts, jobs, clouds, members, keys, audit, project.addChildren([overview, deployments, output, variables, domains, schedules, settings])]),
]);

/** The pages by their addresses. */
export const router = createRouter({ routeTree: routes, defaultPreload: 'intent', scrollRestoration: false });

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
