//! Deployments as answers show them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::access::{Actor, Permission};
use domain::approval::{Approval, ApprovalState as Decision};
use domain::deployment::{Cause, Deployment, DeploymentStatus as Status, Failure};
use domain::id::{DeploymentId, EnvironmentId, ProjectId, UserId};
use domain::source::Source;
use serde::Serialize;
use services::Services;
use utoipa::ToSchema;

use crate::rest::projects::place::PlaceView;
use crate::rest::protocol::capitals::Capitals;

/// Status of a deployment.
pub(in crate::rest) type DeploymentStatus = Capitals<Status>;

type DeploymentTrigger = Capitals<Cause>;
/// Source from which a deployment is built.
#[derive(Debug, Serialize, ToSchema)]
struct DeploymentSource {
    /// `git` or `upload`.
    kind: &'static str,
    /// The repository.
    repository: Option<String>,
    /// The branch, tag or commit that was asked for.
    reference: Option<String>,
    /// The digest of the uploaded archive.
    upload: Option<String>,
    /// Directory of the project within it, where one was asked for.
    directory: Option<String>,
}

impl From<Source> for DeploymentSource {
    fn from(source: Source) -> Self {
        let directory = source.directory().map(|directory| directory.as_str().to_owned());
        match source {
            Source::Git { repository, reference, .. } => {
                let (repository, reference) = (Some(repository.into()), reference.map(String::from));
                Self { kind: "git", repository, reference, upload: None, directory }
            }
            Source::Upload { digest, .. } => {
                Self { kind: "upload", repository: None, reference: None, upload: Some(digest.to_string()), directory }
            }
        }
    }
}

/// Reason for which a deployment failed or was cancelled.
#[derive(Debug, Serialize, ToSchema)]
struct DeploymentFailure {
    /// Stable, in capitals.
    code: String,
    /// Description of the failure, with a remedy.
    message: String,
}

impl From<Failure> for DeploymentFailure {
    fn from(Failure { code, message }: Failure) -> Self {
        Self { code, message }
    }
}

type ApprovalState = Capitals<Decision>;

/// The approval that a deployment to a protected environment needs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Approval)]
struct ApprovalView {
    /// State of the approval.
    state: ApprovalState,
    /// The user who answers for the deployment and so cannot approve it.
    #[schema(value_type = String)]
    requested_by: UserId,
    /// Time of the request.
    requested_at: DateTime<Utc>,
    /// Time until which the approval can be given.
    expires_at: DateTime<Utc>,
    /// The user who decided.
    #[schema(value_type = Option<String>)]
    decided_by: Option<UserId>,
    /// Time of the decision.
    decided_at: Option<DateTime<Utc>>,
    /// Reason, in the decider's words.
    reason: Option<String>,
}

impl From<Approval> for ApprovalView {
    fn from(approval: Approval) -> Self {
        Self {
            state: approval.state.into(),
            requested_by: approval.requested_by,
            requested_at: approval.requested_at,
            expires_at: approval.expires_at,
            decided_by: approval.decided_by,
            decided_at: approval.decided_at,
            reason: approval.reason,
        }
    }
}

