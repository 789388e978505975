//! Fetches a deployment's source and builds it.

use async_trait::async_trait;
use jobs::{Handler, JobError, Outcome, Run};
use services::Services;

pub struct Build(pub Services);

#[async_trait]
impl Handler for Build {
    async fn run(&self, run: Run) -> Result<Outcome, JobError> {
        self.0.deployments().run_build(&run).await
    }
}
