use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::secret::Secret;
use services::{ChannelChange, NewChannel, ServiceError, TemplateInput};

use super::model::{NotificationChannel, NotificationChannelKind, NotificationDelivery};
use crate::context::caller;
use crate::error::{UserError, user_errors};
use crate::input::parse_id;

#[derive(Default)]
pub struct NotificationMutation;

#[derive(InputObject)]
struct NotificationTemplateInput {
    /// The event's name.
    event: String,
    /// One line, with placeholders.
    title: String,
    /// The text below it, with placeholders.
    body: String,
}

impl From<NotificationTemplateInput> for TemplateInput {
    fn from(NotificationTemplateInput { event, title, body }: NotificationTemplateInput) -> Self {
        Self { event, title, body }
    }
}

#[derive(InputObject)]
struct CreateNotificationChannelInput {
    /// Kind of its receiver.
    kind: NotificationChannelKind,
    /// Its name.
    name: String,
    /// The project it is limited to; all the team has when left out.
    project_id: Option<ID>,
    /// The names of what it is told of; all but `deployment.queued` when left out.
    events: Option<Vec<String>>,
    /// URL that messages are sent to; for all kinds but `EMAIL`.
    url: Option<String>,
    /// The addresses of members that are written to; for `EMAIL`.
    addresses: Option<Vec<String>>,
    /// Texts of its own; not for `WEBHOOK`.
    templates: Option<Vec<NotificationTemplateInput>>,
}

#[derive(InputObject)]
struct UpdateNotificationChannelInput {
    /// The channel.
    channel_id: ID,
    /// Its name.
    name: Option<String>,
    /// The names of what it is told of.
    events: Option<Vec<String>>,
    /// URL that messages are sent to.
    url: Option<String>,
    /// The addresses of members that are written to.
    addresses: Option<Vec<String>>,
    /// Texts of its own, in place of those it has.
    templates: Option<Vec<NotificationTemplateInput>>,
}

#[derive(InputObject)]
struct EnableNotificationChannelInput {
    /// The channel.
    channel_id: ID,
    /// Enables the channel.
    enabled: bool,
}

#[derive(InputObject)]
struct NotificationChannelInput {
    /// The channel.
    channel_id: ID,
}

#[derive(InputObject)]
struct ReplayNotificationsInput {
    /// One notification.
    delivery_id: Option<ID>,
    /// Or the channel whose failed ones are sent once more.
    channel_id: Option<ID>,
    /// Start time of the events to resend; with a channel.
    since: Option<DateTime<Utc>>,
}

#[derive(SimpleObject)]
struct NotificationChannelPayload {
    /// The channel, when it went well.
    channel: Option<NotificationChannel>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

#[derive(SimpleObject)]
struct NotificationSecretPayload {
    /// The channel, when it went well.
    channel: Option<NotificationChannel>,
    /// Secret that signs its messages, for a webhook; not returned again.
    secret: Option<String>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

#[derive(SimpleObject)]
struct DeleteNotificationChannelPayload {
    /// Indicates that it is deleted.
    deleted: bool,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

#[derive(SimpleObject)]
struct TestNotificationChannelPayload {
    /// Deliveries in progress: one for each recipient, if the channel has some.
    deliveries: Vec<NotificationDelivery>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

#[derive(SimpleObject)]
struct ReplayNotificationsPayload {
    /// Number of deliveries that are sent again.
    count: i64,
    /// Indicates that there are more: repeat the request for them.
    has_more: bool,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

fn payload(result: services::Result<domain::notification::Channel>) -> Result<NotificationChannelPayload> {
    let (channel, user_errors) = user_errors(result)?;
    Ok(NotificationChannelPayload { channel: channel.map(NotificationChannel::from), user_errors })
}

fn templates(given: Vec<NotificationTemplateInput>) -> Vec<TemplateInput> {
    given.into_iter().map(TemplateInput::from).collect()
}

#[Object]
impl NotificationMutation {
    /// Makes a channel to which the team's notifications go.
    async fn create_notification_channel(
        &self,
        context: &Context<'_>,
        input: CreateNotificationChannelInput,
    ) -> Result<NotificationSecretPayload> {
        let (services, actor) = caller(context)?;
        let creation = async {
            let new = NewChannel {
                project: input.project_id.as_ref().map(|id| parse_id("projectId", id)).transpose()?,
                name: input.name,
                kind: input.kind,
                events: input.events,
                url: input.url.map(Secret::new),
                addresses: input.addresses.unwrap_or_default(),
                templates: templates(input.templates.unwrap_or_default()),
            };
            services.channels().create(actor, new).await
        };
        let (made, user_errors) = user_errors(creation.await)?;
        let (channel, secret) = made.map_or((None, None), |(channel, secret)| (Some(channel), secret));
        let secret = secret.map(|secret| secret.expose().to_owned());
        Ok(NotificationSecretPayload { channel: channel.map(NotificationChannel::from), secret, user_errors })
    }

