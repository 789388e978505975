//! Work in an account: everything a cloud is given with each call, made from rows.

use std::time::Duration;

use clouds_contract::{Cloud, CloudError, EnvironmentPlace, ErrorKind, Inputs, LogSink, Outputs, Progress, Scope, Whose};
use domain::cloud::{CloudAccount, CloudAccountState, Placement};
use domain::id::{CloudAccountId, TeamId};
use domain::job::Fence;
use jobs::JobAttempt;
use services_core::{Result, ServiceError};
use store::StoreError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::CloudServices;
use crate::journal::StoreJournal;
use crate::open::check_usable;

/// Pause before an account is tried again that cannot be used at present.
pub const UNUSABLE_PAUSE: Duration = Duration::from_mins(5);

/// An opened account with the place that a job works in.
pub struct Work {
    /// The opened account.
    pub cloud: Cloud,
    /// The account.
    pub account: CloudAccount,
    journal: StoreJournal,
    base: Outputs,
    stop: CancellationToken,
}

/// Reason for which an account cannot be worked in, with its remedy.
pub struct Unusable(pub String);

impl CloudServices {
    /// Opens the account of a placement for a job; `Err` within `Ok` when it cannot be used at present.
    pub async fn work_in(&self, run: &JobAttempt, placement: &Placement) -> Result<std::result::Result<Work, Unusable>> {
        let environment = EnvironmentPlace {
            project: placement.project_id,
            environment: placement.environment_id,
            placement: placement.id,
            label: placement.label.clone(),
        };
        self.work(run, (placement.team_id, placement.account_id), &placement.region, Some(environment)).await
    }

    /// Opens an account and region for a job on what several environments share.
    pub async fn work_in_region(
        &self,
        run: &JobAttempt,
        account: (TeamId, CloudAccountId),
        region: &str,
    ) -> Result<std::result::Result<Work, Unusable>> {
        self.work(run, account, region, None).await
    }

    /// Remembers that a vendor no longer accepts an account's credential. Nothing is asked of it until it has another.
    pub async fn note_refusal(&self, account: &CloudAccount, error: &CloudError) -> std::result::Result<(), StoreError> {
        if error.kind != ErrorKind::SignedOut {
            return Ok(());
        }
        let problem = Some(error.message.clone());
        let refused = CloudAccount { state: CloudAccountState::Reconnect, problem, ..account.clone() };
        let mut tx = self.begin().await?;
        match tx.cloud_account_checked(&refused).await {
            Ok(()) => tx.commit().await,
            // It has another credential by now.
            Err(StoreError::Changed) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn work(
        &self,
        run: &JobAttempt,
        (team, account): (TeamId, CloudAccountId),
        region: &str,
        environment: Option<EnvironmentPlace>,
    ) -> Result<std::result::Result<Work, Unusable>> {
        let account = self.store().cloud_account_get(team, account).await?.ok_or(ServiceError::NotFound("cloud account"))?;
        if let Err(reason) = check_usable(&account) {
            return Ok(Err(Unusable(reason)));
        }
        let cloud = match self.open_account(&account).await {
            Ok(cloud) => cloud,
            Err(error @ ServiceError::Invalid { .. }) => return Ok(Err(Unusable(error.to_string()))),
            Err(error) => return Err(error),
        };
        let whose = Whose { installation: self.installation_tag().await?, team, environment };
        let fence: Fence = run.fence;
        let journal = StoreJournal { store: self.store().clone(), fence, whose, account: account.id, region: region.to_owned() };
        Ok(Ok(Work { cloud, account, journal, base: Outputs::new(), stop: run.stop.clone() }))
    }
}

/// Waits up to this length are sat out, so that what is quick needs no second job.
pub const SHORT_WAIT: Duration = Duration::from_secs(1);

/// Longest time for which short waits are sat out.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// Repeats a step as long as its waits are short. What is still pending then is for a later job.
pub async fn patiently<T, F, U>(run: &JobAttempt, mut step: F) -> std::result::Result<Progress<T>, CloudError>
where
    F: FnMut() -> U,
    U: Future<Output = std::result::Result<Progress<T>, CloudError>>,
{
    let began = Instant::now();
    loop {
        let wait = match step().await? {
            Progress::Pending(wait) if wait.retry_after <= SHORT_WAIT && began.elapsed() < PATIENCE => wait,
            progress => return Ok(progress),
        };
        tokio::select! {
            () = tokio::time::sleep(wait.retry_after) => {}
            () = run.stop.cancelled() => return Err(CloudError::new(ErrorKind::Cancelled, "CANCELLED", "the work was stopped")),
        }
    }
}

impl Work {
    /// The same with the outputs of the bases that it builds on.
    #[must_use]
    pub fn on(mut self, base: Outputs) -> Self {
        self.base = base;
        self
    }

    /// The scope of a call.
    pub fn scope<'a>(&'a self, inputs: &'a dyn Inputs, log: &'a dyn LogSink) -> Scope<'a> {
        Scope {
            whose: self.journal.whose.clone(),
            region: &self.journal.region,
            base: &self.base,
            journal: &self.journal,
            inputs,
            log,
            stop: &self.stop,
        }
    }
}
