//! Deletes an environment.

use async_trait::async_trait;
use jobs::{Handler, JobError, Outcome, Run};
use services::Services;

pub struct DeleteEnvironment(pub Services);

#[async_trait]
impl Handler for DeleteEnvironment {
    async fn run(&self, run: Run) -> Result<Outcome, JobError> {
        self.0.environments().run_deletion(&run).await
    }
}
