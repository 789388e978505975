import { Link, Outlet, useNavigate, useParams } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState, useSyncExternalStore } from 'react';
import { useQuery } from 'urql';

import { connection, onConnection } from '../api/follow';
import { graphql } from '../api/generated';
import { signOut } from '../api/session';
import { InTeam, useViewer } from '../api/viewer';

const COUNTS = graphql(`
  query Counts {
    approvals { state }
    alerts(first: 50) { nodes { id resolvedAt } }
  }
`);

const Palette = lazy(() => import('./Palette').then(({ Palette: component }) => ({ default: component })));

/** What all pages of a team stand in. */
export function Shell() {
  const { team } = useParams({ from: '/teams/$team' });
  return <InTeam key={team} team={team}><Framed /></InTeam>;
}

function Framed() {
  return (
    <div className="shell">
      <Side />
      <main id="main"><Outlet /></main>
      <Connection />
      <Anywhere />
    </div>
  );
}

/** Ctrl-K, or Command-K, goes anywhere. */
function Anywhere() {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      event.preventDefault();
      setOpen(true);
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, []);
  return open ? <Suspense><Palette close={() => setOpen(false)} /></Suspense> : null;
}

function Side() {
  const viewer = useViewer();
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const [{ data }] = useQuery({ query: COUNTS });
  const team = viewer.team.id;
  const waiting = data?.approvals.filter((approval) => approval.state === 'PENDING').length ?? 0;
  const alerts = data?.alerts.nodes.filter((alert) => alert.resolvedAt === null).length ?? 0;
  const params = { team };
  return (
    <div className={open ? 'side open' : 'side'}>
      <div className="row apart">
        {viewer.teams.length > 1 ? (
          <select aria-label="Team" value={team} onChange={(event) => void navigate({ to: '/teams/$team/projects', params: { team: event.target.value } })}>
            {viewer.teams.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
          </select>
        ) : <strong className="cut grow">{viewer.team.name}</strong>}
        <button type="button" className="button menu-button" aria-expanded={open} onClick={() => setOpen(!open)}>Menu</button>
      </div>
      {/* A link that was followed closes the menu of a small screen. */}
      {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions */}
      <nav aria-label="Team" onClick={() => setOpen(false)}>
        <Link to="/teams/$team/projects" params={params}>Projects</Link>
        <Link to="/teams/$team/approvals" params={params}>Approvals {waiting > 0 && <span className="badge">{waiting}</span>}</Link>
        {viewer.may('cloud-read') && <Link to="/teams/$team/clouds" params={params}>Clouds</Link>}
        <Link to="/teams/$team/alerts" params={params}>Alerts {alerts > 0 && <span className="badge">{alerts}</span>}</Link>
        <hr />
        <Link to="/teams/$team/jobs" params={params}>Jobs</Link>
        {viewer.may('member-read') && <Link to="/teams/$team/members" params={params}>Members</Link>}
        <Link to="/teams/$team/keys" params={params}>API keys</Link>
        {viewer.may('audit-read') && <Link to="/teams/$team/audit" params={params}>Audit log</Link>}
        <a href={`/teams/${team}/notifications`}>Notifications</a>
      </nav>
      <div className="stack account">
        <p className="small">Ctrl-K goes anywhere</p>
        <p className="small cut" title={viewer.user.email}>{viewer.user.name} · {viewer.user.email}</p>
        <p className="row"><a href="/auth/account">Account</a><button type="button" className="link" onClick={() => void signOut()}>Sign out</button></p>
      </div>
    </div>
  );
}

/** Says when what is on the screen is no longer told of changes. */
function Connection() {
  const since = useSyncExternalStore(onConnection, connection);
  if (since === undefined) return null;
  return <div className="chip" role="status">not connected since {new Date(since).toLocaleTimeString()}: trying again</div>;
}
