//! Makes one attempt to deliver a notification.

use async_trait::async_trait;
use jobs::{Handler, JobError, Outcome};
use services::Services;

pub struct Notify(pub Services);

#[async_trait]
impl Handler for Notify {
    async fn run(&self, run: jobs::Run) -> Result<Outcome, JobError> {
        self.0.deliveries().deliver(&run).await
    }
}
