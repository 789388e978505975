//! The permission that each operation takes, and its target.

use domain::access::Permission::{
    self, ApiKeyWrite, AuditRead, CloudRead, CloudWrite, DeploymentApprove, DeploymentWrite, JobWrite, MemberRead, MemberWrite,
    ProjectDelete, ProjectRead, ProjectWrite, VariableRead, VariableWrite,
};

/// Target of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// Oneself: whoever is signed in may.
    Oneself,
    /// One's own account: whoever is in a session may, and no API key.
    Account,
    /// The team as a whole.
    Team,
    /// Something of the team's that belongs to no project, by its id.
    TeamItem,
    /// A project, an environment or something of one, by its id.
    Part,
    /// Whatever there is that one may see.
    Visible,
    /// The installation, which one of its users runs.
    Installation,
}

/// An operation.
pub struct Operation {
    /// Kind and field; fields within nodes after a slash.
    pub name: &'static str,
    /// Permission that it takes.
    pub permission: Option<Permission>,
    /// Target of it.
    pub on: On,
    /// A document that tries it; what stands in angle brackets is filled in.
    pub document: &'static str,
}

const fn operation(name: &'static str, permission: Permission, on: On, document: &'static str) -> Operation {
    Operation { name, permission: Some(permission), on, document }
}

const fn account(name: &'static str, document: &'static str) -> Operation {
    Operation { name, permission: None, on: On::Account, document }
}

