//! Operations of an installation: jobs and queues, alerts, dumps, sealed columns and their keys, idempotency keys.

pub mod alerts;
pub mod dump;
pub mod idempotency;
pub mod installation;
pub mod jobs;
pub mod key_rotations;
pub mod queues;
pub mod sealed;
