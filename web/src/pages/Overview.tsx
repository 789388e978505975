import { Link, useNavigate } from '@tanstack/react-router';
import { useMutation } from 'urql';

import { graphql } from '../api/generated';
import { refusal } from '../api/mutate';
import { missing, useViewer } from '../api/viewer';
import { Confirm } from '../parts/Confirm';
import { Copy } from '../parts/Copy';
import { Place } from '../parts/Place';
import { Empty } from '../parts/Result';
import { Status } from '../parts/Status';
import { Time } from '../parts/Time';
import { DeploymentRows } from './Deployments';
import { useProject } from './Project';

export const DEPLOY = graphql(`
  mutation Deploy($input: TriggerDeploymentInput!) {
    triggerDeployment(input: $input) { deployment { id } userErrors { message } }
  }
`);

/** What is live in each environment, and what was deployed last. */
export function Overview() {
  const viewer = useViewer();
  const { project } = useProject();
  const { team } = viewer;
  return (
    <div className="stack wide">
      <div className="cards">
        {project.environments.map((environment) => (
          <section key={environment.id} className="card stack" aria-label={environment.name}>
            <div className="row apart">
              <h2>{environment.name}</h2>
              <span className="row">{environment.protected && <span className="badge">protected</span>}{environment.deleting && <span className="badge">being deleted</span>}</span>
            </div>
            {environment.liveDeployment ? (
              <>
                <p className="row">
                  <Link to="/teams/$team/deployments/$id" params={{ team: team.id, id: environment.liveDeployment.id }}>
                    <Status status={environment.liveDeployment.status} /> #{environment.liveDeployment.number}
                  </Link>
                  {environment.liveDeployment.commitSha && <code>{environment.liveDeployment.commitSha.slice(0, 10)}</code>}
                  <span className="small">since <Time at={environment.liveDeployment.changedAt} /></span>
                </p>
                {environment.url && <p className="row"><a className="cut grow" href={environment.url}>{environment.url}</a><Copy text={environment.url} what="the address" /></p>}
              </>
            ) : <p className="quiet">Nothing is live here.</p>}
            <Place place={environment.place} />
            <Deploy environment={environment} />
          </section>
        ))}
        {project.environments.length === 0 && <Empty command={`mikrocloud deploy --project ${project.slug}`}>Nothing is live yet.</Empty>}
      </div>
      {project.previews.length > 0 && (
        <section className="stack">
          <h2>Previews of pull requests</h2>
          <ul className="list">
            {project.previews.map((preview) => (
              <li key={preview.id}>
                <span className="grow cut">#{preview.number} {preview.title}</span>
                {preview.isFork && <span className="badge">from a fork</span>}
                {preview.url && <a className="cut" href={preview.url}>{preview.url}</a>}
                <span className="small">goes <Time at={preview.expiresAt} /></span>
              </li>
            ))}
          </ul>
        </section>
      )}
      <section className="stack">
        <h2>Last deployments</h2>
        <DeploymentRows deployments={project.deployments.nodes.slice(0, 5)} command={`mikrocloud deploy --project ${project.slug}`} />
      </section>
    </div>
  );
}

function Deploy({ environment }: { environment: { id: string; name: string } }) {
  const viewer = useViewer();
  const { project } = useProject();
  const navigate = useNavigate();
  const [, deploy] = useMutation(DEPLOY);
  const refused = missing(viewer, 'deployment-write', project.id, environment.id);
  if (refused === undefined && !project.repository) {
    return <p className="small">Deployed from a directory: <code>mikrocloud deploy --project {project.slug}</code>. With a repository in its settings it is deployed from here, too.</p>;
  }
  return (
    <p>
      <Confirm label="Deploy" title={`Deploy to ${environment.name}?`} action="Deploy" disabled={refused}
        act={async () => {
          const result = await deploy({ input: { projectId: project.id, environment: environment.name } });
          const id = result.data?.triggerDeployment.deployment?.id;
          if (id !== undefined) void navigate({ to: '/teams/$team/deployments/$id', params: { team: viewer.team.id, id } });
          return refusal(result);
        }}>
        <p>{project.repository} at {project.reference ?? 'its usual branch'} is built and shown in {environment.name}.</p>
      </Confirm>
    </p>
  );
}
