//! Removes from its cloud what a deployment left there.

use async_trait::async_trait;
use jobs::{Handler, JobError, Outcome, Run};
use services::Services;

pub struct Retire(pub Services);

#[async_trait]
impl Handler for Retire {
    async fn run(&self, run: Run) -> Result<Outcome, JobError> {
        self.0.deployments().run_retirement(&run).await
    }
}
