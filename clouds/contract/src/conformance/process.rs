use std::sync::Arc;
use std::time::Duration;

use domain::id::{BaseId, DeploymentId};
use domain::workload::WorkloadSpec;
use tokio_util::sync::CancellationToken;

use super::{Fixture, Subject, Version};
use crate::testing::{Cut, MemoryJournal};
use crate::{Address, Cloud, CloudError, Desired, Observation, Outputs, Progress, Route, Scope, Whose};

/// Steps after which something that goes on is taken to hang.
const PATIENCE: usize = 500;

/// Longest pause between two steps: waits are not what is tested.
const PAUSE: Duration = Duration::from_millis(20);

/// Goes on until it is ready.
pub async fn until<T>(mut step: impl AsyncFnMut() -> Result<Progress<T>, CloudError>) -> Result<T, CloudError> {
    let mut detail = String::new();
    for _ in 0..PATIENCE {
        match step().await? {
            Progress::Ready(value) => return Ok(value),
            Progress::Pending(wait) => {
                detail = wait.detail;
                tokio::time::sleep(wait.retry_after.min(PAUSE)).await;
            }
        }
    }
    panic!("it never becomes ready: {detail}")
}

/// A process at work in an account, with a journal that outlives it.
pub struct Process<'a> {
    /// The account.
    pub subject: &'a dyn Subject,
    /// The opened account.
    pub cloud: Cloud,
    journal: MemoryJournal,
    whose: Whose,
    stop: CancellationToken,
    /// Errors that can pass are waited out, as jobs do.
    endures: bool,
}

impl<'a> Process<'a> {
    /// A process that is cut off there.
    pub fn new(subject: &'a dyn Subject, journal: &MemoryJournal, cut: &Arc<Cut>) -> Self {
        let cloud = subject.open(Arc::clone(cut) as _);
        let (whose, stop) = (subject.whose(), CancellationToken::new());
        Self { subject, cloud, journal: journal.with_cut(cut), whose, stop, endures: false }
    }

    /// The same, which waits for errors to pass that can.
    #[must_use]
    pub fn enduring(self) -> Self {
        Self { endures: true, ..self }
    }

    /// The scope of the environment.
    pub fn scope<'s>(&'s self, base: &'s Outputs) -> Scope<'s> {
        Scope {
            whose: self.whose.clone(),
            region: self.subject.region(),
            base,
            journal: &self.journal,
            inputs: self.subject.inputs(),
            log: self.subject.log(),
            stop: &self.stop,
        }
    }

    async fn until<T>(&self, mut step: impl AsyncFnMut() -> Result<Progress<T>, CloudError>) -> Result<T, CloudError> {
        until(async || match step().await {
            Err(error) if self.endures && error.is_retryable() => Ok(Progress::pending(error.to_string(), PAUSE)),
            progress => progress,
        })
        .await
    }

    /// Id of the n-th base: the same for each process.
    fn base_id(&self, number: usize) -> BaseId {
        let team = self.whose.team.uuid().as_u128();
        BaseId::from(uuid::Uuid::from_u128(team ^ (number as u128 + 1)))
    }

    /// Makes the bases.
    pub async fn bases(&self) -> Result<Outputs, CloudError> {
        let (nothing, mut all) = (Outputs::new(), Outputs::new());
        let Some(account) = &self.cloud.account else { return Ok(all) };
        let whose = Whose { environment: None, ..self.whose.clone() };
        let journal = self.journal.of(whose.clone());
        for (number, base) in self.subject.bases().iter().enumerate() {
            let scope = Scope { whose: whose.clone(), journal: &journal, ..self.scope(&nothing) };
            all.extend(self.until(async || account.prepare(*base, self.base_id(number), &scope).await).await?);
        }
        Ok(all)
    }

    /// Removes the bases.
    pub async fn dismantle(&self) -> Result<(), CloudError> {
        let nothing = Outputs::new();
        let Some(account) = &self.cloud.account else { return Ok(()) };
        for (number, base) in self.subject.bases().iter().enumerate().rev() {
            let scope = Scope { whose: Whose { environment: None, ..self.whose.clone() }, ..self.scope(&nothing) };
            self.until(async || account.dismantle(*base, self.base_id(number), &scope).await).await?;
        }
        Ok(())
    }

