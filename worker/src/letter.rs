//! Sends a letter.

use async_trait::async_trait;
use jobs::{Handler, JobError, Outcome};
use services::Services;

pub struct SendLetter(pub Services);

#[async_trait]
impl Handler for SendLetter {
    async fn run(&self, run: jobs::Run) -> Result<Outcome, JobError> {
        self.0.letters().send(&run).await
    }
}
