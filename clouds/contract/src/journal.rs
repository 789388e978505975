//! The record of what exists in a cloud because of us. A row is written before the call that makes the thing, so that nothing is made
//! that nobody knows of.

use async_trait::async_trait;
use domain::id::{BaseId, DeploymentId, PlacementId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{CloudError, Naming, Outputs};

/// Identity of a thing within its account and region, before it has an id of the vendor's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Its kind, such as `gcp.run.service`.
    pub kind: &'static str,
    /// Its part in what it is made for, such as `app`: two things of one kind and owner differ in it.
    pub purpose: String,
    /// Reason for its existence: it is removed with its owner.
    pub owner: Owner,
}

/// Reason for the existence of a thing in a cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// Shared by the environments of an account and region.
    Base(BaseId),
    /// Shared by the deployments of an environment.
    Placement(PlacementId),
    /// One deployment's own.
    Deployment(DeploymentId),
}

impl Owner {
    /// The id inside, whatever it is of.
    pub fn uuid(self) -> Uuid {
        match self {
            Self::Base(id) => id.uuid(),
            Self::Placement(id) => id.uuid(),
            Self::Deployment(id) => id.uuid(),
        }
    }
}

/// One thing in the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its kind, such as `gcp.run.service`.
    pub kind: String,
    /// Its part in what it is made for.
    pub purpose: String,
    /// Reason for its existence.
    pub owner: Owner,
    /// Its name in the cloud.
    pub name: String,
    /// Counts the names tried: a name that is the world's may be taken.
    pub generation: i64,
    /// Idempotency token, the same in every attempt at this generation.
    pub token: Uuid,
    /// State as far as known.
    pub state: EntryState,
    /// The vendor's id, once known.
    pub external_id: Option<String>,
    /// Operation of the vendor's that is under way.
    pub operation: Option<Operation>,
    /// Values it has once made.
    pub outputs: Outputs,
    /// Number of changes: a write needs the last one read.
    pub revision: i64,
}

/// State of a thing in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryState {
    /// Written down; nothing was asked of the vendor yet.
    Intended,
    /// Asked for; the answer may be unknown.
    Asked,
    /// It exists.
    There,
    /// It is being removed.
    Going,
}

/// A vendor's operation that is under way, as its own cloud reads it: opaque to everyone else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Operation(pub serde_json::Value);

/// Journal of one account and region.
#[async_trait]
pub trait Journal: Send + Sync {
    /// The entry of a key. It is written, with a name by these rules, if there is none.
    async fn open(&self, key: &Key, naming: Naming) -> Result<Entry, CloudError>;

    /// Writes an entry back, and returns it with its new revision. Fails with `Conflict` if somebody else wrote it since it was read.
    async fn save(&self, entry: &Entry) -> Result<Entry, CloudError>;

    /// Removes an entry whose thing is gone.
    async fn strike(&self, entry: &Entry) -> Result<(), CloudError>;

    /// Entries of an owner, newest first.
    async fn entries(&self, owner: Owner) -> Result<Vec<Entry>, CloudError>;
}
