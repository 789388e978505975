use async_graphql::{Context, ID, Object, Result};
use services::{ServiceError, TemplateInput};

use super::model::{NotificationChannel, NotificationDelivery, NotificationPreview};
use crate::context::caller;
use crate::error::to_graphql;
use crate::input::parse_id;

#[derive(Default)]
pub struct NotificationQuery;

#[Object]
impl NotificationQuery {
    /// The notification channels that the caller may change, by name: those of a project, or all.
    async fn notification_channels(&self, context: &Context<'_>, project_id: Option<ID>) -> Result<Vec<NotificationChannel>> {
        let (services, actor) = caller(context)?;
        let project = project_id.as_ref().map(|id| parse_id("projectId", id)).transpose().map_err(to_graphql)?;
        let channels = services.channels().list(actor, project).await.map_err(to_graphql)?;
        Ok(channels.into_iter().map(NotificationChannel::from).collect())
    }

    /// A notification channel.
    async fn notification_channel(&self, context: &Context<'_>, id: ID) -> Result<Option<NotificationChannel>> {
        let (services, actor) = caller(context)?;
        let id = parse_id("id", &id).map_err(to_graphql)?;
        found(services.channels().get(actor, id).await.map(NotificationChannel::from))
    }

    /// A notification that was sent in the last 30 days, or is on its way.
    async fn notification_delivery(&self, context: &Context<'_>, id: ID) -> Result<Option<NotificationDelivery>> {
        let (services, actor) = caller(context)?;
        let id = parse_id("id", &id).map_err(to_graphql)?;
        found(services.deliveries().get(actor, id).await.map(NotificationDelivery::from))
    }

    /// Renders the text of an event's notification: by a template, or by MikroCloud's own if none is given.
    async fn notification_preview(
        &self,
        context: &Context<'_>,
        event: String,
        title: Option<String>,
        body: Option<String>,
    ) -> Result<NotificationPreview> {
        let (services, actor) = caller(context)?;
        let own = title.is_some() || body.is_some();
        let input = TemplateInput { event, title: title.unwrap_or_default(), body: body.unwrap_or_default() };
        Ok(services.channels().preview_template(actor, &input, own).map_err(to_graphql)?.into())
    }
}

fn found<T>(result: services::Result<T>) -> Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(ServiceError::NotFound(_)) => Ok(None),
        Err(error) => Err(to_graphql(error)),
    }
}
