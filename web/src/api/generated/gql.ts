/* eslint-disable */
import * as types from './graphql';
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';

/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  query Viewer {\n    me {\n      user { id name email }\n      team { id name }\n      teams { id name }\n      permissions\n      grants { permissions projectId environmentId }\n    }\n  }\n": typeof types.ViewerDocument,
    "query Alerts { alerts(first: 100) { nodes { id kind subject message raisedAt resolvedAt } } }": typeof types.AlertsDocument,
    "\n  query Approvals {\n    approvals { state requestedBy requestedAt expiresAt deployment { id number commitSha project { slug } environment { name } } }\n    members { user { id name } }\n  }\n": typeof types.ApprovalsDocument,
    "\n  query Audit($filter: AuditFilter, $after: ID) {\n    auditLog(filter: $filter, first: 50, after: $after) {\n      pageInfo { hasNextPage endCursor }\n      nodes { sequence at action outcome address actor { name } target { kind name id } before after }\n    }\n  }\n": typeof types.AuditDocument,
    "\n  query Clouds {\n    cloudAccounts {\n      id cloud name identity region isDefault state problem principal simulated verifiedAt\n      checks { permission outcome remedy }\n      bases { name region state problem }\n    }\n    clouds { name title regions { neutral } capabilities { name switch ownAddress idle { item per } proven { group cases against day } } }\n  }\n": typeof types.CloudsDocument,
    "mutation Disconnect($id: ID!) { disconnectCloudAccount(input: { id: $id }) { disconnected userErrors { message } } }": typeof types.DisconnectDocument,
    "mutation MakeDefault($id: ID!) { updateCloudAccount(input: { id: $id, makeDefault: true }) { account { id } userErrors { message } } }": typeof types.MakeDefaultDocument,
    "mutation VerifyAccount($id: ID!) { verifyCloudAccount(input: { id: $id }) { account { id } userErrors { message } } }": typeof types.VerifyAccountDocument,
    "mutation ConnectCloud($input: ConnectCloudAccountInput!) { connectCloudAccount(input: $input) { account { id } userErrors { message field } } }": typeof types.ConnectCloudDocument,
    "\n  query Deployment($id: ID!) {\n    deployment(id: $id) {\n      id\n      number\n      status\n      trigger\n      kind\n      commitSha\n      url\n      createdAt\n      changedAt\n      rollbackAvailable\n      artifactDigest\n      artifactRemovedAt\n      buildsBefore\n      logCount\n      source { kind repository reference directory }\n      failure { code message }\n      approval { state requestedBy requestedAt expiresAt reason }\n      place { cloud region account simulated detail }\n      project { id slug environments { id name } }\n      environment { id name url protected liveDeployment { id } }\n      events(first: 100) { number status message at }\n    }\n  }\n": typeof types.DeploymentDocument,
    "mutation Cancel($id: ID!) { cancelDeployment(input: { deploymentId: $id }) { userErrors { message } } }": typeof types.CancelDocument,
    "\n  mutation RollBack($project: ID!, $environment: String!, $id: ID!) {\n    rollbackDeployment(input: { projectId: $project, environment: $environment, toDeploymentId: $id }) { deployment { id } userErrors { message } }\n  }\n": typeof types.RollBackDocument,
    "\n  mutation Promote($id: ID!, $environment: String!) {\n    promoteDeployment(input: { deploymentId: $id, environment: $environment }) { deployment { id } userErrors { message } }\n  }\n": typeof types.PromoteDocument,
    "\n  mutation Redeploy($input: TriggerDeploymentInput!) {\n    triggerDeployment(input: $input) { deployment { id } userErrors { message } }\n  }\n": typeof types.RedeployDocument,
    "mutation Approve($id: ID!, $reason: String) { approveDeployment(input: { deploymentId: $id, reason: $reason }) { userErrors { message } } }": typeof types.ApproveDocument,
    "mutation Reject($id: ID!, $reason: String) { rejectDeployment(input: { deploymentId: $id, reason: $reason }) { userErrors { message } } }": typeof types.RejectDocument,
    "\n  query Deployments($slug: String!, $after: String, $environment: String) {\n    project(slug: $slug) {\n      id\n      deployments(first: 50, after: $after, environment: $environment) {\n        totalCount\n        pageInfo { hasNextPage endCursor }\n        nodes { id number status trigger commitSha createdAt changedAt rollbackAvailable failure { code } approval { state } environment { id name } }\n      }\n    }\n  }\n": typeof types.DeploymentsDocument,
    "mutation AddDomain($input: AddDomainInput!) { addDomain(input: $input) { domain { id } userErrors { message } } }": typeof types.AddDomainDocument,
    "mutation VerifyDomain($id: ID!) { verifyDomain(input: { domainId: $id }) { domain { id state } userErrors { message } } }": typeof types.VerifyDomainDocument,
    "mutation RemoveDomain($id: ID!) { removeDomain(input: { domainId: $id }) { removed userErrors { message } } }": typeof types.RemoveDomainDocument,
    "\n  query Jobs($state: JobState, $after: ID) {\n    jobs(state: $state, first: 50, after: $after) {\n      pageInfo { hasNextPage endCursor }\n      nodes { id kind queue state attempts maxAttempts waitsFor lastError createdAt runAt finishedAt }\n    }\n  }\n": typeof types.JobsDocument,
    "mutation RetryJob($id: ID!) { retryJob(input: { jobId: $id }) { job { id state } userErrors { message } } }": typeof types.RetryJobDocument,
    "mutation DiscardJob($id: ID!) { discardJob(input: { jobId: $id }) { job { id state } userErrors { message } } }": typeof types.DiscardJobDocument,
    "query Keys { me { user { id } permissions apiKeys { id name prefix scopes expiresAt revokedAt createdAt } } }": typeof types.KeysDocument,
    "mutation CreateKey($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret userErrors { message } } }": typeof types.CreateKeyDocument,
    "mutation RevokeKey($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) { done userErrors { message } } }": typeof types.RevokeKeyDocument,
    "\n  query Members {\n    members { user { id name email } role customRoleId permissions grants { id } }\n    roles { id name permissions }\n    invitations { id user { email } role expiresAt }\n  }\n": typeof types.MembersDocument,
    "mutation AddMember($input: AddMemberInput!) { addMember(input: $input) { signInPath invitationId userErrors { message } } }": typeof types.AddMemberDocument,
    "mutation SetRole($input: SetMemberRoleInput!) { setMemberRole(input: $input) { done userErrors { message } } }": typeof types.SetRoleDocument,
    "mutation RemoveMember($id: ID!) { removeMember(input: { userId: $id }) { done userErrors { message } } }": typeof types.RemoveMemberDocument,
    "mutation RevokeInvitation($id: ID!) { revokeInvitation(input: { invitationId: $id }) { done userErrors { message } } }": typeof types.RevokeInvitationDocument,
    "mutation CreateProject($input: CreateProjectInput!) { createProject(input: $input) { project { id slug } userErrors { message field } } }": typeof types.CreateProjectDocument,
    "query Places { cloudAccounts { id cloud name region state simulated } clouds { name regions { neutral } } }": typeof types.PlacesDocument,
    "\n  mutation Deploy($input: TriggerDeploymentInput!) {\n    triggerDeployment(input: $input) { deployment { id } userErrors { message } }\n  }\n": typeof types.DeployDocument,
    "\n  query Project($slug: String!) {\n    project(slug: $slug) {\n      id\n      slug\n      repository\n      reference\n      deleting\n      createdAt\n      environments {\n        id\n        name\n        url\n        protected\n        deleting\n        place { cloud region account simulated detail }\n        liveDeployment { id number status kind commitSha changedAt }\n      }\n      previews { id number title url environment isFork expiresAt }\n      deployments(first: 20) {\n        totalCount\n        nodes {\n          id\n          number\n          status\n          trigger\n          commitSha\n          createdAt\n          changedAt\n          rollbackAvailable\n          failure { code }\n          approval { state }\n          environment { id name }\n          events(first: 100) { projectNumber }\n        }\n      }\n      domains { id name unicodeName environment url state problem checkedAt certificate { state notAfter problem } records { type name value } }\n    }\n  }\n": typeof types.ProjectDocument,
    "\n  query Projects($after: String) {\n    projects(first: 50, after: $after) {\n      totalCount\n      pageInfo { hasNextPage endCursor }\n      nodes {\n        id\n        slug\n        deleting\n        createdAt\n        environment { name url place { cloud region simulated } }\n        deployments(first: 1) {\n          nodes {\n            id\n            number\n            status\n            changedAt\n            commitSha\n            failure { code }\n            approval { state }\n            environment { name }\n            events(first: 100) { projectNumber }\n          }\n        }\n      }\n    }\n  }\n": typeof types.ProjectsDocument,
    "\n  query Schedules($project: ID!) {\n    schedules(projectId: $project) { id name environment cron timeZone path missed enabled nextDueAt runs(first: 14) { dueAt state outcome } }\n  }\n": typeof types.SchedulesDocument,
    "mutation CreateSchedule($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id } userErrors { message } } }": typeof types.CreateScheduleDocument,
    "mutation EnableSchedule($id: ID!, $enabled: Boolean!) { enableSchedule(input: { scheduleId: $id, enabled: $enabled }) { userErrors { message } } }": typeof types.EnableScheduleDocument,
    "mutation DeleteSchedule($id: ID!) { deleteSchedule(input: { scheduleId: $id }) { deleted userErrors { message } } }": typeof types.DeleteScheduleDocument,
    "mutation UpdateProject($input: UpdateProjectInput!) { updateProject(input: $input) { project { id slug } userErrors { message } } }": typeof types.UpdateProjectDocument,
    "mutation DeleteProject($id: ID!) { deleteProject(input: { projectId: $id }) { project { id } userErrors { message } } }": typeof types.DeleteProjectDocument,
    "mutation Protect($input: ProtectEnvironmentInput!) { protectEnvironment(input: $input) { userErrors { message } } }": typeof types.ProtectDocument,
    "query Resources($slug: String!) { project(slug: $slug) { id resources { cloud kind externalId } } }": typeof types.ResourcesDocument,
    "\n  query Variables($slug: String!, $environment: String!) {\n    project(slug: $slug) { id environment(name: $environment) { id variables { name createdAt } } }\n  }\n": typeof types.VariablesDocument,
    "mutation SetVariables($input: SetEnvironmentVariableInput!) { setEnvironmentVariable(input: $input) { names userErrors { message } } }": typeof types.SetVariablesDocument,
    "mutation UnsetVariable($input: UnsetEnvironmentVariableInput!) { unsetEnvironmentVariable(input: $input) { names userErrors { message } } }": typeof types.UnsetVariableDocument,
    "\n  subscription ProjectEvents($projectId: ID!, $after: Int!) {\n    projectEvents(projectId: $projectId, after: $after) { projectNumber deploymentId status }\n  }\n": typeof types.ProjectEventsDocument,
    "\n  subscription DeploymentEvents($deploymentId: ID!, $after: Int!) {\n    deploymentEvents(deploymentId: $deploymentId, after: $after) { number status message at }\n  }\n": typeof types.DeploymentEventsDocument,
    "\n  subscription DeploymentLogs($deploymentId: ID!, $after: Int!) {\n    deploymentLogs(deploymentId: $deploymentId, after: $after) { number stream text at }\n  }\n": typeof types.DeploymentLogsDocument,
    "query Slugs { projects(first: 50) { nodes { id slug } } }": typeof types.SlugsDocument,
    "\n  query Counts {\n    approvals { state }\n    alerts(first: 50) { nodes { id resolvedAt } }\n  }\n": typeof types.CountsDocument,
};
const documents: Documents = {
    "\n  query Viewer {\n    me {\n      user { id name email }\n      team { id name }\n      teams { id name }\n      permissions\n      grants { permissions projectId environmentId }\n    }\n  }\n": types.ViewerDocument,
    "query Alerts { alerts(first: 100) { nodes { id kind subject message raisedAt resolvedAt } } }": types.AlertsDocument,
    "\n  query Approvals {\n    approvals { state requestedBy requestedAt expiresAt deployment { id number commitSha project { slug } environment { name } } }\n    members { user { id name } }\n  }\n": types.ApprovalsDocument,
    "\n  query Audit($filter: AuditFilter, $after: ID) {\n    auditLog(filter: $filter, first: 50, after: $after) {\n      pageInfo { hasNextPage endCursor }\n      nodes { sequence at action outcome address actor { name } target { kind name id } before after }\n    }\n  }\n": types.AuditDocument,
    "\n  query Clouds {\n    cloudAccounts {\n      id cloud name identity region isDefault state problem principal simulated verifiedAt\n      checks { permission outcome remedy }\n      bases { name region state problem }\n    }\n    clouds { name title regions { neutral } capabilities { name switch ownAddress idle { item per } proven { group cases against day } } }\n  }\n": types.CloudsDocument,
    "mutation Disconnect($id: ID!) { disconnectCloudAccount(input: { id: $id }) { disconnected userErrors { message } } }": types.DisconnectDocument,
    "mutation MakeDefault($id: ID!) { updateCloudAccount(input: { id: $id, makeDefault: true }) { account { id } userErrors { message } } }": types.MakeDefaultDocument,
    "mutation VerifyAccount($id: ID!) { verifyCloudAccount(input: { id: $id }) { account { id } userErrors { message } } }": types.VerifyAccountDocument,
    "mutation ConnectCloud($input: ConnectCloudAccountInput!) { connectCloudAccount(input: $input) { account { id } userErrors { message field } } }": types.ConnectCloudDocument,
    "\n  query Deployment($id: ID!) {\n    deployment(id: $id) {\n      id\n      number\n      status\n      trigger\n      kind\n      commitSha\n      url\n      createdAt\n      changedAt\n      rollbackAvailable\n      artifactDigest\n      artifactRemovedAt\n      buildsBefore\n      logCount\n      source { kind repository reference directory }\n      failure { code message }\n      approval { state requestedBy requestedAt expiresAt reason }\n      place { cloud region account simulated detail }\n      project { id slug environments { id name } }\n      environment { id name url protected liveDeployment { id } }\n      events(first: 100) { number status message at }\n    }\n  }\n": types.DeploymentDocument,
    "mutation Cancel($id: ID!) { cancelDeployment(input: { deploymentId: $id }) { userErrors { message } } }": types.CancelDocument,
    "\n  mutation RollBack($project: ID!, $environment: String!, $id: ID!) {\n    rollbackDeployment(input: { projectId: $project, environment: $environment, toDeploymentId: $id }) { deployment { id } userErrors { message } }\n  }\n": types.RollBackDocument,
    "\n  mutation Promote($id: ID!, $environment: String!) {\n    promoteDeployment(input: { deploymentId: $id, environment: $environment }) { deployment { id } userErrors { message } }\n  }\n": types.PromoteDocument,
    "\n  mutation Redeploy($input: TriggerDeploymentInput!) {\n    triggerDeployment(input: $input) { deployment { id } userErrors { message } }\n  }\n": types.RedeployDocument,
    "mutation Approve($id: ID!, $reason: String) { approveDeployment(input: { deploymentId: $id, reason: $reason }) { userErrors { message } } }": types.ApproveDocument,
    "mutation Reject($id: ID!, $reason: String) { rejectDeployment(input: { deploymentId: $id, reason: $reason }) { userErrors { message } } }": types.RejectDocument,
    "\n  query Deployments($slug: String!, $after: String, $environment: String) {\n    project(slug: $slug) {\n      id\n      deployments(first: 50, after: $after, environment: $environment) {\n        totalCount\n        pageInfo { hasNextPage endCursor }\n        nodes { id number status trigger commitSha createdAt changedAt rollbackAvailable failure { code } approval { state } environment { id name } }\n      }\n    }\n  }\n": types.DeploymentsDocument,
    "mutation AddDomain($input: AddDomainInput!) { addDomain(input: $input) { domain { id } userErrors { message } } }": types.AddDomainDocument,
    "mutation VerifyDomain($id: ID!) { verifyDomain(input: { domainId: $id }) { domain { id state } userErrors { message } } }": types.VerifyDomainDocument,
    "mutation RemoveDomain($id: ID!) { removeDomain(input: { domainId: $id }) { removed userErrors { message } } }": types.RemoveDomainDocument,
    "\n  query Jobs($state: JobState, $after: ID) {\n    jobs(state: $state, first: 50, after: $after) {\n      pageInfo { hasNextPage endCursor }\n      nodes { id kind queue state attempts maxAttempts waitsFor lastError createdAt runAt finishedAt }\n    }\n  }\n": types.JobsDocument,
    "mutation RetryJob($id: ID!) { retryJob(input: { jobId: $id }) { job { id state } userErrors { message } } }": types.RetryJobDocument,
    "mutation DiscardJob($id: ID!) { discardJob(input: { jobId: $id }) { job { id state } userErrors { message } } }": types.DiscardJobDocument,
    "query Keys { me { user { id } permissions apiKeys { id name prefix scopes expiresAt revokedAt createdAt } } }": types.KeysDocument,
    "mutation CreateKey($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret userErrors { message } } }": types.CreateKeyDocument,
    "mutation RevokeKey($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) { done userErrors { message } } }": types.RevokeKeyDocument,
    "\n  query Members {\n    members { user { id name email } role customRoleId permissions grants { id } }\n    roles { id name permissions }\n    invitations { id user { email } role expiresAt }\n  }\n": types.MembersDocument,
    "mutation AddMember($input: AddMemberInput!) { addMember(input: $input) { signInPath invitationId userErrors { message } } }": types.AddMemberDocument,
    "mutation SetRole($input: SetMemberRoleInput!) { setMemberRole(input: $input) { done userErrors { message } } }": types.SetRoleDocument,
    "mutation RemoveMember($id: ID!) { removeMember(input: { userId: $id }) { done userErrors { message } } }": types.RemoveMemberDocument,
    "mutation RevokeInvitation($id: ID!) { revokeInvitation(input: { invitationId: $id }) { done userErrors { message } } }": types.RevokeInvitationDocument,
    "mutation CreateProject($input: CreateProjectInput!) { createProject(input: $input) { project { id slug } userErrors { message field } } }": types.CreateProjectDocument,
    "query Places { cloudAccounts { id cloud name region state simulated } clouds { name regions { neutral } } }": types.PlacesDocument,
    "\n  mutation Deploy($input: TriggerDeploymentInput!) {\n    triggerDeployment(input: $input) { deployment { id } userErrors { message } }\n  }\n": types.DeployDocument,
    "\n  query Project($slug: String!) {\n    project(slug: $slug) {\n      id\n      slug\n      repository\n      reference\n      deleting\n      createdAt\n      environments {\n        id\n        name\n        url\n        protected\n        deleting\n        place { cloud region account simulated detail }\n        liveDeployment { id number status kind commitSha changedAt }\n      }\n      previews { id number title url environment isFork expiresAt }\n      deployments(first: 20) {\n        totalCount\n        nodes {\n          id\n          number\n          status\n          trigger\n          commitSha\n          createdAt\n          changedAt\n          rollbackAvailable\n          failure { code }\n          approval { state }\n          environment { id name }\n          events(first: 100) { projectNumber }\n        }\n      }\n      domains { id name unicodeName environment url state problem checkedAt certificate { state notAfter problem } records { type name value } }\n    }\n  }\n": types.ProjectDocument,
    "\n  query Projects($after: String) {\n    projects(first: 50, after: $after) {\n      totalCount\n      pageInfo { hasNextPage endCursor }\n      nodes {\n        id\n        slug\n        deleting\n        createdAt\n        environment { name url place { cloud region simulated } }\n        deployments(first: 1) {\n          nodes {\n            id\n            number\n            status\n            changedAt\n            commitSha\n            failure { code }\n            approval { state }\n            environment { name }\n            events(first: 100) { projectNumber }\n          }\n        }\n      }\n    }\n  }\n": types.ProjectsDocument,
    "\n  query Schedules($project: ID!) {\n    schedules(projectId: $project) { id name environment cron timeZone path missed enabled nextDueAt runs(first: 14) { dueAt state outcome } }\n  }\n": types.SchedulesDocument,
    "mutation CreateSchedule($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id } userErrors { message } } }": types.CreateScheduleDocument,
    "mutation EnableSchedule($id: ID!, $enabled: Boolean!) { enableSchedule(input: { scheduleId: $id, enabled: $enabled }) { userErrors { message } } }": types.EnableScheduleDocument,
    "mutation DeleteSchedule($id: ID!) { deleteSchedule(input: { scheduleId: $id }) { deleted userErrors { message } } }": types.DeleteScheduleDocument,
    "mutation UpdateProject($input: UpdateProjectInput!) { updateProject(input: $input) { project { id slug } userErrors { message } } }": types.UpdateProjectDocument,
    "mutation DeleteProject($id: ID!) { deleteProject(input: { projectId: $id }) { project { id } userErrors { message } } }": types.DeleteProjectDocument,
    "mutation Protect($input: ProtectEnvironmentInput!) { protectEnvironment(input: $input) { userErrors { message } } }": types.ProtectDocument,
    "query Resources($slug: String!) { project(slug: $slug) { id resources { cloud kind externalId } } }": types.ResourcesDocument,
    "\n  query Variables($slug: String!, $environment: String!) {\n    project(slug: $slug) { id environment(name: $environment) { id variables { name createdAt } } }\n  }\n": types.VariablesDocument,
    "mutation SetVariables($input: SetEnvironmentVariableInput!) { setEnvironmentVariable(input: $input) { names userErrors { message } } }": types.SetVariablesDocument,
    "mutation UnsetVariable($input: UnsetEnvironmentVariableInput!) { unsetEnvironmentVariable(input: $input) { names userErrors { message } } }": types.UnsetVariableDocument,
    "\n  subscription ProjectEvents($projectId: ID!, $after: Int!) {\n    projectEvents(projectId: $projectId, after: $after) { projectNumber deploymentId status }\n  }\n": types.ProjectEventsDocument,
    "\n  subscription DeploymentEvents($deploymentId: ID!, $after: Int!) {\n    deploymentEvents(deploymentId: $deploymentId, after: $after) { number status message at }\n  }\n": types.DeploymentEventsDocument,
    "\n  subscription DeploymentLogs($deploymentId: ID!, $after: Int!) {\n    deploymentLogs(deploymentId: $deploymentId, after: $after) { number stream text at }\n  }\n": types.DeploymentLogsDocument,
    "query Slugs { projects(first: 50) { nodes { id slug } } }": types.SlugsDocument,
    "\n  query Counts {\n    approvals { state }\n    alerts(first: 50) { nodes { id resolvedAt } }\n  }\n": types.CountsDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 *
 *
 * @example
 * ```ts
 * const query = graphql(`query GetUser($id: ID!) { user(id: $id) { name } }`);
 * ```
 *
 * The query argument is unknown!
 * Please regenerate the types.
 */
export function graphql(source: string): unknown;

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Viewer {\n    me {\n      user { id name email }\n      team { id name }\n      teams { id name }\n      permissions\n      grants { permissions projectId environmentId }\n    }\n  }\n"): (typeof documents)["\n  query Viewer {\n    me {\n      user { id name email }\n      team { id name }\n      teams { id name }\n      permissions\n      grants { permissions projectId environmentId }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Alerts { alerts(first: 100) { nodes { id kind subject message raisedAt resolvedAt } } }"): (typeof documents)["query Alerts { alerts(first: 100) { nodes { id kind subject message raisedAt resolvedAt } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Approvals {\n    approvals { state requestedBy requestedAt expiresAt deployment { id number commitSha project { slug } environment { name } } }\n    members { user { id name } }\n  }\n"): (typeof documents)["\n  query Approvals {\n    approvals { state requestedBy requestedAt expiresAt deployment { id number commitSha project { slug } environment { name } } }\n    members { user { id name } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Audit($filter: AuditFilter, $after: ID) {\n    auditLog(filter: $filter, first: 50, after: $after) {\n      pageInfo { hasNextPage endCursor }\n      nodes { sequence at action outcome address actor { name } target { kind name id } before after }\n    }\n  }\n"): (typeof documents)["\n  query Audit($filter: AuditFilter, $after: ID) {\n    auditLog(filter: $filter, first: 50, after: $after) {\n      pageInfo { hasNextPage endCursor }\n      nodes { sequence at action outcome address actor { name } target { kind name id } before after }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Clouds {\n    cloudAccounts {\n      id cloud name identity region isDefault state problem principal simulated verifiedAt\n      checks { permission outcome remedy }\n      bases { name region state problem }\n    }\n    clouds { name title regions { neutral } capabilities { name switch ownAddress idle { item per } proven { group cases against day } } }\n  }\n"): (typeof documents)["\n  query Clouds {\n    cloudAccounts {\n      id cloud name identity region isDefault state problem principal simulated verifiedAt\n      checks { permission outcome remedy }\n      bases { name region state problem }\n    }\n    clouds { name title regions { neutral } capabilities { name switch ownAddress idle { item per } proven { group cases against day } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation Disconnect($id: ID!) { disconnectCloudAccount(input: { id: $id }) { disconnected userErrors { message } } }"): (typeof documents)["mutation Disconnect($id: ID!) { disconnectCloudAccount(input: { id: $id }) { disconnected userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation MakeDefault($id: ID!) { updateCloudAccount(input: { id: $id, makeDefault: true }) { account { id } userErrors { message } } }"): (typeof documents)["mutation MakeDefault($id: ID!) { updateCloudAccount(input: { id: $id, makeDefault: true }) { account { id } userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation VerifyAccount($id: ID!) { verifyCloudAccount(input: { id: $id }) { account { id } userErrors { message } } }"): (typeof documents)["mutation VerifyAccount($id: ID!) { verifyCloudAccount(input: { id: $id }) { account { id } userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ConnectCloud($input: ConnectCloudAccountInput!) { connectCloudAccount(input: $input) { account { id } userErrors { message field } } }"): (typeof documents)["mutation ConnectCloud($input: ConnectCloudAccountInput!) { connectCloudAccount(input: $input) { account { id } userErrors { message field } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Deployment($id: ID!) {\n    deployment(id: $id) {\n      id\n      number\n      status\n      trigger\n      kind\n      commitSha\n      url\n      createdAt\n      changedAt\n      rollbackAvailable\n      artifactDigest\n      artifactRemovedAt\n      buildsBefore\n      logCount\n      source { kind repository reference directory }\n      failure { code message }\n      approval { state requestedBy requestedAt expiresAt reason }\n      place { cloud region account simulated detail }\n      project { id slug environments { id name } }\n      environment { id name url protected liveDeployment { id } }\n      events(first: 100) { number status message at }\n    }\n  }\n"): (typeof documents)["\n  query Deployment($id: ID!) {\n    deployment(id: $id) {\n      id\n      number\n      status\n      trigger\n      kind\n      commitSha\n      url\n      createdAt\n      changedAt\n      rollbackAvailable\n      artifactDigest\n      artifactRemovedAt\n      buildsBefore\n      logCount\n      source { kind repository reference directory }\n      failure { code message }\n      approval { state requestedBy requestedAt expiresAt reason }\n      place { cloud region account simulated detail }\n      project { id slug environments { id name } }\n      environment { id name url protected liveDeployment { id } }\n      events(first: 100) { number status message at }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation Cancel($id: ID!) { cancelDeployment(input: { deploymentId: $id }) { userErrors { message } } }"): (typeof documents)["mutation Cancel($id: ID!) { cancelDeployment(input: { deploymentId: $id }) { userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RollBack($project: ID!, $environment: String!, $id: ID!) {\n    rollbackDeployment(input: { projectId: $project, environment: $environment, toDeploymentId: $id }) { deployment { id } userErrors { message } }\n  }\n"): (typeof documents)["\n  mutation RollBack($project: ID!, $environment: String!, $id: ID!) {\n    rollbackDeployment(input: { projectId: $project, environment: $environment, toDeploymentId: $id }) { deployment { id } userErrors { message } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Promote($id: ID!, $environment: String!) {\n    promoteDeployment(input: { deploymentId: $id, environment: $environment }) { deployment { id } userErrors { message } }\n  }\n"): (typeof documents)["\n  mutation Promote($id: ID!, $environment: String!) {\n    promoteDeployment(input: { deploymentId: $id, environment: $environment }) { deployment { id } userErrors { message } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Redeploy($input: TriggerDeploymentInput!) {\n    triggerDeployment(input: $input) { deployment { id } userErrors { message } }\n  }\n"): (typeof documents)["\n  mutation Redeploy($input: TriggerDeploymentInput!) {\n    triggerDeployment(input: $input) { deployment { id } userErrors { message } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation Approve($id: ID!, $reason: String) { approveDeployment(input: { deploymentId: $id, reason: $reason }) { userErrors { message } } }"): (typeof documents)["mutation Approve($id: ID!, $reason: String) { approveDeployment(input: { deploymentId: $id, reason: $reason }) { userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation Reject($id: ID!, $reason: String) { rejectDeployment(input: { deploymentId: $id, reason: $reason }) { userErrors { message } } }"): (typeof documents)["mutation Reject($id: ID!, $reason: String) { rejectDeployment(input: { deploymentId: $id, reason: $reason }) { userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Deployments($slug: String!, $after: String, $environment: String) {\n    project(slug: $slug) {\n      id\n      deployments(first: 50, after: $after, environment: $environment) {\n        totalCount\n        pageInfo { hasNextPage endCursor }\n        nodes { id number status trigger commitSha createdAt changedAt rollbackAvailable failure { code } approval { state } environment { id name } }\n      }\n    }\n  }\n"): (typeof documents)["\n  query Deployments($slug: String!, $after: String, $environment: String) {\n    project(slug: $slug) {\n      id\n      deployments(first: 50, after: $after, environment: $environment) {\n        totalCount\n        pageInfo { hasNextPage endCursor }\n        nodes { id number status trigger commitSha createdAt changedAt rollbackAvailable failure { code } approval { state } environment { id name } }\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation AddDomain($input: AddDomainInput!) { addDomain(input: $input) { domain { id } userErrors { message } } }"): (typeof documents)["mutation AddDomain($input: AddDomainInput!) { addDomain(input: $input) { domain { id } userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation VerifyDomain($id: ID!) { verifyDomain(input: { domainId: $id }) { domain { id state } userErrors { message } } }"): (typeof documents)["mutation VerifyDomain($id: ID!) { verifyDomain(input: { domainId: $id }) { domain { id state } userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RemoveDomain($id: ID!) { removeDomain(input: { domainId: $id }) { removed userErrors { message } } }"): (typeof documents)["mutation RemoveDomain($id: ID!) { removeDomain(input: { domainId: $id }) { removed userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Jobs($state: JobState, $after: ID) {\n    jobs(state: $state, first: 50, after: $after) {\n      pageInfo { hasNextPage endCursor }\n      nodes { id kind queue state attempts maxAttempts waitsFor lastError createdAt runAt finishedAt }\n    }\n  }\n"): (typeof documents)["\n  query Jobs($state: JobState, $after: ID) {\n    jobs(state: $state, first: 50, after: $after) {\n      pageInfo { hasNextPage endCursor }\n      nodes { id kind queue state attempts maxAttempts waitsFor lastError createdAt runAt finishedAt }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RetryJob($id: ID!) { retryJob(input: { jobId: $id }) { job { id state } userErrors { message } } }"): (typeof documents)["mutation RetryJob($id: ID!) { retryJob(input: { jobId: $id }) { job { id state } userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation DiscardJob($id: ID!) { discardJob(input: { jobId: $id }) { job { id state } userErrors { message } } }"): (typeof documents)["mutation DiscardJob($id: ID!) { discardJob(input: { jobId: $id }) { job { id state } userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Keys { me { user { id } permissions apiKeys { id name prefix scopes expiresAt revokedAt createdAt } } }"): (typeof documents)["query Keys { me { user { id } permissions apiKeys { id name prefix scopes expiresAt revokedAt createdAt } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation CreateKey($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret userErrors { message } } }"): (typeof documents)["mutation CreateKey($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RevokeKey($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) { done userErrors { message } } }"): (typeof documents)["mutation RevokeKey($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) { done userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Members {\n    members { user { id name email } role customRoleId permissions grants { id } }\n    roles { id name permissions }\n    invitations { id user { email } role expiresAt }\n  }\n"): (typeof documents)["\n  query Members {\n    members { user { id name email } role customRoleId permissions grants { id } }\n    roles { id name permissions }\n    invitations { id user { email } role expiresAt }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation AddMember($input: AddMemberInput!) { addMember(input: $input) { signInPath invitationId userErrors { message } } }"): (typeof documents)["mutation AddMember($input: AddMemberInput!) { addMember(input: $input) { signInPath invitationId userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation SetRole($input: SetMemberRoleInput!) { setMemberRole(input: $input) { done userErrors { message } } }"): (typeof documents)["mutation SetRole($input: SetMemberRoleInput!) { setMemberRole(input: $input) { done userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RemoveMember($id: ID!) { removeMember(input: { userId: $id }) { done userErrors { message } } }"): (typeof documents)["mutation RemoveMember($id: ID!) { removeMember(input: { userId: $id }) { done userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation RevokeInvitation($id: ID!) { revokeInvitation(input: { invitationId: $id }) { done userErrors { message } } }"): (typeof documents)["mutation RevokeInvitation($id: ID!) { revokeInvitation(input: { invitationId: $id }) { done userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation CreateProject($input: CreateProjectInput!) { createProject(input: $input) { project { id slug } userErrors { message field } } }"): (typeof documents)["mutation CreateProject($input: CreateProjectInput!) { createProject(input: $input) { project { id slug } userErrors { message field } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Places { cloudAccounts { id cloud name region state simulated } clouds { name regions { neutral } } }"): (typeof documents)["query Places { cloudAccounts { id cloud name region state simulated } clouds { name regions { neutral } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Deploy($input: TriggerDeploymentInput!) {\n    triggerDeployment(input: $input) { deployment { id } userErrors { message } }\n  }\n"): (typeof documents)["\n  mutation Deploy($input: TriggerDeploymentInput!) {\n    triggerDeployment(input: $input) { deployment { id } userErrors { message } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Project($slug: String!) {\n    project(slug: $slug) {\n      id\n      slug\n      repository\n      reference\n      deleting\n      createdAt\n      environments {\n        id\n        name\n        url\n        protected\n        deleting\n        place { cloud region account simulated detail }\n        liveDeployment { id number status kind commitSha changedAt }\n      }\n      previews { id number title url environment isFork expiresAt }\n      deployments(first: 20) {\n        totalCount\n        nodes {\n          id\n          number\n          status\n          trigger\n          commitSha\n          createdAt\n          changedAt\n          rollbackAvailable\n          failure { code }\n          approval { state }\n          environment { id name }\n          events(first: 100) { projectNumber }\n        }\n      }\n      domains { id name unicodeName environment url state problem checkedAt certificate { state notAfter problem } records { type name value } }\n    }\n  }\n"): (typeof documents)["\n  query Project($slug: String!) {\n    project(slug: $slug) {\n      id\n      slug\n      repository\n      reference\n      deleting\n      createdAt\n      environments {\n        id\n        name\n        url\n        protected\n        deleting\n        place { cloud region account simulated detail }\n        liveDeployment { id number status kind commitSha changedAt }\n      }\n      previews { id number title url environment isFork expiresAt }\n      deployments(first: 20) {\n        totalCount\n        nodes {\n          id\n          number\n          status\n          trigger\n          commitSha\n          createdAt\n          changedAt\n          rollbackAvailable\n          failure { code }\n          approval { state }\n          environment { id name }\n          events(first: 100) { projectNumber }\n        }\n      }\n      domains { id name unicodeName environment url state problem checkedAt certificate { state notAfter problem } records { type name value } }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Projects($after: String) {\n    projects(first: 50, after: $after) {\n      totalCount\n      pageInfo { hasNextPage endCursor }\n      nodes {\n        id\n        slug\n        deleting\n        createdAt\n        environment { name url place { cloud region simulated } }\n        deployments(first: 1) {\n          nodes {\n            id\n            number\n            status\n            changedAt\n            commitSha\n            failure { code }\n            approval { state }\n            environment { name }\n            events(first: 100) { projectNumber }\n          }\n        }\n      }\n    }\n  }\n"): (typeof documents)["\n  query Projects($after: String) {\n    projects(first: 50, after: $after) {\n      totalCount\n      pageInfo { hasNextPage endCursor }\n      nodes {\n        id\n        slug\n        deleting\n        createdAt\n        environment { name url place { cloud region simulated } }\n        deployments(first: 1) {\n          nodes {\n            id\n            number\n            status\n            changedAt\n            commitSha\n            failure { code }\n            approval { state }\n            environment { name }\n            events(first: 100) { projectNumber }\n          }\n        }\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Schedules($project: ID!) {\n    schedules(projectId: $project) { id name environment cron timeZone path missed enabled nextDueAt runs(first: 14) { dueAt state outcome } }\n  }\n"): (typeof documents)["\n  query Schedules($project: ID!) {\n    schedules(projectId: $project) { id name environment cron timeZone path missed enabled nextDueAt runs(first: 14) { dueAt state outcome } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation CreateSchedule($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id } userErrors { message } } }"): (typeof documents)["mutation CreateSchedule($input: CreateScheduleInput!) { createSchedule(input: $input) { schedule { id } userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation EnableSchedule($id: ID!, $enabled: Boolean!) { enableSchedule(input: { scheduleId: $id, enabled: $enabled }) { userErrors { message } } }"): (typeof documents)["mutation EnableSchedule($id: ID!, $enabled: Boolean!) { enableSchedule(input: { scheduleId: $id, enabled: $enabled }) { userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation DeleteSchedule($id: ID!) { deleteSchedule(input: { scheduleId: $id }) { deleted userErrors { message } } }"): (typeof documents)["mutation DeleteSchedule($id: ID!) { deleteSchedule(input: { scheduleId: $id }) { deleted userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation UpdateProject($input: UpdateProjectInput!) { updateProject(input: $input) { project { id slug } userErrors { message } } }"): (typeof documents)["mutation UpdateProject($input: UpdateProjectInput!) { updateProject(input: $input) { project { id slug } userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation DeleteProject($id: ID!) { deleteProject(input: { projectId: $id }) { project { id } userErrors { message } } }"): (typeof documents)["mutation DeleteProject($id: ID!) { deleteProject(input: { projectId: $id }) { project { id } userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation Protect($input: ProtectEnvironmentInput!) { protectEnvironment(input: $input) { userErrors { message } } }"): (typeof documents)["mutation Protect($input: ProtectEnvironmentInput!) { protectEnvironment(input: $input) { userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Resources($slug: String!) { project(slug: $slug) { id resources { cloud kind externalId } } }"): (typeof documents)["query Resources($slug: String!) { project(slug: $slug) { id resources { cloud kind externalId } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Variables($slug: String!, $environment: String!) {\n    project(slug: $slug) { id environment(name: $environment) { id variables { name createdAt } } }\n  }\n"): (typeof documents)["\n  query Variables($slug: String!, $environment: String!) {\n    project(slug: $slug) { id environment(name: $environment) { id variables { name createdAt } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation SetVariables($input: SetEnvironmentVariableInput!) { setEnvironmentVariable(input: $input) { names userErrors { message } } }"): (typeof documents)["mutation SetVariables($input: SetEnvironmentVariableInput!) { setEnvironmentVariable(input: $input) { names userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation UnsetVariable($input: UnsetEnvironmentVariableInput!) { unsetEnvironmentVariable(input: $input) { names userErrors { message } } }"): (typeof documents)["mutation UnsetVariable($input: UnsetEnvironmentVariableInput!) { unsetEnvironmentVariable(input: $input) { names userErrors { message } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription ProjectEvents($projectId: ID!, $after: Int!) {\n    projectEvents(projectId: $projectId, after: $after) { projectNumber deploymentId status }\n  }\n"): (typeof documents)["\n  subscription ProjectEvents($projectId: ID!, $after: Int!) {\n    projectEvents(projectId: $projectId, after: $after) { projectNumber deploymentId status }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription DeploymentEvents($deploymentId: ID!, $after: Int!) {\n    deploymentEvents(deploymentId: $deploymentId, after: $after) { number status message at }\n  }\n"): (typeof documents)["\n  subscription DeploymentEvents($deploymentId: ID!, $after: Int!) {\n    deploymentEvents(deploymentId: $deploymentId, after: $after) { number status message at }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription DeploymentLogs($deploymentId: ID!, $after: Int!) {\n    deploymentLogs(deploymentId: $deploymentId, after: $after) { number stream text at }\n  }\n"): (typeof documents)["\n  subscription DeploymentLogs($deploymentId: ID!, $after: Int!) {\n    deploymentLogs(deploymentId: $deploymentId, after: $after) { number stream text at }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Slugs { projects(first: 50) { nodes { id slug } } }"): (typeof documents)["query Slugs { projects(first: 50) { nodes { id slug } } }"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Counts {\n    approvals { state }\n    alerts(first: 50) { nodes { id resolvedAt } }\n  }\n"): (typeof documents)["\n  query Counts {\n    approvals { state }\n    alerts(first: 50) { nodes { id resolvedAt } }\n  }\n"];

export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}

export type DocumentType<TDocumentNode extends DocumentNode<any, any>> = TDocumentNode extends DocumentNode<  infer TType,  any>  ? TType  : never;