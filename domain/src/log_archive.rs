//! Logs of ended deployments, moved out of the database into objects.

use serde::{Deserialize, Serialize};

use crate::artifact::Digest;
use crate::id::{DeploymentId, ObjectId, TeamId};

/// A piece of an archived log: some lines, compressed, one after the other in the object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogChunk {
    /// The number of its first line.
    pub first: i64,
    /// The number of its last line.
    pub last: i64,
    /// Offset in the object.
    pub offset: u64,
    /// Length in the object.
    pub length: u64,
    /// The SHA-256 of these bytes.
    pub digest: Digest,
}

/// An archived part of a deployment's log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct LogArchive {
    /// The team.
    pub team_id: TeamId,
    /// The deployment.
    pub deployment_id: DeploymentId,
    /// The number of its first line.
    pub first_number: i64,
    /// The number of its last line.
    pub last_number: i64,
    /// The object that holds it.
    pub object_id: ObjectId,
    /// The size of that object.
    pub size_bytes: i64,
    /// The pieces, in order.
    #[cfg_attr(feature = "sqlx", sqlx(json))]
    pub chunks: Vec<LogChunk>,
}