    /// Changes a channel.
    async fn update_notification_channel(
        &self,
        context: &Context<'_>,
        input: UpdateNotificationChannelInput,
    ) -> Result<NotificationChannelPayload> {
        let (services, actor) = caller(context)?;
        let update = async {
            let id = parse_id("channelId", &input.channel_id)?;
            let change = ChannelChange {
                name: input.name,
                events: input.events,
                url: input.url.map(Secret::new),
                addresses: input.addresses,
                templates: input.templates.map(templates),
            };
            services.channels().update(actor, id, change).await
        };
        payload(update.await)
    }

    /// Enables a channel, or disables it: what waits for it is given up then.
    async fn enable_notification_channel(
        &self,
        context: &Context<'_>,
        input: EnableNotificationChannelInput,
    ) -> Result<NotificationChannelPayload> {
        let (services, actor) = caller(context)?;
        payload(async { services.channels().enable(actor, parse_id("channelId", &input.channel_id)?, input.enabled).await }.await)
    }

    /// Gives a webhook another secret; messages are signed with the one of before, too, for 24 hours.
    async fn rotate_notification_secret(
        &self,
        context: &Context<'_>,
        input: NotificationChannelInput,
    ) -> Result<NotificationSecretPayload> {
        let (services, actor) = caller(context)?;
        let rotation = async { services.channels().rotate_secret(actor, parse_id("channelId", &input.channel_id)?).await };
        let (rotated, user_errors) = user_errors(rotation.await)?;
        let (channel, secret) = rotated.unzip();
        let secret = secret.map(|secret| secret.expose().to_owned());
        Ok(NotificationSecretPayload { channel: channel.map(NotificationChannel::from), secret, user_errors })
    }

    /// Deletes a channel with all that was sent to it.
    async fn delete_notification_channel(
        &self,
        context: &Context<'_>,
        input: NotificationChannelInput,
    ) -> Result<DeleteNotificationChannelPayload> {
        let (services, actor) = caller(context)?;
        let deletion = async { services.channels().delete(actor, parse_id("channelId", &input.channel_id)?).await };
        let (deleted, user_errors) = user_errors(deletion.await)?;
        Ok(DeleteNotificationChannelPayload { deleted: deleted.is_some(), user_errors })
    }

    /// Sends a `ping` to a channel, once.
    async fn test_notification_channel(
        &self,
        context: &Context<'_>,
        input: NotificationChannelInput,
    ) -> Result<TestNotificationChannelPayload> {
        let (services, actor) = caller(context)?;
        let test = async { services.deliveries().test(actor, parse_id("channelId", &input.channel_id)?).await };
        let (deliveries, user_errors) = user_errors(test.await)?;
        let deliveries = deliveries.unwrap_or_default().into_iter().map(NotificationDelivery::from).collect();
        Ok(TestNotificationChannelPayload { deliveries, user_errors })
    }

    /// Sends one notification once more, or all of a channel that failed since a moment, with their ids.
    async fn replay_notifications(
        &self,
        context: &Context<'_>,
        input: ReplayNotificationsInput,
    ) -> Result<ReplayNotificationsPayload> {
        let (services, actor) = caller(context)?;
        let replay = async {
            match (&input.delivery_id, &input.channel_id, input.since) {
                (Some(delivery), None, None) => {
                    services.deliveries().replay(actor, parse_id("deliveryId", delivery)?).await?;
                    Ok(services::Replay { count: 1, has_more: false })
                }
                (None, Some(channel), Some(since)) => {
                    services.deliveries().replay_failed(actor, parse_id("channelId", channel)?, since).await
                }
                _ => {
                    let message = "give `deliveryId` for one notification, or `channelId` and `since` for all that failed";
                    Err(ServiceError::invalid("deliveryId", "AMBIGUOUS", message))
                }
            }
        };
        let (done, user_errors) = user_errors(replay.await)?;
        let services::Replay { count, has_more } = done.unwrap_or(services::Replay { count: 0, has_more: false });
        Ok(ReplayNotificationsPayload { count, has_more, user_errors })
    }
}
