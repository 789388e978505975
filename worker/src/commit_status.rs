//! Tells a Git host how a deployment of one of its commits stands.

use async_trait::async_trait;
use jobs::{Handler, JobError, Outcome, Run};
use services::Services;

pub struct CommitStatus(pub Services);

#[async_trait]
impl Handler for CommitStatus {
    async fn run(&self, run: Run) -> Result<Outcome, JobError> {
        self.0.git().run_commit_status(&run).await
    }
}
