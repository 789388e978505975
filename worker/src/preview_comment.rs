//! Tells people at a pull request how its preview stands.

use async_trait::async_trait;
use jobs::{Handler, JobError, Outcome, Run};
use services::Services;

pub struct PreviewComment(pub Services);

#[async_trait]
impl Handler for PreviewComment {
    async fn run(&self, run: Run) -> Result<Outcome, JobError> {
        self.0.git().run_preview_comment(&run).await
    }
}
