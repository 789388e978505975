//! Retention of stored data.

use chrono::TimeDelta;
use clap::Args;
use services::{ProjectSettings, Settings};

/// The options on storage.
#[derive(Debug, Clone, Args)]
pub struct StorageOptions {
    /// Maximum total size of a team's artifacts, in MiB; beyond it the oldest that only a rollback needs are removed
    #[arg(long, env = "MIKROCLOUD_ARTIFACT_BUDGET_MIB", default_value_t = 20 * 1024, value_name = "MIB")]
    artifact_budget_mib: u32,
    /// Time for which a removed artifact stays before it is deleted, in seconds
    #[arg(long, env = "MIKROCLOUD_ARTIFACT_GRACE_SECONDS", default_value_t = 3600, value_name = "SECONDS")]
    artifact_grace_seconds: u32,
    /// Time after its end at which a deployment's log moves out of the database into the object store, in hours
    #[arg(long, env = "MIKROCLOUD_LOG_ARCHIVE_HOURS", default_value_t = 7 * 24, value_name = "HOURS")]
    log_archive_hours: u32,
    /// Retention of audit log entries, in days; 0 for ever
    #[arg(long, env = "MIKROCLOUD_AUDIT_RETENTION_DAYS", default_value_t = 400, value_name = "DAYS")]
    audit_retention_days: u32,
}

impl StorageOptions {
    /// These settings, with what the options say.
    pub fn apply(&self, mut settings: Settings) -> Settings {
        settings.projects = ProjectSettings {
            artifact_budget_bytes: u64::from(self.artifact_budget_mib) << 20,
            artifact_grace: TimeDelta::seconds(self.artifact_grace_seconds.into()),
            archive_logs_after: TimeDelta::hours(self.log_archive_hours.into()),
            ..settings.projects
        };
        let days = self.audit_retention_days;
        settings.core.keep_audit_entries = (days > 0).then(|| TimeDelta::days(days.into()));
        settings
    }
}
