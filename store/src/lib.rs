#![doc = include_str!("../README.md")]

#[macro_use]
mod db;
mod audit;
mod clouds;
mod error;
mod identity;
mod notifications;
mod operations;
mod page;
mod projects;
mod schema;

pub use audit::{AuditActor, AuditCheckpointRow, AuditFilter, AuditHead, AuditKeyRow, AuditRow, NewAuditEntry};
pub use clouds::edges::{EdgeObservation, EdgeRow};
pub use clouds::local::LocalWorkload;
pub use db::{Lock, Store, Tx};
pub use error::StoreError;
pub use identity::api_keys::NewApiKey;
pub use identity::devices::{DeviceLogin, LetIn};
pub use identity::identities::Identity;
pub use identity::invitations::Invitation;
pub use identity::roles::NewGrant;
pub use identity::sessions::{LinkMaker, RefreshToken};
pub use identity::sign_in::{Attempts, SecondFactor, SignInFlow};
pub use identity::signing_keys::SigningKey;
pub use identity::users::Credentials;
pub use notifications::{AttemptEnd, ChannelEdit, ChannelHealth, DeliveryFilter, LetterRow, ToldDeployment};
pub use operations::jobs::{Failed, JobBatches, JobClaim, JobFailure, JobFilter, NewJob, Suspended};
pub use operations::key_rotations::KeyRotation;
pub use operations::queues::QueueStats;
pub use operations::{dump, idempotency, sealed};
pub use page::Page;
pub use projects::acme::{AcmeCertificate, AcmeDomain, AcmeName, AcmeOrderEnd};
pub use projects::artifacts::ArtifactUsage;
pub use projects::deployments::DeploymentChange;
pub use projects::events::EventKey;
pub use projects::git_connections::{GitConnectionChange, GitSecrets};
pub use projects::git_deliveries::{NewWebhookDelivery, WebhookDeliveryOutcome};
pub use projects::previews::GitReport;
pub use projects::project::ProjectChange;
pub use projects::retention::RemovedArtifact;
pub use projects::variables::SealedVariable;
pub use schema::{SchemaState, newest_schema};
