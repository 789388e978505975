//! Things of a vendor that we make, keep as described and remove: each kind says how, [`ensure`](crate::ensure()) says in what order.

use async_trait::async_trait;

use crate::{CloudError, Entry, Key, Naming, Operation, Outputs, Wait};

/// A kind of thing in a cloud, with what one of them is to be like.
///
/// Calls answer for the present alone: whether one of them was made before, and got lost, is the engine's business.
#[async_trait]
pub trait Managed: Send + Sync {
    /// Identity of the thing.
    fn key(&self) -> Key;

    /// Rules for its name.
    fn naming(&self) -> Naming;

    /// The thing in the words of people, such as `the Cloud Run service`.
    fn title(&self) -> String;

    /// Looks for it by its id, else by its name. A thing of that name that somebody else made is found, too, and said to be theirs.
    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError>;

    /// Asks for it to be made, with the name and the token of the entry.
    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError>;

    /// Asks for it to become as described.
    async fn update(&self, entry: &Entry, found: &Found) -> Result<Asked, CloudError>;

    /// Asks for it to be removed.
    async fn delete(&self, entry: &Entry, found: &Found) -> Result<Asked, CloudError>;

    /// Asks how an operation of it goes on.
    async fn follow(&self, operation: &Operation) -> Result<Followed, CloudError>;
}

/// A thing that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The vendor's id.
    pub id: String,
    /// State.
    pub state: FoundState,
    /// It is as described.
    pub is_current: bool,
    /// Owner, by its tags.
    pub owner: Ownership,
    /// Version that a change has to name, such as an entity tag.
    pub version: Option<String>,
    /// Values that it has. Never secrets.
    pub outputs: Outputs,
}

/// State of a thing that exists. A state that the vendor added later is [`Making`](Self::Making).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundState {
    /// It is being made or changed.
    Making(Wait),
    /// It is there.
    Ready,
    /// It could not be made.
    Failed {
        /// Stable, in capitals.
        code: &'static str,
        /// Description of the failure, with a remedy.
        message: String,
    },
    /// It is being removed.
    Going(Wait),
}

/// Owner of a thing, by its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ownership {
    /// This installation.
    Ours,
    /// Somebody else, by name as far as known.
    Others(String),
    /// It carries no tags of anybody.
    Untagged,
}

/// A change that a vendor took on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// The vendor's id of the thing, once known.
    pub id: Option<String>,
    /// The operation that is under way; none if the change is done with the answer.
    pub operation: Option<Operation>,
    /// Time after which following the operation is worthwhile.
    pub retry_after: std::time::Duration,
}

/// Progress of an operation.
#[derive(Debug)]
pub enum Followed {
    /// It goes on.
    Running(Wait),
    /// It is over, and well.
    Done,
    /// It is over, and failed.
    Failed(CloudError),
    /// The vendor does not know it any more: the thing itself says what became of it.
    Unknown,
}

/// Kinds of a cloud by their entries in the journal: to remove what no specification is at hand for.
pub trait Catalogue: Send + Sync {
    /// The kind of an entry. Fails for a kind that this program does not know.
    fn revive(&self, entry: &Entry) -> Result<Box<dyn Managed + '_>, CloudError>;
}
