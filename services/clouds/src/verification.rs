//! Looking at accounts: on connecting, on demand, and every day.

use chrono::TimeDelta;
use clouds_contract::{CloudError, ErrorKind, Verification};
use domain::cloud::{CheckOutcome, CloudAccount, CloudAccountState};
use domain::region;
use domain::time::now;
use jobs::payload::VerifyAccountJob;
use jobs::{JobAttempt, JobError, Outcome};
use store::StoreError;

use crate::CloudAccounts;

/// Interval between two looks at an account.
const EVERY: TimeDelta = TimeDelta::days(1);

impl CloudAccounts {
    /// The work of a [`VerifyAccountJob`].
    pub async fn run_verification(&self, run: &JobAttempt) -> Result<Outcome, JobError> {
        let job: VerifyAccountJob = run.payload()?;
        let Some(account) = self.store().cloud_account_get(job.team_id, job.account_id).await? else { return Ok(Outcome::Done) };
        let found = self.look_at(&account).await;
        if let Err(error) = &found
            && error.is_retryable()
            && run.job.attempts < run.job.max_attempts
        {
            return Err(JobError::Retry(jobs::handler::chain(error)));
        }
        let mut tx = self.begin().await?;
        tx.job_fence(run.fence).await?;
        match tx.cloud_account_checked(&judged(account, found)).await {
            // Another credential came meanwhile, and with it another look.
            Ok(()) | Err(StoreError::Changed) => {}
            Err(error) => return Err(error.into()),
        }
        tx.job_finish(run.fence).await?;
        tx.commit().await?;
        Ok(Outcome::Recorded)
    }

    async fn look_at(&self, account: &CloudAccount) -> Result<Verification, CloudError> {
        let refused = |message: String| CloudError::new(ErrorKind::SignedOut, "BAD_CREDENTIAL", message);
        let cloud = self.open_account(account).await.map_err(|error| refused(error.to_string()))?;
        let region = region::named(cloud.about.regions, &account.region).map_or("", |(_, vendors)| vendors);
        match &cloud.account {
            Some(opened) => opened.verify(region).await,
            None => Err(CloudError::new(ErrorKind::Unsupported, "UNSUPPORTED", "this cloud has no accounts")),
        }
    }

    /// Asks for a look at each account whose time has come. Called by housekeeping.
    pub async fn schedule_looks(&self) -> Result<(), StoreError> {
        for mut account in self.store().cloud_account_list_due(now()).await? {
            let mut tx = self.begin().await?;
            account.next_check_at = Some(now() + EVERY);
            match tx.cloud_account_checked(&account).await {
                Ok(()) => {}
                Err(StoreError::Changed) => continue,
                Err(error) => return Err(error),
            }
            tx.enqueue(&VerifyAccountJob { version: 1, team_id: account.team_id, account_id: account.id }).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// An account with what a look at it found.
fn judged(account: CloudAccount, found: Result<Verification, CloudError>) -> CloudAccount {
    let mut account = CloudAccount { verified_at: Some(now()), next_check_at: Some(now() + EVERY), ..account };
    match found {
        Ok(found) => {
            account.state = CloudAccountState::Connected;
            account.problem = missing(&found);
            account.principal = Some(found.principal);
            account.checks = found.checks;
        }
        Err(error) if error.kind == ErrorKind::SignedOut => {
            account.state = CloudAccountState::Reconnect;
            account.problem = Some(error.message);
        }
        // What is known stays: the vendor may not have answered.
        Err(error) => account.problem = Some(error.message),
    }
    account
}

/// Sentence on permissions that are not there.
fn missing(found: &Verification) -> Option<String> {
    let missing: Vec<_> = found
        .checks
        .iter()
        .filter(|check| check.outcome == CheckOutcome::Missing)
        .map(|check| check.permission.as_str())
        .collect();
    let (first, others) = (missing.first()?, missing.len() - 1);
    let more = if others > 0 { format!(" and {others} more") } else { String::new() };
    Some(format!("{} lacks the permission {first}{more}: the account's checks say how to add each", found.principal))
}

#[cfg(test)]
mod tests {
    use domain::cloud::Check;

    use super::*;

    fn check(permission: &str, outcome: CheckOutcome) -> Check {
        Check { permission: permission.to_owned(), outcome, remedy: None }
    }

    #[test]
    fn what_is_missing_is_named() {
        let checks =
            vec![check("a", CheckOutcome::Granted), check("b", CheckOutcome::Missing), check("c", CheckOutcome::Missing)];
        let found = Verification { principal: "robot".to_owned(), checks };
        assert_eq!(missing(&found).unwrap(), "robot lacks the permission b and 1 more: the account's checks say how to add each");
        let checks = vec![check("a", CheckOutcome::Unknown)];
        assert_eq!(missing(&Verification { principal: "robot".to_owned(), checks }), None);
    }
}
