//! Starts what was built and switches its environment to it.

use async_trait::async_trait;
use jobs::{Handler, JobError, Outcome, Run};
use services::Services;

pub struct Release(pub Services);

#[async_trait]
impl Handler for Release {
    async fn run(&self, run: Run) -> Result<Outcome, JobError> {
        self.0.deployments().run_release(&run).await
    }
}
