#![doc = include_str!("../README.md")]

#[macro_use]
mod db;
mod access;
mod acme;
mod alerts;
mod approvals;
mod artifacts;
mod audit;
mod deployments;
mod devices;
mod domains;
pub mod dump;
mod edges;
mod environments;
mod error;
mod events;
mod git_connections;
mod git_deliveries;
pub mod idempotency;
mod identities;
mod installation;
mod invitations;
mod jobs;
mod key_rotations;
mod local;
mod log_archives;
mod logs;
mod members;
mod notifications;
mod previews;
mod projects;
mod queues;
mod resources;
mod retention;
mod roles;
mod schedules;
mod schema;
pub mod sealed;
mod security_events;
mod sessions;
mod sign_in;
mod signing_keys;
mod variables;

pub use access::{Credentials, NewApiKey};
pub use acme::{AcmeCertificate, AcmeDomain, AcmeName, AcmeOrderEnd};
pub use artifacts::ArtifactUsage;
pub use audit::{AuditActor, AuditCheckpointRow, AuditFilter, AuditHead, AuditKeyRow, AuditRow, NewAuditEntry};
pub use db::{Lock, Store, Tx};
pub use deployments::{DeploymentChange, NewDeployment};
pub use devices::{DeviceLogin, LetIn};
pub use edges::{EdgeObservation, EdgeRow};
pub use error::StoreError;
pub use events::EventKey;
pub use git_connections::{GitConnectionChange, GitSecrets};
pub use git_deliveries::{DeliveryOutcome, NewDelivery};
pub use identities::Identity;
pub use invitations::Invitation;
pub use jobs::{Claim, Failed, JobBatches, JobFailure, JobFilter, NewJob};
pub use key_rotations::KeyRotation;
pub use local::LocalWorkload;
pub use notifications::{AttemptEnd, ChannelEdit, ChannelHealth, DeliveryFilter, LetterRow, ToldDeployment};
pub use previews::GitReport;
pub use projects::ProjectChange;
pub use queues::QueueStats;
pub use retention::RemovedArtifact;
pub use roles::NewGrant;
pub use schema::{SchemaState, newest_schema};
pub use sessions::RefreshToken;
pub use sign_in::{Attempts, SecondFactor, SignInFlow};
pub use signing_keys::SigningKey;
pub use variables::SealedVariable;

/// One page of a list, newest first.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Whether more follow.
    pub has_more: bool,
}

impl<T> Page<T> {
    /// A page from up to `limit + 1` rows: the extra row only tells that there are more.
    fn from_rows(mut items: Vec<T>, limit: i64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(0);
        let has_more = items.len() > limit;
        items.truncate(limit);
        Self { items, has_more }
    }
}
