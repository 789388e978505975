import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useMutation, useQuery } from 'urql';

import { graphql } from '../api/generated';
import { refusal } from '../api/mutate';
import { missing, useViewer } from '../api/viewer';
import { Confirm } from '../parts/Confirm';
import { useToast } from '../parts/Toast';
import { useProject } from './Project';

const UPDATE = graphql(`mutation UpdateProject($input: UpdateProjectInput!) { updateProject(input: $input) { project { id slug } userErrors { message } } }`);
const DELETE = graphql(`mutation DeleteProject($id: ID!) { deleteProject(input: { projectId: $id }) { project { id } userErrors { message } } }`);
const PROTECT = graphql(`mutation Protect($input: ProtectEnvironmentInput!) { protectEnvironment(input: $input) { userErrors { message } } }`);
const RESOURCES = graphql(`query Resources($slug: String!) { project(slug: $slug) { id resources { cloud kind externalId } } }`);

/** What a project is made from, who has to approve, and its end. */
export function Settings() {
  const viewer = useViewer();
  const say = useToast();
  const navigate = useNavigate();
  const { project, look } = useProject();
  const refused = missing(viewer, 'project-write', project.id);
  const [repository, setRepository] = useState(project.repository ?? '');
  const [reference, setReference] = useState(project.reference ?? '');
  const [problem, setProblem] = useState<string>();
  const [, update] = useMutation(UPDATE);
  const [, erase] = useMutation(DELETE);
  const [, protect] = useMutation(PROTECT);
  const [{ data }] = useQuery({ query: RESOURCES, variables: { slug: project.slug } });
  const save = async () => {
    const failed = refusal(await update({ input: { projectId: project.id, repository: repository.trim(), reference: reference.trim() } }));
    setProblem(failed);
    if (failed === undefined) say('Saved.');
    look();
  };
  const resources = data?.project?.resources;
  return (
    <div className="stack wide">
      <form className="card stack" onSubmit={(event) => { event.preventDefault(); void save(); }}>
        <h2>Source</h2>
        <label className="field"><span>Repository</span><input value={repository} onChange={(event) => setRepository(event.target.value)} placeholder="https://github.com/team/shop.git" disabled={refused !== undefined} /></label>
        <label className="field"><span>Branch, tag or commit</span><input value={reference} onChange={(event) => setReference(event.target.value)} placeholder="its usual branch" disabled={refused !== undefined} /></label>
        {problem !== undefined && <p className="problem" role="alert">{problem}</p>}
        <p><button type="submit" className="button" disabled={refused !== undefined} title={refused}>Save</button></p>
      </form>
      <section className="card stack">
        <h2>Approvals</h2>
        <p className="quiet">Deployments to a protected environment wait until somebody else approves them.</p>
        {project.environments.map((environment) => {
          const why = missing(viewer, 'member-write', project.id, environment.id);
          return (
            <p key={environment.id} className="row apart">
              <span>{environment.name}</span>
              <button type="button" className="button" disabled={why !== undefined} title={why}
                onClick={() => void protect({ input: { projectId: project.id, environment: environment.name, protected: !environment.protected } }).then((result) => { setProblem(refusal(result)); look(); })}>
                {environment.protected ? 'Stop protecting' : 'Protect'}
              </button>
            </p>
          );
        })}
      </section>
      <section className="card stack">
        <h2>Delete the project</h2>
        <p className="quiet">With it go its {project.deployments.totalCount} deployments, its variables, its {project.domains.length} domains{resources ? `, and ${resources.length} things in clouds` : ''}. This cannot be undone.</p>
        <p>
          <Confirm label="Delete" title={`Delete ${project.slug}?`} action="Delete it for good" typed={project.slug} danger disabled={refused}
            act={async () => {
              const failed = refusal(await erase({ id: project.id }));
              if (failed === undefined) void navigate({ to: '/teams/$team/projects', params: { team: viewer.team.id } });
              return failed;
            }}>
            <ul>{resources?.slice(0, 20).map((resource) => <li key={resource.cloud + resource.kind + resource.externalId}>{resource.cloud} {resource.kind} {resource.externalId}</li>)}</ul>
          </Confirm>
        </p>
      </section>
    </div>
  );
}
