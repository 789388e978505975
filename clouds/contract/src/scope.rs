use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use async_trait::async_trait;
use domain::artifact::Digest;
use domain::event::NewLine;
use domain::id::{DeploymentId, EnvironmentId, PlacementId, ProjectId, TeamId};
use domain::secret::Secret;
use tokio_util::sync::CancellationToken;

use crate::{CloudError, Entry, ErrorKind, Journal, Key, LogSink, Naming, Owner};

/// Values that a thing in a cloud has once it is made, such as its address or number, by name. Never secrets: they are stored.
pub type Outputs = BTreeMap<String, String>;

/// Owner of what is made: names and tags come from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whose {
    /// The installation of MikroCloud: 12 hexadecimal digits.
    pub installation: String,
    /// The team.
    pub team: TeamId,
    /// The project and environment; bases, which several environments share, have none.
    pub environment: Option<EnvironmentPlace>,
}

/// An environment's place in an account and region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentPlace {
    /// The project.
    pub project: ProjectId,
    /// The environment.
    pub environment: EnvironmentId,
    /// The environment's placement, whose id names what deployments of it share.
    pub placement: PlacementId,
    /// The environment's host label, such as `shop` or `shop--preview`: the readable part of names.
    pub label: String,
}

/// Place and owner of an operation. Everything in it can be made anew from rows of the database.
pub struct Scope<'a> {
    /// The owner.
    pub whose: Whose,
    /// The vendor's name of the region; empty for a cloud without regions.
    pub region: &'a str,
    /// Outputs of the bases that the capability needs.
    pub base: &'a Outputs,
    /// Record of what exists in the cloud because of us.
    pub journal: &'a dyn Journal,
    /// Artifacts and variables.
    pub inputs: &'a dyn Inputs,
    /// Log of the deployment.
    pub log: &'a dyn LogSink,
    /// Fires when the work has to stop.
    pub stop: &'a CancellationToken,
}

/// Gives a provider what it makes a workload from.
#[async_trait]
pub trait Inputs: Send + Sync {
    /// A directory with the artifact's files. They are not changed.
    async fn artifact(&self, digest: &Digest) -> Result<PathBuf, CloudError>;

    /// Variables of a deployment's environment, as they were when it was asked for.
    async fn variables(&self, deployment: DeploymentId) -> Result<Vec<(String, Secret)>, CloudError>;
}

/// Journal, inputs and log of work that needs none of them.
#[derive(Debug, Clone, Copy)]
pub struct Unneeded;

#[async_trait]
impl Journal for Unneeded {
    async fn open(&self, key: &Key, _naming: Naming) -> Result<Entry, CloudError> {
        Err(unneeded(&format!("a journal for {}", key.kind)))
    }

    async fn save(&self, entry: &Entry) -> Result<Entry, CloudError> {
        Err(unneeded(&format!("a journal for {}", entry.kind)))
    }

    async fn strike(&self, entry: &Entry) -> Result<(), CloudError> {
        Err(unneeded(&format!("a journal for {}", entry.kind)))
    }

    async fn entries(&self, _owner: Owner) -> Result<Vec<Entry>, CloudError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Inputs for Unneeded {
    async fn artifact(&self, digest: &Digest) -> Result<PathBuf, CloudError> {
        Err(unneeded(&format!("the artifact {digest}")))
    }

    async fn variables(&self, _deployment: DeploymentId) -> Result<Vec<(String, Secret)>, CloudError> {
        Err(unneeded("variables"))
    }
}

#[async_trait]
impl LogSink for Unneeded {
    async fn write(&self, _lines: Vec<NewLine>) -> Result<(), CloudError> {
        Ok(())
    }
}

fn unneeded(thing: &str) -> CloudError {
    CloudError::new(ErrorKind::Internal, "INTERNAL", format!("a cloud asked for {thing}, which this work is not given"))
}

impl Scope<'static> {
    /// The scope of the local cloud, which finds everything in its own rows.
    pub fn local(team: TeamId, environment: Option<EnvironmentPlace>) -> Self {
        static BASE: Outputs = Outputs::new();
        static STOP: LazyLock<CancellationToken> = LazyLock::new(CancellationToken::new);
        let whose = Whose { installation: String::new(), team, environment };
        Self { whose, region: "", base: &BASE, journal: &Unneeded, inputs: &Unneeded, log: &Unneeded, stop: &STOP }
    }
}
