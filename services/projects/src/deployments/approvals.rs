//! Deployments to protected environments wait, queued and without a job that would build or release them, until somebody else approves
//! them.

use domain::access::{Actor, Permission};
use domain::approval::{APPROVED_WITHIN, Approval, ApprovalState};
use domain::deployment::{Cause, Deployment, DeploymentStatus, Failure};
use domain::environment::Environment;
use domain::id::DeploymentId;
use domain::time::now;
use jobs::payload::BuildJob;
use serde_json::json;
use services_core::audit::{Action, AuditEntry, record};
use services_core::unit_of_work::UnitOfWork;
use services_core::{Result, ServiceError, require_on, require_somewhere};
use store::{DeploymentChange, StoreError};

use super::resolve::{is_unresolved, resolve_job};
use super::{deadlines, in_time, logged, transitions};
use crate::Approvals;

/// Maximum number of waiting approvals in a list.
const LISTED: i64 = 200;
const MAX_REASON: usize = 500;

/// Writes the job that a queued deployment begins with.
pub(super) async fn first_job(tx: &mut UnitOfWork, deployment: &Deployment) -> Result<()> {
    let Deployment { team_id, id: deployment_id, .. } = *deployment;
    match deployment.trigger {
        Cause::Build => tx.enqueue(&BuildJob { version: 1, team_id, deployment_id }).await?,
        Cause::Promotion | Cause::Rollback => transitions::enqueue_release(tx, deployment).await?,
    }
    Ok(())
}

/// Request with which a deployment begins.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    /// Message of its first event.
    pub message: &'a str,
    /// Author of the deployed content, if that is nobody of the team.
    pub outside: Option<&'a str>,
}

/// Writes a queued deployment with the approval that it waits for.
pub(super) async fn wait_for_approval(
    tx: &mut UnitOfWork,
    actor: &Actor,
    environment: &Environment,
    mut deployment: Deployment,
    request: Request<'_>,
) -> Result<()> {
    let requested_at = now();
    let expires_at = requested_at + APPROVED_WITHIN;
    deployment.deadline = Some(expires_at);
    tx.deployment_insert(&deployment).await?;
    tx.approval_insert(&Approval {
        deployment_id: deployment.id,
        team_id: deployment.team_id,
        project_id: deployment.project_id,
        environment_id: deployment.environment_id,
        state: ApprovalState::Pending,
        requested_by: actor.answerable(),
        requested_at,
        expires_at,
        decided_by: None,
        decided_at: None,
        reason: None,
        from_outside: request.outside.is_some(),
    })
    .await?;
    let (because, who) = match request.outside {
        Some(author) => (format!("{author}, who is not of the repository, wrote it"), "somebody"),
        None => (format!("`{}` is protected", environment.name), "somebody else"),
    };
    let message = format!(
        "{}; waits for an approval, because {because}: {who} with `deployment-approve` gives it with `mikrocloud approve {}` within {} hours",
        request.message,
        deployment.id,
        APPROVED_WITHIN.num_hours()
    );
    transitions::record_event(tx, &deployment, DeploymentStatus::Queued, &message).await?;
    resolve_job(tx, &deployment).await
}

fn clean_reason(reason: Option<&str>) -> Result<Option<String>> {
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    match reason {
        Some(text) if text.chars().count() > MAX_REASON || text.contains(char::is_control) => {
            let message = format!("give a reason of at most {MAX_REASON} characters on one line");
            Err(ServiceError::invalid("reason", "INVALID_REASON", message))
        }
        reason => Ok(reason.map(str::to_owned)),
    }
}

/// Checks that an approval can be given or refused at this moment by this actor.
fn check_open(approval: &Approval, deployment: &Deployment, actor: &Actor, to: ApprovalState) -> Result<()> {
    let refused = |code, message: &str| Err(ServiceError::invalid("deploymentId", code, message));
    if approval.state != ApprovalState::Pending {
        return refused("ALREADY_DECIDED", &format!("the approval is {} already: deploy again", approval.state.name()));
    }
    if deployment.status != DeploymentStatus::Queued {
        // A program of before ended it, which knows no approvals.
        return refused("ALREADY_DECIDED", &format!("the deployment is {} already: deploy again", deployment.status.name()));
    }
    if approval.expires_at <= now() {
        return refused("APPROVAL_EXPIRED", "nobody approved the deployment in time: deploy again");
    }
    if to == ApprovalState::Approved && !approval.from_outside && approval.requested_by == actor.answerable() {
        return refused("OWN_DEPLOYMENT", "you asked for this deployment yourself: let somebody else approve it");
    }
    if to == ApprovalState::Approved && is_unresolved(deployment) {
        let message = "it is not known yet which commit this would build: look at it again in a moment";
        return refused("COMMIT_UNKNOWN", message);
    }
    Ok(())
}

