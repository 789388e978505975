//! Subscriptions.

use async_graphql::{Context, ID, Result, Subscription as GraphQLSubscription};
use futures::{Stream, StreamExt};
use services::Feed;

use crate::context::caller;
use crate::error::to_graphql;
use crate::input::parse_id;
use crate::projects::model::event::{DeploymentEvent, LogLine};

/// Subscriptions. Every stream is numbered without gaps: resume with `after` set to the last number seen.
#[derive(Default)]
pub struct Subscription;

#[GraphQLSubscription]
impl Subscription {
    /// The events of a deployment with numbers above `after`, those to come included.
    async fn deployment_events(
        &self,
        context: &Context<'_>,
        deployment_id: ID,
        #[graphql(default)] after: i64,
    ) -> Result<impl Stream<Item = Result<DeploymentEvent>> + use<>> {
        let (services, actor) = caller(context)?;
        let id = parse_id("deploymentId", &deployment_id).map_err(to_graphql)?;
        Ok(shaped(services.feeds().deployment_events(actor, id, after).await.map_err(to_graphql)?))
    }

    /// The log lines of a deployment with numbers above `after`, those to come included.
    async fn deployment_logs(
        &self,
        context: &Context<'_>,
        deployment_id: ID,
        #[graphql(default)] after: i64,
    ) -> Result<impl Stream<Item = Result<LogLine>> + use<>> {
        let (services, actor) = caller(context)?;
        let id = parse_id("deploymentId", &deployment_id).map_err(to_graphql)?;
        Ok(shaped(services.feeds().deployment_logs(actor, id, after).await.map_err(to_graphql)?))
    }

    /// The events of all of a project's deployments with `projectNumber` above `after`, those to come included.
    async fn project_events(
        &self,
        context: &Context<'_>,
        project_id: ID,
        #[graphql(default)] after: i64,
    ) -> Result<impl Stream<Item = Result<DeploymentEvent>> + use<>> {
        let (services, actor) = caller(context)?;
        let id = parse_id("projectId", &project_id).map_err(to_graphql)?;
        Ok(shaped(services.feeds().project_events(actor, id, after).await.map_err(to_graphql)?))
    }
}

fn shaped<T: 'static, N: From<T> + 'static>(feed: Feed<T>) -> impl Stream<Item = Result<N>> + use<T, N> {
    feed.map(|item| item.map(N::from).map_err(to_graphql))
}
