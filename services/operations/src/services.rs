use domain::time::now;
use services_core::Result;
use services_projects::ProjectServices;

/// The use cases of operations, over those of all areas that they tend. Cheap to clone.
#[derive(Clone)]
pub struct OperationsServices(ProjectServices);

impl std::ops::Deref for OperationsServices {
    type Target = ProjectServices;

    fn deref(&self) -> &ProjectServices {
        &self.0
    }
}

impl OperationsServices {
    /// The use cases over those of projects.
    pub fn new(below: ProjectServices) -> Self {
        Self(below)
    }

    /// The numbers that `/metrics` shows beside those counted as they happen: deployments by status, jobs by queue and state.
    pub async fn record_gauges(&self) -> Result<()> {
        #[expect(clippy::cast_precision_loss, reason = "Prometheus knows only floating point")]
        let float = |count: i64| count as f64;
        for (status, count) in self.store().deployment_status_counts().await? {
            metrics::gauge!("mikrocloud_deployments", "status" => status.name()).set(float(count));
        }
        let artifacts = self.store().artifact_usage_of_all().await?;
        metrics::gauge!("mikrocloud_artifacts").set(float(artifacts.count));
        metrics::gauge!("mikrocloud_artifact_bytes").set(float(artifacts.bytes));
        metrics::gauge!("mikrocloud_notifications_pending").set(float(self.store().delivery_pending_count().await?));
        for (kind, count) in self.store().alert_open_counts().await? {
            metrics::gauge!("mikrocloud_alerts_open", "kind" => kind).set(float(count));
        }
        for queue in self.store().queue_stats(now()).await? {
            let age = queue.oldest_due_at.map_or(0, |due| (now() - due).num_seconds());
            metrics::gauge!("mikrocloud_queue_oldest_seconds", "queue" => queue.name.clone()).set(float(age));
            metrics::gauge!("mikrocloud_queue_waiting", "queue" => queue.name).set(float(queue.waiting));
        }
        for (queue, state, count) in self.store().job_state_counts().await? {
            let state = format!("{state:?}").to_lowercase();
            metrics::gauge!("mikrocloud_jobs", "queue" => queue, "state" => state).set(float(count));
        }
        Ok(())
    }
}
