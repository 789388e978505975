//! Giving up artifacts that nobody needs, and what is over a team's budget (docs/adr/0012-artifact-retention.md). Each step is written
//! down before it is done, so that it may be repeated, by several processes at once, too.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use artifacts::KeptArtifact;
use chrono::TimeDelta;
use domain::access::{Actor, Permission};
use domain::id::TeamId;
use domain::retention::{GivenUp, RetentionRules, choose_artifacts};
use domain::time::{Timestamp, now};
use services_core::alerts::raise;
use services_core::unit_of_work::UnitOfWork;
use services_core::{Result, ServiceError, require};
use store::{Lock, RemovedArtifact};

use crate::StoredArtifacts;
use crate::deployments::transitions;

/// Time during which the artifact of a deployment that failed or was cancelled may still be promoted.
const KEEP_UNRELEASED: TimeDelta = TimeDelta::days(1);
/// Maximum time between the writing of a file and its row; until then a file without a reference is kept.
const WRITTEN_WITHIN: Duration = Duration::from_hours(24);
/// Retention of the rows of removed artifacts that no deployment names.
const KEEP_ROWS: TimeDelta = TimeDelta::days(31);

/// Storage use of a team.
#[derive(Debug, Clone, Copy)]
pub struct StorageUsage {
    /// Number of stored artifacts; those of equal content count once.
    pub artifacts: i64,
    /// Total size of their files, bytes.
    pub artifact_bytes: i64,
    /// Maximum total size of the artifacts, bytes.
    pub artifact_budget_bytes: i64,
    /// Size of the archived logs, bytes, compressed.
    pub log_archive_bytes: i64,
}

impl StoredArtifacts {
    /// Returns the team's storage use.
    pub async fn storage(&self, actor: &Actor) -> Result<StorageUsage> {
        require(actor, Permission::ProjectRead)?;
        let usage = self.store().artifact_usage(actor.team_id).await?;
        Ok(StorageUsage {
            artifacts: usage.count,
            artifact_bytes: usage.bytes,
            artifact_budget_bytes: i64::try_from(self.settings().artifact_budget_bytes).unwrap_or(i64::MAX),
            log_archive_bytes: self.store().log_archive_usage(actor.team_id).await?,
        })
    }

    /// Gives up what nobody needs and what is over the budgets, then removes everything that was given up.
    pub async fn collect(&self, at: Timestamp) -> Result<()> {
        if !self.owns_objects().await? {
            return Ok(());
        }
        for team in self.store().artifact_team_list().await? {
            self.choose_for(team, at).await?;
        }
        for kept in self.orphaned_artifacts(at).await? {
            self.delete_orphan(&kept).await?;
        }
        self.remove_unused().await?;
        let mut tx = self.begin().await?;
        tx.artifact_purge(at - KEEP_ROWS).await?;
        Ok(tx.commit().await?)
    }

    /// Removes artifacts that no deployment holds any more.
    pub(crate) async fn remove_unused(&self) -> Result<()> {
        if !self.owns_objects().await? {
            return Ok(());
        }
        for digest in self.store().artifact_list_unheld().await? {
            let mut tx = self.begin().await?;
            tx.artifact_remove(&digest, now()).await?;
            tx.commit().await?;
        }
        let mut tx = self.begin().await?;
        tx.artifact_restore_held().await?;
        tx.commit().await?;
        for removed in self.store().artifact_list_removed(now() - self.settings().artifact_grace).await? {
            self.delete_removed(&removed).await?;
        }
        Ok(())
    }

