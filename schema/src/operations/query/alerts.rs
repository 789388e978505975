use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{Context, ID, Object, Result};
use domain::id::AlertId;

use crate::connection::connection;
use crate::context::caller;
use crate::error::to_graphql;
use crate::input::parse_id;
use crate::operations::model::alert::Alert;
use crate::paging::page_size;

#[derive(Default)]
pub struct AlertQuery;

#[Object]
impl AlertQuery {
    /// The team's alerts, the latest first; operators also see those about all of it.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(20)).unwrap_or(0) * child_complexity")]
    async fn alerts(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<ID>,
    ) -> Result<Connection<String, Alert, EmptyFields, EmptyFields>> {
        let (services, actor) = caller(context)?;
        let after: Option<AlertId> = after.as_ref().map(|id| parse_id("after", id)).transpose().map_err(to_graphql)?;
        let page = services.alerts().list(actor, after, page_size(first)?).await.map_err(to_graphql)?;
        Ok(connection(page, after.is_none(), |alert| (alert.id.to_string(), Alert::from(alert))))
    }
}
