//! Looks at the DNS for a domain.

use async_trait::async_trait;
use jobs::{Handler, JobError, Outcome, Run};
use services::Services;

pub struct CheckDomain(pub Services);

#[async_trait]
impl Handler for CheckDomain {
    async fn run(&self, run: Run) -> Result<Outcome, JobError> {
        self.0.domains().run_check(&run).await
    }
}
