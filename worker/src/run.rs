//! Does what a schedule says.

use async_trait::async_trait;
use jobs::{Handler, JobError, Outcome};
use services::Services;

pub struct Run(pub Services);

#[async_trait]
impl Handler for Run {
    async fn run(&self, run: jobs::Run) -> Result<Outcome, JobError> {
        self.0.schedules().run(&run).await
    }
}
