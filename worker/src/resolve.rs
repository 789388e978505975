//! Finds out which commit a deployment is to be built from.

use async_trait::async_trait;
use jobs::{Handler, JobError, Outcome, Run};
use services::Services;

pub struct Resolve(pub Services);

#[async_trait]
impl Handler for Resolve {
    async fn run(&self, run: Run) -> Result<Outcome, JobError> {
        self.0.deployments().run_resolve(&run).await
    }
}