    /// Makes a deployment and waits until it is ready; its own address, where it has one.
    pub async fn apply(&self, desired: &Desired<WorkloadSpec>) -> Result<Option<Address>, CloudError> {
        let base = self.bases().await?;
        let scope = self.scope(&base);
        let started = self.until(async || self.cloud.apply(&scope, desired).await).await?;
        self.until(async || {
            Ok(match self.cloud.observe(&scope, desired.deployment_id, &desired.spec).await? {
                Observation::Ready { .. } => Progress::Ready(()),
                Observation::Failed { code, message } => panic!("{code}: {message}"),
                Observation::Absent => Progress::pending("it to be there", PAUSE),
                Observation::Pending { detail } => Progress::pending(detail, PAUSE),
            })
        })
        .await?;
        Ok(started.address)
    }

    /// Shows a deployment; the environment's address.
    pub async fn switch(&self, desired: &Desired<WorkloadSpec>) -> Result<Address, CloudError> {
        let route = Route {
            label: desired.label.clone(),
            team_id: desired.team_id,
            project_id: desired.project_id,
            environment_id: desired.environment_id,
            deployment_id: desired.deployment_id,
            kind: desired.spec.workload_kind(),
            before: None,
        };
        let nothing = Outputs::new();
        let scope = self.scope(&nothing);
        self.until(async || self.cloud.traffic.switch(&scope, &route).await).await
    }

    /// The deployment that the environment shows.
    pub async fn shown(&self) -> Result<Option<DeploymentId>, CloudError> {
        let nothing = Outputs::new();
        self.cloud.traffic.shown(&self.scope(&nothing)).await
    }

    /// Lets a deployment rest.
    pub async fn rest(&self, desired: &Desired<WorkloadSpec>) -> Result<(), CloudError> {
        let nothing = Outputs::new();
        let scope = self.scope(&nothing);
        self.until(async || self.cloud.rest(&scope, desired.deployment_id, &desired.spec).await).await
    }

    /// Removes a deployment.
    pub async fn delete(&self, desired: &Desired<WorkloadSpec>) -> Result<(), CloudError> {
        let nothing = Outputs::new();
        let scope = self.scope(&nothing);
        self.until(async || self.cloud.delete(&scope, desired.deployment_id).await).await
    }

    /// Removes what the environment's deployments share.
    pub async fn remove(&self) -> Result<(), CloudError> {
        let nothing = Outputs::new();
        let scope = self.scope(&nothing);
        self.until(async || self.cloud.traffic.remove(&scope).await).await
    }

    /// Makes and shows one deployment after the other.
    pub async fn live(&self, deployments: &[Desired<WorkloadSpec>]) -> Result<(), CloudError> {
        for desired in deployments {
            self.apply(desired).await?;
            self.switch(desired).await?;
        }
        Ok(())
    }

    /// Removes deployments with everything that they shared.
    pub async fn leave(&self, deployments: &[Desired<WorkloadSpec>]) -> Result<(), CloudError> {
        for desired in deployments {
            self.delete(desired).await?;
        }
        self.remove().await?;
        self.dismantle().await
    }

    /// Panics unless an address shows a version.
    pub async fn check_shows(&self, address: &Address, version: &Version) {
        let got = self.subject.get(address, "/").await;
        assert_eq!((got.status, got.text.as_str()), (200, version.shows.as_str()), "{}", address.url);
    }
}

/// Deployments of both versions of a fixture.
pub(super) fn deployments(subject: &dyn Subject, fixture: &Fixture) -> [Desired<WorkloadSpec>; 2] {
    let whose = subject.whose();
    let Some(place) = whose.environment else { panic!("the subject has an environment") };
    fixture.versions.clone().map(|version| Desired {
        deployment_id: DeploymentId::new(),
        team_id: whose.team,
        project_id: place.project,
        environment_id: place.environment,
        label: place.label.clone(),
        artifact: version.artifact,
        spec: version.spec,
    })
}

/// Panics unless nothing is left.
pub(super) async fn check_empty(subject: &dyn Subject, journal: &MemoryJournal, at: &str) {
    let left = subject.inventory().await;
    assert!(left.is_empty(), "{at}: left in the cloud: {left:?}");
    let left = journal.all();
    assert!(left.is_empty(), "{at}: left in the journal: {left:?}");
}

/// Result of work; panics if it failed.
pub(super) fn given<T>(result: Result<T, CloudError>, at: &str) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{at}: {error} ({:?})", error.context()),
    }
}