impl Approvals {
    /// Approves a deployment of somebody else that waits for it; it goes on. Approving what is approved is no error.
    pub async fn approve(&self, actor: &Actor, id: DeploymentId, reason: Option<&str>) -> Result<Deployment> {
        self.decide(actor, id, ApprovalState::Approved, reason).await
    }

    /// Rejects a deployment that waits for approval; it is cancelled with the reason. Rejecting what is rejected is no error.
    pub async fn reject(&self, actor: &Actor, id: DeploymentId, reason: Option<&str>) -> Result<Deployment> {
        self.decide(actor, id, ApprovalState::Rejected, reason).await
    }

    /// The approvals that deployments wait for which the actor may see, oldest first.
    pub async fn pending(&self, actor: &Actor) -> Result<Vec<Approval>> {
        require_somewhere(actor, Permission::ProjectRead)?;
        let mut found = self.store().approval_list_pending(actor.team_id, LISTED).await?;
        found.retain(|approval| actor.may(Permission::ProjectRead, approval.into()));
        Ok(found)
    }

    /// The approvals that some deployments need or needed, those that the actor may see, in no particular order.
    pub async fn of_deployments(&self, actor: &Actor, ids: &[DeploymentId]) -> Result<Vec<Approval>> {
        require_somewhere(actor, Permission::ProjectRead)?;
        let mut found = self.store().approval_get_many(actor.team_id, ids).await?;
        found.retain(|approval| actor.may(Permission::ProjectRead, approval.into()));
        Ok(found)
    }

    async fn decide(&self, actor: &Actor, id: DeploymentId, to: ApprovalState, reason: Option<&str>) -> Result<Deployment> {
        let action = if to == ApprovalState::Approved { Action::DeploymentApprove } else { Action::DeploymentReject };
        let entry = AuditEntry::new(action).on("deployment", id);
        self.audit_denial(actor, &entry, require_somewhere(actor, Permission::DeploymentApprove)).await?;
        let deployment = self.deployments().get(actor, id).await?;
        let allowed = require_on(actor, Permission::DeploymentApprove, (&deployment).into(), "deployment");
        self.audit_denial(actor, &entry, allowed).await?;
        let reason = clean_reason(reason)?;
        let who = self.me(actor).await?.name;
        let mut tx = self.begin().await?;
        let project = tx.project_lock(actor.team_id, deployment.project_id).await?.ok_or(ServiceError::NotFound("project"))?;
        let deployment = tx.deployment_find(actor.team_id, id).await?.ok_or(ServiceError::NotFound("deployment"))?;
        let approval = tx.approval_find(actor.team_id, id).await?.ok_or_else(|| {
            let message = "this deployment needs no approval: its environment was not protected when it was asked for";
            ServiceError::invalid("deploymentId", "NO_APPROVAL_NEEDED", message)
        })?;
        if approval.state == to {
            return Ok(deployment);
        }
        check_open(&approval, &deployment, actor, to)?;
        if !tx.approval_end(actor.team_id, id, to, Some(actor.user_id), reason.as_deref()).await? {
            return Err(ServiceError::internal(StoreError::Changed));
        }
        let entry = logged(entry, &project, &deployment).before(json!({"approval": approval.state.name()}));
        let entry = entry.after(json!({"approval": to.name(), "reason": reason, "commit": deployment.commit_sha}));
        let because = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        if to == ApprovalState::Approved {
            let deadline = Some(in_time(deadlines::QUEUED));
            let change = DeploymentChange { from: deployment.status, to: deployment.status, deadline, failure: None };
            tx.deployment_change(actor.team_id, id, &change).await?;
            transitions::record_event(&mut tx, &deployment, deployment.status, &format!("approved by {who}{because}")).await?;
            first_job(&mut tx, &deployment).await?;
        } else {
            let failure = Failure::new("REJECTED", format!("rejected by {who}{because}"));
            transitions::end(&mut tx, &deployment, DeploymentStatus::Cancelled, failure).await?;
        }
        record(&mut tx, actor, entry).await?;
        tx.commit().await?;
        self.deployments().get(actor, id).await
    }

    /// Cancels a deployment whose approval nobody gave in time; `false` when it does not wait for one.
    pub async fn expire(&self, deployment: &Deployment) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        tx.project_lock(deployment.team_id, deployment.project_id).await?;
        if !tx.approval_end(deployment.team_id, deployment.id, ApprovalState::Expired, None, None).await? {
            return Ok(false);
        }
        let message = format!("nobody approved it within {} hours: deploy again", APPROVED_WITHIN.num_hours());
        let failure = Failure::new("APPROVAL_EXPIRED", message);
        transitions::end(&mut tx, deployment, DeploymentStatus::Cancelled, failure).await?;
        tx.commit().await?;
        Ok(true)
    }
}
