//! State changes of deployments within a unit of work: the event, notifications, reports to Git hosts, and the jobs that follow.

use domain::approval::ApprovalState;
use domain::deployment::{Deployment, DeploymentStatus, Failure};
use domain::id::{DeploymentId, EnvironmentId, PreviewId, TeamId};
use jobs::Topic;
use jobs::payload::{CommitStatusJob, PreviewCommentJob, ReleaseJob, ReleaseToJob, RetireFromJob, RetireJob};
use services_core::outbox::notify_of_deployment;
use services_core::unit_of_work::UnitOfWork;
use store::{DeploymentChange, EventKey, StoreError};

/// Writes the next event of a deployment. The caller holds the project's lock.
pub(crate) async fn record_event(
    tx: &mut UnitOfWork,
    deployment: &Deployment,
    status: DeploymentStatus,
    message: &str,
) -> Result<(), StoreError> {
    tx.event_insert(EventKey::from(deployment), status, message).await?;
    report_commit_status(tx, deployment.team_id, deployment.id).await?;
    tx.publish(Topic::DeploymentEvents(deployment.id));
    tx.publish(Topic::ProjectEvents(deployment.project_id));
    notify_of_deployment(tx, deployment, status, message).await
}

/// Writes the jobs that report to a Git host how a deployment of one of its commits stands.
pub(crate) async fn report_commit_status(
    tx: &mut UnitOfWork,
    team_id: TeamId,
    deployment_id: DeploymentId,
) -> Result<(), StoreError> {
    let Some(report) = tx.git_report_find(team_id, deployment_id).await? else { return Ok(()) };
    tx.enqueue(&CommitStatusJob { version: 1, team_id, deployment_id }).await?;
    match report.preview_id {
        Some(preview) => update_preview_comment(tx, team_id, preview).await,
        None => Ok(()),
    }
}

/// Writes the job that updates the comment at a pull request about its preview.
pub(crate) async fn update_preview_comment(
    tx: &mut UnitOfWork,
    team_id: TeamId,
    preview_id: PreviewId,
) -> Result<(), StoreError> {
    tx.enqueue(&PreviewCommentJob { version: 1, team_id, preview_id }).await
}

/// Ends a moving deployment with `failed` or `cancelled`: status, event, its jobs cancelled, its resources to be removed.
pub async fn end(tx: &mut UnitOfWork, deployment: &Deployment, to: DeploymentStatus, failure: Failure) -> Result<(), StoreError> {
    let message = failure.message.clone();
    let change = DeploymentChange { from: deployment.status, to, deadline: None, failure: Some(failure) };
    tx.deployment_change(deployment.team_id, deployment.id, &change).await?;
    record_event(tx, deployment, to, &message).await?;
    tx.approval_end(deployment.team_id, deployment.id, ApprovalState::Withdrawn, None, None).await?;
    for job in tx.job_cancel_subject(deployment.team_id, deployment.id.uuid()).await? {
        tx.publish(Topic::Job(job));
    }
    // In a cloud it has a place from the beginning, which is not kept for its sake.
    let has_place = tx.deployment_target_find(deployment.team_id, deployment.id).await?.is_some();
    if deployment.status == DeploymentStatus::Releasing || has_place {
        retire(tx, deployment.team_id, deployment.environment_id, deployment.id).await?;
    }
    Ok(())
}

/// Writes the job that removes from its cloud what a deployment has there.
pub(crate) async fn retire(
    tx: &mut UnitOfWork,
    team_id: TeamId,
    environment_id: EnvironmentId,
    deployment_id: DeploymentId,
) -> Result<(), StoreError> {
    if tx.deployment_target_find(team_id, deployment_id).await?.is_some() {
        return tx.enqueue(&RetireFromJob { version: 1, team_id, environment_id, deployment_id }).await;
    }
    tx.enqueue(&RetireJob { version: 1, team_id, deployment_id }).await
}

/// Writes the job that releases what a deployment has built, to wherever it goes.
pub(crate) async fn enqueue_release(tx: &mut UnitOfWork, deployment: &Deployment) -> Result<(), StoreError> {
    let Deployment { team_id, environment_id, id: deployment_id, .. } = *deployment;
    if tx.deployment_target_find(team_id, deployment_id).await?.is_some() {
        return tx.enqueue(&ReleaseToJob { version: 1, team_id, environment_id, deployment_id }).await;
    }
    tx.enqueue(&ReleaseJob { version: 1, team_id, environment_id, deployment_id }).await
}
