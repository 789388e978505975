//! Tells a user by mail what happened to their account.

use async_trait::async_trait;
use jobs::{Handler, JobError, Outcome};
use services::Services;

pub struct AccountMail(pub Services);

#[async_trait]
impl Handler for AccountMail {
    async fn run(&self, run: jobs::Run) -> Result<Outcome, JobError> {
        self.0.letters().mail_account_event(&run).await
    }
}