/// One attempt to make a source live in an environment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Deployment)]
pub(in crate::rest) struct DeploymentView {
    /// Identity.
    #[schema(value_type = String, pattern = "^dep_[0-9a-f]{32}$")]
    pub id: DeploymentId,
    /// The project it belongs to.
    #[schema(value_type = String, pattern = "^prj_[0-9a-f]{32}$")]
    project_id: ProjectId,
    /// The environment it is for.
    #[schema(value_type = String)]
    environment_id: EnvironmentId,
    /// Counts the project's deployments from 1.
    number: i64,
    /// Status of the deployment.
    status: DeploymentStatus,
    /// Cause of the deployment.
    trigger: DeploymentTrigger,
    /// Source from which it is built.
    source: DeploymentSource,
    /// The commit that is built, once known.
    commit_sha: Option<String>,
    /// Kind of the result: `static`, `server` or `functions`, once known.
    kind: Option<&'static str>,
    /// The digest of what was built.
    artifact_digest: Option<String>,
    /// The deployment whose artifact this one uses.
    #[schema(value_type = Option<String>)]
    origin_id: Option<DeploymentId>,
    /// Reason for which it failed or was cancelled.
    failure: Option<DeploymentFailure>,
    /// The approval that it waits or waited for; null when its environment was not protected.
    approval: Option<ApprovalView>,
    /// The address that shows this deployment alone; null for who does not see the project, and where a cloud gives none.
    url: Option<String>,
    /// Its place in a vendor's cloud; null on one's own machines.
    place: Option<PlaceView>,
    /// Time of the request.
    created_at: DateTime<Utc>,
    /// Time at which its present status began.
    changed_at: DateTime<Utc>,
    /// Allows a rollback of its environment to it: it was live once, and its artifact is kept.
    rollback_available: bool,
    /// Time at which its artifact was removed to free space. It can no longer be rolled back to or promoted.
    artifact_removed_at: Option<DateTime<Utc>>,
    /// Number of events.
    event_count: i64,
    /// Number of log lines.
    log_count: i64,
}

impl DeploymentView {
    fn new(deployment: Deployment, approval: Option<Approval>, url: Option<String>, place: Option<PlaceView>) -> Self {
        Self {
            id: deployment.id,
            project_id: deployment.project_id,
            environment_id: deployment.environment_id,
            number: deployment.number,
            status: deployment.status.into(),
            trigger: deployment.trigger.into(),
            rollback_available: deployment.is_rollback_target(),
            source: deployment.source.into(),
            commit_sha: deployment.commit_sha,
            kind: deployment.workload.as_ref().map(domain::workload::WorkloadSpec::kind),
            artifact_digest: deployment.artifact_digest.map(|digest| digest.to_string()),
            origin_id: deployment.origin_id,
            failure: deployment.failure.map(DeploymentFailure::from),
            approval: approval.map(ApprovalView::from),
            url,
            place,
            created_at: deployment.created_at,
            changed_at: deployment.changed_at,
            artifact_removed_at: deployment.artifact_removed_at,
            event_count: deployment.event_count,
            log_count: deployment.log_count,
        }
    }
}

/// Deployments with what belongs to them: a query for each kind of thing, however many deployments there are.
pub(in crate::rest) async fn views(
    services: &Services,
    actor: &Actor,
    found: Vec<Deployment>,
) -> services::Result<Vec<DeploymentView>> {
    let (mut approvals, mut projects, mut places) = (HashMap::new(), HashMap::new(), HashMap::new());
    // Who deploys need not have the right to look.
    if actor.may_somewhere(Permission::ProjectRead) {
        let ids: Vec<_> = found.iter().map(|deployment| deployment.id).collect();
        let read = services.approvals().of_deployments(actor, &ids).await?;
        approvals = read.into_iter().map(|approval| (approval.deployment_id, approval)).collect();
        places = services.placements().of_deployments(actor.team_id, &ids).await?;
        let ids: std::collections::BTreeSet<_> = found.iter().map(|deployment| deployment.project_id).collect();
        let read = services.projects().get_many(actor, &ids.into_iter().collect::<Vec<_>>()).await?;
        projects = read.into_iter().map(|project| (project.id, project)).collect();
    }
    let view = |deployment: Deployment| {
        let project = projects.get(&deployment.project_id);
        let place = places.get(&deployment.id);
        let url = project.map(|project| services.deployments().url(project, &deployment, place)).transpose()?.flatten();
        let place = place.cloned().map(PlaceView::from);
        Ok(DeploymentView::new(deployment.clone(), approvals.remove(&deployment.id), url, place))
    };
    found.into_iter().map(view).collect()
}

/// A deployment with what belongs to it.
pub(in crate::rest) async fn view(
    services: &Services,
    actor: &Actor,
    deployment: Deployment,
) -> services::Result<DeploymentView> {
    let shown = views(services, actor, vec![deployment]).await?;
    shown.into_iter().next().ok_or(services::ServiceError::NotFound("deployment"))
}
