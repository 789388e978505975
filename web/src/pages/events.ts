import { graphql } from '../api/generated';

/** Events of a project's deployments. */
export const PROJECT_EVENTS = graphql(`
  subscription ProjectEvents($projectId: ID!, $after: Int!) {
    projectEvents(projectId: $projectId, after: $after) { projectNumber deploymentId status }
  }
`);

/** Events of a deployment. */
export const DEPLOYMENT_EVENTS = graphql(`
  subscription DeploymentEvents($deploymentId: ID!, $after: Int!) {
    deploymentEvents(deploymentId: $deploymentId, after: $after) { number status message at }
  }
`);

/** Lines of a deployment's log. */
export const DEPLOYMENT_LOGS = graphql(`
  subscription DeploymentLogs($deploymentId: ID!, $after: Int!) {
    deploymentLogs(deploymentId: $deploymentId, after: $after) { number stream text at }
  }
`);
