//! Notifications: what teams are told of outside MikroCloud, where, and how often that is tried. Pure.

mod event;
mod retry;

pub use event::{EventType, EventTypes};
pub use retry::{GIVE_UP_AFTER, LONGEST_PAUSE, MAX_TRIES, retry_pause};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{ChannelId, DeliveryId, ProjectId, TeamId, UserId};
use crate::time::Timestamp;

/// Kind of a channel's receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum), graphql(name = "NotificationChannelKind"))]
pub enum ChannelKind {
    /// A program that takes signed messages by the Standard Webhooks scheme.
    Webhook,
    /// An incoming webhook of Slack, or of what speaks its language.
    Slack,
    /// A webhook of Discord.
    Discord,
    /// Members of the team, by e-mail.
    Email,
}

impl ChannelKind {
    /// The name used in the API, in metrics and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Discord => "discord",
            Self::Email => "email",
        }
    }
}

/// Template of the text that people read of an event: a title and a body, with placeholders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// One line; the subject of an e-mail.
    pub title: String,
    /// The text below it.
    pub body: String,
}

/// Templates by the name of the event that they are for.
pub type Templates = BTreeMap<String, Template>;

/// A place where a team's notifications go.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct Channel {
    /// Identity.
    pub id: ChannelId,
    /// The team that owns it.
    pub team_id: TeamId,
    /// The project it is limited to; `None` for all the team has.
    pub project_id: Option<ProjectId>,
    /// Name of the channel, unique in the project, or in the team.
    pub name: String,
    /// Kind of its receiver.
    pub kind: ChannelKind,
    /// Events that it is notified of.
    #[cfg_attr(feature = "sqlx", sqlx(json))]
    pub events: EventTypes,
    /// Texts of its own; the others are MikroCloud's.
    #[cfg_attr(feature = "sqlx", sqlx(json))]
    pub templates: Templates,
    /// The address and what signs messages to it, sealed; `None` where there are recipients.
    pub sealed: Option<Vec<u8>>,
    /// The members that are written to; none where there is an address.
    #[cfg_attr(feature = "sqlx", sqlx(json))]
    pub recipients: Vec<UserId>,
    /// As much of the address as may be shown.
    pub shown: String,
    /// Enables sending to the channel.
    pub enabled: bool,
    /// Reason for which MikroCloud disabled it.
    pub disabled_reason: Option<String>,
    /// Time since which every attempt fails.
    pub failing_since: Option<Timestamp>,
    /// Time until which the receiver asked to receive nothing.
    pub paused_until: Option<Timestamp>,
    /// User who created it.
    pub created_by: UserId,
    /// Creation time.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

/// State of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum), graphql(name = "NotificationState"))]
pub enum DeliveryState {
    /// It waits for its first or next attempt.
    Pending,
    /// The receiver took it.
    Delivered,
    /// It was given up.
    Failed,
}

/// A notification on its way to one receiver.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct Delivery {
    /// Identity; the same however often it is sent.
    pub id: DeliveryId,
    /// The team that owns it.
    pub team_id: TeamId,
    /// Channel that it is sent to.
    pub channel_id: ChannelId,
    /// The member it is for, where the channel has recipients.
    pub recipient_id: Option<UserId>,
    /// Type of the event.
    pub event: EventType,
    /// Time of the event.
    pub event_at: Timestamp,
    /// Data of the event.
    #[cfg_attr(feature = "sqlx", sqlx(json))]
    pub data: Value,
    /// State of the notification.
    pub state: DeliveryState,
    /// Number of attempts since it was created or last replayed.
    pub tries: i64,
    /// Total number of attempts.
    pub attempts: i64,
    /// Time of the next attempt.
    pub next_attempt_at: Option<Timestamp>,
    /// Error of the last failed attempt.
    pub error: Option<String>,
    /// Time at which it was delivered or abandoned.
    pub finished_at: Option<Timestamp>,
}

/// One attempt to deliver a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct Attempt {
    /// Number of the attempt, from 1.
    pub number: i64,
    /// Start time.
    pub at: Timestamp,
    /// Duration, milliseconds.
    pub duration_ms: i64,
    /// The HTTP status that was answered, or the reply code of the mail server.
    pub status: Option<i64>,
    /// Error of the attempt; `None` if it was accepted.
    pub error: Option<String>,
    /// Beginning of the response.
    pub excerpt: Option<String>,
}