    /// Chooses what a team gives up, and writes it down. What another process is choosing at this moment is left to it.
    async fn choose_for(&self, team: TeamId, at: Timestamp) -> Result<()> {
        let settings = self.settings();
        let rules = RetentionRules {
            keep_superseded: usize::try_from(settings.keep_superseded).unwrap_or(0),
            keep_unreleased: KEEP_UNRELEASED,
            budget_bytes: settings.artifact_budget_bytes,
        };
        let mut tx = self.begin().await?;
        if !tx.try_lock(Lock::Retention).await? {
            return Ok(());
        }
        let choice = choose_artifacts(&tx.artifact_holdings(team).await?, &rules, at);
        for given_up in &choice.given_up {
            self.give_artifact_up(&mut tx, team, given_up).await?;
        }
        let (kind, subject) = ("artifact_budget", team.to_string());
        if choice.kept_bytes > rules.budget_bytes {
            let message = format!(
                "what is live and what production goes back to next takes {} MiB, more than the team's {} MiB for artifacts: delete \
                 what is not needed, or raise --artifact-budget-mib",
                choice.kept_bytes >> 20,
                rules.budget_bytes >> 20
            );
            raise(&mut tx, Some(team), kind, &subject, message).await?;
        } else {
            tx.alert_resolve(kind, &subject).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn give_artifact_up(&self, tx: &mut UnitOfWork, team: TeamId, given_up: &GivenUp) -> Result<()> {
        if !tx.artifact_give_up(team, given_up, now()).await? {
            return Ok(());
        }
        for deployment in &given_up.deployments {
            // What stood ready for a rollback has nothing to run any more.
            let is_local = !self.store().resource_list_of_deployment(team, *deployment).await?.is_empty();
            if (is_local || tx.deployment_target_find(team, *deployment).await?.is_some())
                && let Some(known) = tx.deployment_find(team, *deployment).await?
            {
                transitions::retire(tx, team, known.environment_id, known.id).await?;
            }
        }
        tracing::info!(team.id = %team, artifact = %given_up.digest, bytes = given_up.bytes, "an artifact is given up");
        Ok(())
    }

    /// Deletes what was given up. Content that comes back meanwhile gets an object of its own; where there are no objects, whoever
    /// stores it waits for this transaction.
    async fn delete_removed(&self, removed: &RemovedArtifact) -> Result<()> {
        let artifacts = self.artifact_store();
        if !artifacts.removes_by_digest() {
            artifacts.remove(&removed.digest, removed.object_id).await.map_err(ServiceError::internal)?;
        }
        let mut tx = self.begin().await?;
        if !tx.artifact_set_deleted(removed, now()).await? {
            return Ok(());
        }
        let files = if artifacts.removes_by_digest() {
            artifacts.remove(&removed.digest, None).await.map_err(ServiceError::internal)?
        } else {
            None
        };
        tx.commit().await?;
        drop_files(files).await;
        metrics::counter!("mikrocloud_artifacts_removed_total").increment(1);
        metrics::counter!("mikrocloud_artifact_removed_bytes_total").increment(u64::try_from(removed.size_bytes).unwrap_or(0));
        Ok(())
    }

    /// Returns the stored artifacts without a row that are too old for a row to follow.
    async fn orphaned_artifacts(&self, at: Timestamp) -> Result<Vec<KeptArtifact>> {
        let mut kept = self.artifact_store().list().await.map_err(ServiceError::internal)?;
        let by_digest = self.artifact_store().removes_by_digest();
        let place = |digest, object| (digest, if by_digest { None } else { object });
        let rows = self.store().artifact_object_list().await?;
        let known: HashSet<_> = rows.into_iter().map(|(digest, object)| place(digest, object)).collect();
        let began = self.began().await?;
        kept.retain(|kept| {
            !known.contains(&place(kept.digest.clone(), kept.object_id)) && is_orphan(kept.changed_at, began, at, WRITTEN_WITHIN)
        });
        Ok(kept)
    }

    async fn delete_orphan(&self, kept: &KeptArtifact) -> Result<()> {
        let artifacts = self.artifact_store();
        let remove = async || artifacts.remove(&kept.digest, kept.object_id).await.map_err(ServiceError::internal);
        // A name that is never used again.
        if kept.object_id.is_some() {
            remove().await?;
            return Ok(());
        }
        let mut tx = self.begin().await?;
        if !tx.artifact_put_orphan(&kept.digest, now()).await? {
            return Ok(());
        }
        let files = if artifacts.removes_by_digest() { remove().await? } else { None };
        tx.commit().await?;
        drop_files(files).await;
        if !artifacts.removes_by_digest() {
            remove().await?;
        }
        tracing::info!(artifact = %kept.digest, "removed an artifact that nothing refers to");
        Ok(())
    }
}

/// Returns true if no row will follow for a file that no row names: at the given moment it is older than this, and it was made by
/// this installation, which began some time before it.
pub(crate) fn is_orphan(changed_at: SystemTime, began: Option<Timestamp>, at: Timestamp, than: Duration) -> bool {
    let is_ours = began.is_some_and(|began| changed_at >= SystemTime::from(began));
    is_ours && SystemTime::from(at).duration_since(changed_at).is_ok_and(|age| age > than)
}

/// Thousands of files: not on the async threads, and after the transaction.
async fn drop_files<T: Send + 'static>(files: T) {
    let _ = tokio::task::spawn_blocking(move || drop(files)).await;
}
