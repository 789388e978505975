use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::types::Json;
use async_graphql::{ComplexObject, Context, ID, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::id::{ChannelId, DeliveryId};
pub use domain::notification::ChannelKind as NotificationChannelKind;
pub use domain::notification::DeliveryState as NotificationState;
use serde_json::Value;
use services::DeliveryFilter;

use crate::connection::connection;
use crate::context::caller;
use crate::error::to_graphql;
use crate::input::parse_id;
use crate::paging::page_size;

/// A place where the team is told of what happens.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct NotificationChannel {
    id: ID,
    /// The project it is limited to; none for all the team has.
    project_id: Option<ID>,
    name: String,
    kind: NotificationChannelKind,
    /// The names of what it is told of.
    events: Vec<&'static str>,
    /// Texts of its own.
    templates: Vec<NotificationTemplate>,
    /// As much of the address as is shown.
    address: String,
    enabled: bool,
    /// Reason for which MikroCloud disabled it.
    disabled_reason: Option<String>,
    /// Time since which every attempt fails.
    failing_since: Option<DateTime<Utc>>,
    /// Time until which the receiver asked to receive nothing.
    paused_until: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    #[graphql(skip)]
    row_id: ChannelId,
}

/// A text for an event.
#[derive(SimpleObject)]
pub struct NotificationTemplate {
    /// The event's name.
    event: String,
    /// One line.
    title: String,
    /// The text below it.
    body: String,
}

#[ComplexObject]
impl NotificationChannel {
    /// Returns the deliveries to it in the last 30 days, the newest first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(20)).unwrap_or(0) * child_complexity")]
    async fn deliveries(
        &self,
        context: &Context<'_>,
        state: Option<NotificationState>,
        since: Option<DateTime<Utc>>,
        first: Option<i32>,
        after: Option<ID>,
    ) -> Result<Connection<String, NotificationDelivery, EmptyFields, EmptyFields>> {
        let (services, actor) = caller(context)?;
        let after: Option<DeliveryId> = after.as_ref().map(|id| parse_id("after", id)).transpose().map_err(to_graphql)?;
        let filter = DeliveryFilter { state, since };
        let page = services.deliveries().list(actor, self.row_id, filter, after, page_size(first)?).await.map_err(to_graphql)?;
        Ok(connection(page, after.is_none(), |row| (row.id.to_string(), NotificationDelivery::from(row))))
    }
}

impl From<domain::notification::Channel> for NotificationChannel {
    fn from(channel: domain::notification::Channel) -> Self {
        let templates = channel.templates.into_iter();
        Self {
            id: channel.id.to_string().into(),
            project_id: channel.project_id.map(|id| id.to_string().into()),
            name: channel.name,
            kind: channel.kind,
            events: channel.events.names(),
            templates: templates.map(|(event, own)| NotificationTemplate { event, title: own.title, body: own.body }).collect(),
            address: channel.shown,
            enabled: channel.enabled,
            disabled_reason: channel.disabled_reason,
            failing_since: channel.failing_since,
            paused_until: channel.paused_until,
            created_at: channel.created_at,
            updated_at: channel.updated_at,
            row_id: channel.id,
        }
    }
}

/// A notification on its way to one receiver.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct NotificationDelivery {
    /// Its id, which receivers know a repeated message by: the header `webhook-id`.
    id: ID,
    channel_id: ID,
    /// Name of the event.
    event: &'static str,
    /// Time of the event.
    event_at: DateTime<Utc>,
    /// Data of the event.
    data: Json<Value>,
    state: NotificationState,
    /// Number of attempts.
    attempt_count: i64,
    /// Time of the next attempt.
    next_attempt_at: Option<DateTime<Utc>>,
    /// Error of the last failed attempt.
    error: Option<String>,
    /// Time at which it was delivered or abandoned.
    finished_at: Option<DateTime<Utc>>,
    #[graphql(skip)]
    row: (ChannelId, DeliveryId),
}

#[ComplexObject]
impl NotificationDelivery {
    /// Each attempt, the oldest first.
    #[graphql(complexity = "10 * child_complexity")]
    async fn attempts(&self, context: &Context<'_>) -> Result<Vec<NotificationAttempt>> {
        let (services, actor) = caller(context)?;
        let attempts = services.deliveries().attempts(actor, self.row.0, self.row.1).await.map_err(to_graphql)?;
        Ok(attempts.into_iter().map(NotificationAttempt::from).collect())
    }
}

impl From<domain::notification::Delivery> for NotificationDelivery {
    fn from(delivery: domain::notification::Delivery) -> Self {
        Self {
            id: delivery.id.to_string().into(),
            channel_id: delivery.channel_id.to_string().into(),
            event: delivery.event.name(),
            event_at: delivery.event_at,
            data: Json(delivery.data),
            state: delivery.state,
            attempt_count: delivery.attempts,
            next_attempt_at: delivery.next_attempt_at,
            error: delivery.error,
            finished_at: delivery.finished_at,
            row: (delivery.channel_id, delivery.id),
        }
    }
}

/// One attempt to deliver a notification.
#[derive(SimpleObject)]
pub struct NotificationAttempt {
    /// Number of the attempt, from 1.
    number: i64,
    at: DateTime<Utc>,
    /// Duration, milliseconds.
    duration_ms: i64,
    /// The HTTP status that was answered, or the reply code of the mail server.
    status: Option<i64>,
    /// Error of the attempt; null if it was accepted.
    error: Option<String>,
    /// Beginning of the response.
    excerpt: Option<String>,
}

impl From<domain::notification::Attempt> for NotificationAttempt {
    fn from(attempt: domain::notification::Attempt) -> Self {
        let domain::notification::Attempt { number, at, duration_ms, status, error, excerpt } = attempt;
        Self { number, at, duration_ms, status, error, excerpt }
    }
}

/// Preview of a notification's text.
#[derive(SimpleObject)]
pub struct NotificationPreview {
    /// One line.
    title: String,
    /// The text below it.
    body: String,
}

impl From<services::Preview> for NotificationPreview {
    fn from(services::Preview { title, body }: services::Preview) -> Self {
        Self { title, body }
    }
}
