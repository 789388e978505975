//! Deletes a project with all it has in clouds.

use async_trait::async_trait;
use jobs::{Handler, JobError, Outcome, Run};
use services::Services;

pub struct DeleteProject(pub Services);

#[async_trait]
impl Handler for DeleteProject {
    async fn run(&self, run: Run) -> Result<Outcome, JobError> {
        self.0.projects().run_deletion(&run).await
    }
}
