//! Why something is deployed.

use domain::deployment::Deployment;
use domain::environment::Environment;
use domain::source::Reference;
use store::Tx;

use super::notices::Notices;
use crate::Result;
use crate::git_hosts::HostTrigger;
use crate::schedules::ScheduledRun;

/// What a deployment is triggered by. What it is told of is recorded in the same transaction, so that nothing triggers twice.
pub(crate) enum Occasion<'a> {
    /// Somebody asks for it.
    Asked,
    /// A schedule's time has come.
    Scheduled(&'a ScheduledRun),
    /// A Git host told of commits.
    Told(&'a HostTrigger<'a>),
}

impl Occasion<'_> {
    /// Whether it still stands. The project is locked.
    pub async fn check(&self, tx: &mut Tx) -> Result<()> {
        match self {
            Self::Asked | Self::Scheduled(_) => Ok(()),
            Self::Told(trigger) => trigger.check(tx).await,
        }
    }

    /// The commit that is deployed, where it is given.
    pub fn commit(&self) -> Option<&Reference> {
        match self {
            Self::Asked | Self::Scheduled(_) => None,
            Self::Told(trigger) => Some(trigger.commit),
        }
    }

    /// Who wrote what is deployed, when that is nobody of the team.
    pub fn author(&self) -> Option<&str> {
        match self {
            Self::Asked | Self::Scheduled(_) => None,
            Self::Told(trigger) => trigger.outside,
        }
    }

    /// Records that the deployment was triggered, and ends the job that did it.
    pub async fn record(
        &self,
        tx: &mut Tx,
        notices: &mut Notices,
        deployment: &Deployment,
        environment: &Environment,
    ) -> Result<()> {
        match self {
            Self::Asked => Ok(()),
            Self::Scheduled(run) => Ok(run.record(tx, deployment.number).await?),
            Self::Told(trigger) => trigger.record(tx, notices, deployment, environment).await,
        }
    }
}
