import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useQuery } from 'urql';

import { graphql } from '../api/generated';
import { useViewer } from '../api/viewer';
import { Empty, Result } from '../parts/Result';
import { Status } from '../parts/Status';
import { Time } from '../parts/Time';
import { type ShownProject, useProject } from './Project';

const DEPLOYMENTS = graphql(`
  query Deployments($slug: String!, $after: String, $environment: String) {
    project(slug: $slug) {
      id
      deployments(first: 50, after: $after, environment: $environment) {
        totalCount
        pageInfo { hasNextPage endCursor }
        nodes { id number status trigger commitSha createdAt changedAt rollbackAvailable failure { code } approval { state } environment { id name } }
      }
    }
  }
`);

type Row = Pick<ShownProject['deployments']['nodes'][number], 'id' | 'number' | 'status' | 'trigger' | 'commitSha' | 'changedAt' | 'failure' | 'approval' | 'environment'>;

/** All deployments of a project, the newest first. */
export function Deployments() {
  const { project } = useProject();
  const [after, setAfter] = useState<string | null>(null);
  const [environment, setEnvironment] = useState('');
  // Events of the project make the frame look again; its newest deployment tells this page to do the same.
  const [state, again] = useQuery({ query: DEPLOYMENTS, variables: { slug: project.slug, after, environment: environment === '' ? null : environment } });
  return (
    <div className="stack">
      <label className="row"><span>Environment</span>
        <select style={{ width: 'auto' }} value={environment} onChange={(event) => { setAfter(null); setEnvironment(event.target.value); }}>
          <option value="">all</option>
          {project.environments.map(({ id, name }) => <option key={id}>{name}</option>)}
        </select>
      </label>
      <Result state={state} again={() => again({ requestPolicy: 'network-only' })}>
        {(data) => {
          const page = data.project?.deployments;
          if (page === undefined) return null;
          const known = new Map(project.deployments.nodes.map((node) => [node.id, node]));
          const nodes = page.nodes.map((node) => known.get(node.id) ?? node);
          return (
            <>
              <DeploymentRows deployments={nodes} command={`mikrocloud deploy --project ${project.slug}`} />
              <div className="row apart">
                <p className="small number">{page.totalCount} deployments</p>
                <div className="row">
                  {after !== null && <button type="button" className="button" onClick={() => setAfter(null)}>Newest</button>}
                  {page.pageInfo.hasNextPage && <button type="button" className="button" onClick={() => setAfter(page.pageInfo.endCursor ?? null)}>Older</button>}
                </div>
              </div>
            </>
          );
        }}
      </Result>
    </div>
  );
}

/** Deployments, one a line. */
export function DeploymentRows({ deployments, command }: { deployments: Row[]; command: string }) {
  const { team } = useViewer();
  if (deployments.length === 0) return <Empty command={command}>Nothing was deployed yet.</Empty>;
  return (
    <ul className="list">
      {deployments.map((deployment) => (
        <li key={deployment.id}>
          <Link className="grow row" to="/teams/$team/deployments/$id" params={{ team: team.id, id: deployment.id }}>
            <span className="number">#{deployment.number}</span>
            <Status status={deployment.status} waits={deployment.approval?.state === 'PENDING'} detail={deployment.failure?.code} />
          </Link>
          {deployment.trigger !== 'BUILD' && <span className="badge">{deployment.trigger.toLowerCase()}</span>}
          <span>{deployment.environment.name}</span>
          {deployment.commitSha && <code>{deployment.commitSha.slice(0, 10)}</code>}
          <span className="small"><Time at={deployment.changedAt} /></span>
        </li>
      ))}
    </ul>
  );
}
