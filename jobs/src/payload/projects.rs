//! What Git hosts tell, and are told.

use std::time::Duration;

use domain::id::{DeploymentId, GitDeliveryId, PreviewId, TeamId};
use serde::{Deserialize, Serialize};

use super::Payload;

/// Does what follows from something that a Git host told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookJob {
    /// Version of this payload.
    pub version: u8,
    /// The team.
    pub team_id: TeamId,
    /// What was told.
    pub delivery_id: GitDeliveryId,
}

impl Payload for WebhookJob {
    const KIND: &'static str = "webhook";
    const QUEUE: &'static str = "webhook";
    const MAX_ATTEMPTS: i64 = 20;
    const TIMEOUT: Duration = Duration::from_mins(1);

    fn team_id(&self) -> TeamId {
        self.team_id
    }
}

/// Tells a Git host how a deployment of one of its commits stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitStatusJob {
    /// Version of this payload.
    pub version: u8,
    /// The team.
    pub team_id: TeamId,
    /// The deployment.
    pub deployment_id: DeploymentId,
}

impl Payload for CommitStatusJob {
    const KIND: &'static str = "commit_status";
    const QUEUE: &'static str = "report";
    const MAX_ATTEMPTS: i64 = 12;
    const TIMEOUT: Duration = Duration::from_mins(1);

    fn team_id(&self) -> TeamId {
        self.team_id
    }

    // One after the other, so that the last one tells how it stands in the end. The deployment is no subject: that its host is told of it
    // does not mean that it still moves.
    fn exclusion_key(&self) -> Option<String> {
        Some(format!("commit_status:{}", self.deployment_id))
    }
}

/// Tells people at a pull request how its preview stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewCommentJob {
    /// Version of this payload.
    pub version: u8,
    /// The team.
    pub team_id: TeamId,
    /// The preview.
    pub preview_id: PreviewId,
}

impl Payload for PreviewCommentJob {
    const KIND: &'static str = "preview_comment";
    const QUEUE: &'static str = "report";
    const MAX_ATTEMPTS: i64 = 12;
    const TIMEOUT: Duration = Duration::from_mins(1);

    fn team_id(&self) -> TeamId {
        self.team_id
    }

    // One after the other: there is one comment.
    fn exclusion_key(&self) -> Option<String> {
        Some(format!("preview_comment:{}", self.preview_id))
    }
}
