//! Does what follows from a webhook.

use async_trait::async_trait;
use jobs::{Handler, JobError, Outcome, Run};
use services::Services;

pub struct Webhook(pub Services);

#[async_trait]
impl Handler for Webhook {
    async fn run(&self, run: Run) -> Result<Outcome, JobError> {
        self.0.git().run_webhook(&run).await
    }
}
