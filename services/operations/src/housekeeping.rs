//! Invariants that hold whatever dies when: no deployment moves without a job or an approval, none outlives its deadline.

use async_trait::async_trait;
use chrono::Duration;
use domain::deployment::{Deployment, DeploymentStatus, Failure};
use domain::time::{Timestamp, now};
use jobs::Housekeeping;
use services_projects::deployments::transitions;
use services_projects::git_hosts::{KEEP_DELIVERIES, KEEP_PREVIEWS};
use store::StoreError;

use crate::OperationsServices;

/// Number of lines of a deployment's log that are kept.
const KEEP_LINES: i64 = 100_000;
const KEEP_UPLOADS: Duration = Duration::days(1);
const KEEP_SESSIONS: Duration = Duration::days(31);
const KEEP_ATTEMPTS: Duration = Duration::days(1);
const KEEP_SECURITY_EVENTS: Duration = Duration::days(365);
const KEEP_RUNS: Duration = Duration::days(31);
const KEEP_NOTIFICATIONS: Duration = Duration::days(30);
const KEEP_EDGES: Duration = Duration::days(1);
/// A process may have slept for as long with something in its hands that the old key sealed.
const KEEP_OLD_MASTER_KEY: Duration = Duration::days(1);

/// Keeps the services' invariants for the sweeper.
pub struct Housekeeper(OperationsServices);

#[async_trait]
impl Housekeeping for Housekeeper {
    async fn keep_invariants(&self) -> Result<(), StoreError> {
        let store = self.0.store();
        for deployment in store.deployment_list_overdue(now()).await? {
            self.end_overdue(&deployment).await?;
        }
        for deployment in store.deployment_list_stranded().await? {
            let message = "the processes that worked on it died each time they tried; the server's log may say why. Try again";
            self.give_up(&deployment, Failure::new("WORKER_LOST", message)).await?;
        }
        if let Err(error) = self.0.git().remove_expired_previews().await {
            tracing::warn!(error = jobs::handler::chain(&error), "previews whose time is over could not be removed");
        }
        self.0.deliveries().end_stranded().await?;
        if let Err(error) = self.0.domains().check_due().await {
            tracing::warn!(error = jobs::handler::chain(&error), "domains could not be looked at; the next try is in a second");
        }
        self.0.cloud_accounts().schedule_looks().await?;
        if let Err(error) = self.0.audit().sign_checkpoints().await {
            tracing::warn!(
                error = jobs::handler::chain(&error),
                "the audit log could not be signed; the next try is in a second"
            );
        }
        Ok(())
    }

    async fn retention_time(&self) -> Result<Timestamp, StoreError> {
        self.0.retention_time().await
    }

    async fn purge(&self) -> Result<(), StoreError> {
        let at = self.0.retention_time().await?;
        let mut tx = self.0.store().begin().await?;
        tx.log_purge(KEEP_LINES).await?;
        tx.upload_purge(at - KEEP_UPLOADS).await?;
        tx.session_purge(at - KEEP_SESSIONS).await?;
        tx.sign_in_purge(at, at - KEEP_ATTEMPTS).await?;
        tx.security_event_purge(at - KEEP_SECURITY_EVENTS).await?;
        tx.schedule_run_purge(at - KEEP_RUNS).await?;
        tx.alert_purge(at - KEEP_RUNS).await?;
        tx.delivery_purge(at - KEEP_NOTIFICATIONS).await?;
        tx.letter_purge(at).await?;
        tx.edge_purge(at - KEEP_EDGES).await?;
        tx.idempotency_purge().await?;
        tx.git_delivery_purge(at - KEEP_DELIVERIES).await?;
        tx.preview_purge(at - KEEP_PREVIEWS).await?;
        self.0.certificates().purge(&mut tx).await?;
        tx.commit().await?;
        self.0.deployments().clean_places_left().await?;
        self.0.store().key_rotation_forget(at - KEEP_OLD_MASTER_KEY).await?;
        if let Err(error) = self.0.audit().expire(at).await {
            tracing::warn!(
                error = jobs::handler::chain(&error),
                "old entries of the audit log could not be deleted; the next try is in an hour"
            );
        }
        for (what, done) in [
            ("uploads", self.0.uploads().remove_unused(at).await),
            ("artifacts", self.0.artifacts().collect(at).await),
            ("logs", self.0.logs().archive(at).await),
            ("keys of access tokens", self.0.sessions().rotate_token_keys().await),
        ] {
            if let Err(error) = done {
                let error = jobs::handler::chain(&error);
                tracing::warn!(what, error, "this could not be cleaned up; the next try is in an hour");
            }
        }
        Ok(())
    }
}

impl Housekeeper {
    /// A housekeeper of these services.
    pub fn new(services: &OperationsServices) -> Self {
        Self(services.clone())
    }

    async fn end_overdue(&self, deployment: &Deployment) -> Result<(), StoreError> {
        if deployment.status == DeploymentStatus::Queued && self.0.approvals().expire(deployment).await? {
            return Ok(());
        }
        let status = deployment.status.name();
        let message = format!("it was {status} for longer than it may: the deployment was given up. Try again");
        self.give_up(deployment, Failure::new("DEADLINE_EXCEEDED", message)).await
    }

    async fn give_up(&self, deployment: &Deployment, failure: Failure) -> Result<(), StoreError> {
        let mut tx = self.0.begin().await?;
        tx.project_lock(deployment.team_id, deployment.project_id).await?;
        let present = tx.deployment_find(deployment.team_id, deployment.id).await?;
        // What was approved meanwhile has the same status and a later deadline.
        let same = |present: &Deployment| (present.status, present.deadline) == (deployment.status, deployment.deadline);
        let Some(present) = present.filter(same) else { return Ok(()) };
        transitions::end(&mut tx, &present, DeploymentStatus::Failed, failure).await?;
        tx.commit().await?;
        Ok(())
    }
}