/// Every operation. The owner goes through them in this order, so those that take things away stand last.
#[rustfmt::skip]
pub const OPERATIONS: [Operation; 106] = [
    Operation { name: "query.me", permission: None, on: On::Oneself, document: "{ me { role permissions } }" },
    Operation { name: "query.me/teams", permission: None, on: On::Oneself, document: "{ me { teams { id name } } }" },
    operation("query.teams", MemberRead, On::Installation, "{ teams { nodes { id name } } }"),
    account("query.me/account", "{ me { account { sessions { current } securityEvents { kind } secondFactor { enabled } identities { email } } } }"),
    operation("query.invitations", MemberRead, On::Team, "{ invitations { id user { email } role } }"),
    operation("query.me/apiKeys", ApiKeyWrite, On::Team, "{ me { apiKeys { name } } }"),
    operation("query.storage", ProjectRead, On::Team, "{ storage { artifacts artifactBytes logArchiveBytes } }"),
    operation("query.members", MemberRead, On::Team, "{ members { user { email } role } }"),
    operation("query.roles", MemberRead, On::Team, "{ roles { id name permissions } }"),
    operation("query.approvals", ProjectRead, On::Visible, "{ approvals { state requestedBy deployment { id project { slug } } }}"),
    operation("query.projects", ProjectRead, On::Visible, "{ projects { nodes { id slug repository } totalCount } }"),
    operation("query.project", ProjectRead, On::Part, "{ project(id: \"<project>\") { id slug repository } }"),
    operation("query.project/bySlug", ProjectRead, On::Part, "{ project(slug: \"<slug>\") { id repository } }"),
    operation("query.project/environment/variables", VariableRead, On::Part, "{ project(id: \"<project>\") { environment { variables { name } } } }"),
    operation("query.deployment", ProjectRead, On::Part, "{ deployment(id: \"<deployment>\") { id project { slug } approval { state } events { message } logs { text } } }"),
    operation("query.jobs", ProjectRead, On::Team, "{ jobs { edges { node { id queue } } } }"),
    operation("query.job", ProjectRead, On::TeamItem, "{ job(id: \"<job>\") { id queue } }"),
    operation("query.queues", JobWrite, On::Installation, "{ queues { name } }"),
    operation("query.project/git", ProjectRead, On::Part, "{ project(id: \"<project>\") { slug gitConnection { repository deliveries { nodes { event } } } previews { title } } }"),
    operation("query.project/domains", ProjectRead, On::Part, "{ project(id: \"<project>\") { slug domains { id name } } }"),
    operation("query.domain", ProjectRead, On::Part, "{ domain(id: \"<domain>\") { id name records { value } } }"),
    operation("query.gitInstallations", ProjectWrite, On::Installation, "{ gitInstallations { id account } }"),
    operation("query.schedules", ProjectRead, On::Part, "{ schedules(projectId: \"<project>\") { id name runs { state } } }"),
    operation("query.alerts", ProjectRead, On::Team, "{ alerts { edges { node { id message } } } }"),
    operation("query.notificationChannels", ProjectWrite, On::Visible, "{ notificationChannels { id name address } }"),
    operation("query.notificationChannels/project", ProjectWrite, On::Part, "{ notificationChannels(projectId: \"<project>\") { id name } }"),
    operation("query.notificationChannel", ProjectWrite, On::Part, "{ notificationChannel(id: \"<channel>\") { id name deliveries { nodes { id attempts { error } } } } }"),
    operation("query.notificationDelivery", ProjectWrite, On::Part, "{ notificationDelivery(id: \"<message>\") { id data attempts { error } } }"),
    operation("query.notificationPreview", ProjectWrite, On::Visible, "{ notificationPreview(event: \"ping\") { title } }"),
    Operation { name: "query.clouds", permission: None, on: On::Oneself, document: "{ clouds { name regions { neutral vendor } } }" },
    operation("query.cloudAccounts", CloudRead, On::Team, "{ cloudAccounts { id name bases { name } resources { kind name } } }"),
    operation("query.cloudAccount", CloudRead, On::TeamItem, "{ cloudAccount(id: \"<cloudAccount>\") { id name identity } }"),
    operation("query.auditLog", AuditRead, On::Team, "{ auditLog { nodes { action actor { email } target { id name } after } } }"),
    operation("query.auditKeys", AuditRead, On::Team, "{ auditKeys { publicKey } }"),
    operation("query.auditExport", AuditRead, On::Team, "{ auditExport(format: JSON_LINES, after: 0, to: 0) { lines } }"),
    operation("subscription.deploymentEvents", ProjectRead, On::Part, "subscription { deploymentEvents(deploymentId: \"<deployment>\") { number message } }"),
    operation("subscription.deploymentLogs", ProjectRead, On::Part, "subscription { deploymentLogs(deploymentId: \"<deployment>\") { number text } }"),
    operation("subscription.projectEvents", ProjectRead, On::Part, "subscription { projectEvents(projectId: \"<project>\") { projectNumber message } }"),
    operation("mutation.createProject", ProjectWrite, On::Team, "mutation { createProject(input: {name: \"<new>\"}) { project { id } userErrors { code } } }"),
    operation("mutation.updateProject", ProjectWrite, On::Part, "mutation { updateProject(input: {projectId: \"<project>\", reference: \"main\"}) { project { slug } userErrors { code } } }"),
    operation("mutation.connectRepository", ProjectWrite, On::Part, "mutation { connectRepository(input: {projectId: \"<project>\", host: GITHUB, repository: \"octo/shop\"}) { connection { repository } userErrors { code } } }"),
    operation("mutation.updateGitConnection", ProjectWrite, On::Part, "mutation { updateGitConnection(input: {projectId: \"<project>\", previews: false}) { connection { previews } userErrors { code } } }"),
    operation("mutation.disconnectRepository", ProjectWrite, On::Part, "mutation { disconnectRepository(input: {projectId: \"<project>\"}) { disconnected userErrors { code } } }"),
    operation("mutation.assignGitInstallation", ProjectWrite, On::Installation, "mutation { assignGitInstallation(input: {installationId: \"1\", assigned: true}) { installation { account } userErrors { code } } }"),
    operation("mutation.addDomain", ProjectWrite, On::Part, "mutation { addDomain(input: {projectId: \"<project>\", environment: \"guarded\", name: \"<new>.example\"}) { domain { id name } userErrors { code } } }"),
    operation("mutation.verifyDomain", ProjectWrite, On::Part, "mutation { verifyDomain(input: {domainId: \"<domain>\"}) { domain { name } userErrors { code } } }"),
    operation("mutation.updateDomain", ProjectWrite, On::Part, "mutation { updateDomain(input: {domainId: \"<domain>\", environment: \"guarded\"}) { domain { name } userErrors { code } } }"),
    operation("mutation.setEnvironmentVariable", VariableWrite, On::Part, "mutation { setEnvironmentVariable(input: {projectId: \"<project>\", environment: \"guarded\", variables: [{name: \"KEPT\", value: \"b\"}]}) { names userErrors { code } } }"),
    operation("mutation.unsetEnvironmentVariable", VariableWrite, On::Part, "mutation { unsetEnvironmentVariable(input: {projectId: \"<project>\", environment: \"guarded\", name: \"KEPT\"}) { names userErrors { code } } }"),
    operation("mutation.approveDeployment", DeploymentApprove, On::Part, "mutation { approveDeployment(input: {deploymentId: \"<deployment>\"}) { deployment { id } userErrors { code } } }"),
    operation("mutation.rejectDeployment", DeploymentApprove, On::Part, "mutation { rejectDeployment(input: {deploymentId: \"<deployment>\"}) { deployment { id } userErrors { code } } }"),
    operation("mutation.protectEnvironment", MemberWrite, On::Part, "mutation { protectEnvironment(input: {projectId: \"<project>\", environment: \"guarded\", protected: true}) { environment { name } userErrors { code } } }"),
    operation("mutation.triggerDeployment", DeploymentWrite, On::Part, "mutation { triggerDeployment(input: {projectId: \"<project>\", environment: \"guarded\", repository: \"http://127.0.0.1:9/x\"}) { deployment { id } userErrors { code } } }"),
    operation("mutation.triggerDeployment/newEnvironment", DeploymentWrite, On::Part, "mutation { triggerDeployment(input: {projectId: \"<project>\", environment: \"fresh\", upload: \"none\"}) { deployment { id } userErrors { code } } }"),
    operation("mutation.promoteDeployment", DeploymentWrite, On::Part, "mutation { promoteDeployment(input: {deploymentId: \"<deployment>\", environment: \"guarded\"}) { deployment { id } userErrors { code } } }"),
    operation("mutation.rollbackDeployment", DeploymentWrite, On::Part, "mutation { rollbackDeployment(input: {projectId: \"<project>\"}) { deployment { id } userErrors { code } } }"),
    operation("mutation.cancelDeployment", DeploymentWrite, On::Part, "mutation { cancelDeployment(input: {deploymentId: \"<deployment>\"}) { deployment { id } userErrors { code } } }"),
    operation("mutation.createSchedule", ProjectWrite, On::Part, "mutation { createSchedule(input: {projectId: \"<project>\", name: \"<new>\", cron: \"0 3 1 1 *\", path: \"/\"}) { schedule { id } userErrors { code } } }"),
    operation("mutation.createSchedule/deploy", DeploymentWrite, On::Part, "mutation { createSchedule(input: {projectId: \"<project>\", name: \"deploy\", cron: \"0 3 1 1 *\"}) { schedule { id } userErrors { code } } }"),
    operation("mutation.enableSchedule", ProjectWrite, On::Part, "mutation { enableSchedule(input: {scheduleId: \"<schedule>\", enabled: false}) { schedule { name } userErrors { code } } }"),
    operation("mutation.createNotificationChannel", ProjectWrite, On::Team, "mutation { createNotificationChannel(input: {kind: EMAIL, name: \"<new>\", addresses: [\"owner@localhost\"]}) { channel { name } userErrors { code } } }"),
    operation("mutation.createNotificationChannel/project", ProjectWrite, On::Part, "mutation { createNotificationChannel(input: {kind: SLACK, name: \"<new>\", projectId: \"<project>\", url: \"http://127.0.0.1:9/\"}) { channel { name } userErrors { code } } }"),
    operation("mutation.updateNotificationChannel", ProjectWrite, On::Part, "mutation { updateNotificationChannel(input: {channelId: \"<channel>\", events: [\"alert.raised\"]}) { channel { id } userErrors { code } } }"),
    operation("mutation.rotateNotificationSecret", ProjectWrite, On::Part, "mutation { rotateNotificationSecret(input: {channelId: \"<channel>\"}) { secret userErrors { code } } }"),
    operation("mutation.testNotificationChannel", ProjectWrite, On::Part, "mutation { testNotificationChannel(input: {channelId: \"<channel>\"}) { deliveries { id } userErrors { code } } }"),
    operation("mutation.replayNotifications", ProjectWrite, On::Part, "mutation { replayNotifications(input: {deliveryId: \"<message>\"}) { count userErrors { code } } }"),
    operation("mutation.replayNotifications/channel", ProjectWrite, On::Part, "mutation { replayNotifications(input: {channelId: \"<channel>\", since: \"2020-01-01T00:00:00Z\"}) { count userErrors { code } } }"),
    operation("mutation.enableNotificationChannel", ProjectWrite, On::Part, "mutation { enableNotificationChannel(input: {channelId: \"<channel>\", enabled: false}) { channel { id } userErrors { code } } }"),
    operation("mutation.connectCloudAccount", CloudWrite, On::Team, "mutation { connectCloudAccount(input: {cloud: \"gcp\", name: \"<new>\", identity: \"acme\", credential: {gcp: {serviceAccountKey: \"{}\"}}}) { account { id } userErrors { code } } }"),
    operation("mutation.updateCloudAccount", CloudWrite, On::TeamItem, "mutation { updateCloudAccount(input: {id: \"<cloudAccount>\", region: \"eu-west\"}) { account { id } userErrors { code } } }"),
    operation("mutation.verifyCloudAccount", CloudWrite, On::TeamItem, "mutation { verifyCloudAccount(input: {id: \"<cloudAccount>\"}) { account { id } userErrors { code } } }"),
    operation("mutation.disconnectCloudAccount", CloudWrite, On::TeamItem, "mutation { disconnectCloudAccount(input: {id: \"<cloudAccount>\"}) { disconnected userErrors { code } } }"),
    operation("mutation.retryJob", JobWrite, On::TeamItem, "mutation { retryJob(input: {jobId: \"<job>\"}) { job { id } userErrors { code } } }"),
    operation("mutation.updateQueue", JobWrite, On::Installation, "mutation { updateQueue(input: {name: \"build\", paused: false}) { queue { name } userErrors { code } } }"),
    operation("mutation.beginAuditExport", AuditRead, On::Team, "mutation { beginAuditExport(input: {format: JSON_LINES}) { head userErrors { code } } }"),
    operation("mutation.createApiKey", ApiKeyWrite, On::Team, "mutation { createApiKey(input: {name: \"k\", scopes: [\"project-read\"]}) { apiKey { id } userErrors { code } } }"),
    operation("mutation.createTeam", MemberWrite, On::Installation, "mutation { createTeam(input: {name: \"<new>\"}) { team { id } userErrors { code } } }"),
    operation("mutation.updateTeam", MemberWrite, On::Team, "mutation { updateTeam(input: {name: \"<new>\"}) { team { id } userErrors { code } } }"),
    operation("mutation.addMember", MemberWrite, On::Team, "mutation { addMember(input: {email: \"<new>@example.org\", role: VIEWER}) { member { role } userErrors { code } } }"),
    operation("mutation.revokeInvitation", MemberWrite, On::TeamItem, "mutation { revokeInvitation(input: {invitationId: \"<invitation>\"}) { done userErrors { code } } }"),
    account("mutation.changePassword", "mutation { changePassword(input: {newPassword: \"correct horse battery staple\"}) { done userErrors { code } } }"),
    account("mutation.revokeSession", "mutation { revokeSession(input: {sessionId: \"<session>\"}) { done userErrors { code } } }"),
    account("mutation.beginSecondFactor", "mutation { beginSecondFactor(input: {}) { secret userErrors { code } } }"),
    account("mutation.confirmSecondFactor", "mutation { confirmSecondFactor(input: {code: \"000000\"}) { codes userErrors { code } } }"),
    account("mutation.renewRecoveryCodes", "mutation { renewRecoveryCodes(input: {code: \"000000\"}) { codes userErrors { code } } }"),
    account("mutation.disableSecondFactor", "mutation { disableSecondFactor(input: {code: \"000000\"}) { done userErrors { code } } }"),
    account("mutation.unlinkIdentity", "mutation { unlinkIdentity(input: {provider: \"corp\"}) { done userErrors { code } } }"),
    account("mutation.acknowledgeSecurityEvents", "mutation { acknowledgeSecurityEvents { done userErrors { code } } }"),
    account("mutation.answerInvitation", "mutation { answerInvitation(input: {token: \"none\", accept: true}) { done userErrors { code } } }"),
    operation("mutation.createServiceAccount", MemberWrite, On::Team, "mutation { createServiceAccount(input: {name: \"bot\", role: VIEWER}) { member { role } userErrors { code } } }"),
    operation("mutation.setMemberRole", MemberWrite, On::TeamItem, "mutation { setMemberRole(input: {userId: \"<member>\", role: VIEWER}) { done userErrors { code } } }"),
    operation("mutation.createRole", MemberWrite, On::Team, "mutation { createRole(input: {name: \"<new>\", permissions: [\"project-read\"]}) { role { id } userErrors { code } } }"),
    operation("mutation.updateRole", MemberWrite, On::TeamItem, "mutation { updateRole(input: {roleId: \"<role>\", permissions: [\"member-read\"]}) { role { name } userErrors { code } } }"),
    operation("mutation.grantRole", MemberWrite, On::Part, "mutation { grantRole(input: {userId: \"<member>\", role: VIEWER, projectId: \"<project>\", environment: \"guarded\"}) { grant { id } userErrors { code } } }"),
    operation("mutation.grantRole/project", MemberWrite, On::Part, "mutation { grantRole(input: {userId: \"<member>\", role: VIEWER, projectId: \"<project>\"}) { grant { id } userErrors { code } } }"),
    operation("mutation.revokeGrant", MemberWrite, On::Part, "mutation { revokeGrant(input: {grantId: \"<grant>\"}) { done userErrors { code } } }"),
    operation("mutation.deleteRole", MemberWrite, On::TeamItem, "mutation { deleteRole(input: {roleId: \"<role>\"}) { done userErrors { code } } }"),
    operation("mutation.removeMember", MemberWrite, On::TeamItem, "mutation { removeMember(input: {userId: \"<member>\"}) { done userErrors { code } } }"),
    operation("mutation.revokeApiKey", ApiKeyWrite, On::TeamItem, "mutation { revokeApiKey(input: {apiKeyId: \"<key>\"}) { done userErrors { code } } }"),
    operation("mutation.discardJob", JobWrite, On::TeamItem, "mutation { discardJob(input: {jobId: \"<job>\"}) { job { id } userErrors { code } } }"),
    operation("mutation.deleteSchedule", ProjectWrite, On::Part, "mutation { deleteSchedule(input: {scheduleId: \"<schedule>\"}) { deleted userErrors { code } } }"),
    operation("mutation.removeDomain", ProjectWrite, On::Part, "mutation { removeDomain(input: {domainId: \"<domain>\"}) { removed userErrors { code } } }"),
    operation("mutation.deleteEnvironment", ProjectDelete, On::Part, "mutation { deleteEnvironment(input: {projectId: \"<project>\", environment: \"guarded\"}) { environment { name } userErrors { code } } }"),
    operation("mutation.deleteNotificationChannel", ProjectWrite, On::Part, "mutation { deleteNotificationChannel(input: {channelId: \"<channel>\"}) { deleted userErrors { code } } }"),
    operation("mutation.deleteProject", ProjectDelete, On::Part, "mutation { deleteProject(input: {projectId: \"<project>\"}) { project { slug } userErrors { code } } }"),
    // Whoever is in a session is in none afterwards.
    account("mutation.signOutEverywhere", "mutation { signOutEverywhere { done userErrors { code } } }"),
];
