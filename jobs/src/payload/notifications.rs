//! What is sent to receivers of notifications, and to people.

use std::time::Duration;

use domain::id::{ChannelId, DeliveryId, LetterId, SecurityEventId, TeamId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Payload;

/// Makes one attempt to deliver a notification; a later one has a job of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifyJob {
    /// Version of this payload.
    pub version: u8,
    /// The team.
    pub team_id: TeamId,
    /// Where it goes; one attempt at a time, so that a slow receiver holds up nobody else.
    pub channel_id: ChannelId,
    /// What is delivered.
    pub delivery_id: DeliveryId,
}

impl Payload for NotifyJob {
    const KIND: &'static str = "notify";
    const QUEUE: &'static str = "notify";
    // Of workers that die: what a receiver does not take is no failure of the job.
    const MAX_ATTEMPTS: i64 = 12;
    const TIMEOUT: Duration = Duration::from_mins(2);

    fn team_id(&self) -> TeamId {
        self.team_id
    }

    fn subject_id(&self) -> Option<Uuid> {
        Some(self.delivery_id.uuid())
    }

    fn exclusion_key(&self) -> Option<String> {
        Some(format!("notify:{}", self.channel_id))
    }
}

/// Tells a user by mail what happened to their account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountMailJob {
    /// Version of this payload.
    pub version: u8,
    /// One of the user's teams.
    pub team_id: TeamId,
    /// What happened.
    pub event_id: SecurityEventId,
}

impl Payload for AccountMailJob {
    const KIND: &'static str = "account_mail";
    const QUEUE: &'static str = NotifyJob::QUEUE;
    const MAX_ATTEMPTS: i64 = 12;
    const TIMEOUT: Duration = Duration::from_mins(2);

    fn team_id(&self) -> TeamId {
        self.team_id
    }
}

/// Sends a letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterJob {
    /// Version of this payload.
    pub version: u8,
    /// The team that writes.
    pub team_id: TeamId,
    /// The letter.
    pub letter_id: LetterId,
}

impl Payload for LetterJob {
    const KIND: &'static str = "letter";
    const QUEUE: &'static str = NotifyJob::QUEUE;
    const MAX_ATTEMPTS: i64 = 12;
    const TIMEOUT: Duration = Duration::from_mins(2);

    fn team_id(&self) -> TeamId {
        self.team_id
    }

    fn subject_id(&self) -> Option<Uuid> {
        Some(self.letter_id.uuid())
    }
}
