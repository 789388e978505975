//! GraphQL operations that come over a WebSocket count as requests, as those over HTTP do, and what was shown when it was opened has to
//! stand for each.

use std::any::TypeId;
use std::sync::Arc;

use async_graphql::{Data, Executor, Request, Response};
use domain::access::Actor;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use services::{RateLimiter, ServiceError, Services};

use crate::limit::limited;

/// The schema as a WebSocket uses it.
#[derive(Clone)]
pub(super) struct CountedSchema {
    pub schema: schema::ApiSchema,
    pub services: Services,
    /// `None` for a client that is not counted.
    pub limiter: Option<Arc<RateLimiter>>,
}

impl CountedSchema {
    async fn refused(&self, session: &Data) -> Option<ServiceError> {
        let actor = session.get(&TypeId::of::<Actor>())?.downcast_ref::<Actor>()?;
        if let Err(error) = self.services.feeds().check_standing(actor).await {
            return Some(error);
        }
        let standing = self.limiter.as_ref()?.count(actor).await?;
        (!standing.allowed).then(|| limited(&standing))
    }
}

impl Executor for CountedSchema {
    async fn execute(&self, request: Request) -> Response {
        self.schema.execute(request).await
    }

    fn execute_stream(&self, request: Request, session: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        let (this, session) = (self.clone(), session.unwrap_or_default());
        let answers = async move {
            match this.refused(&session).await {
                Some(error) => {
                    let error = schema::error_to_graphql(error).into_server_error(async_graphql::Pos::default());
                    stream::iter([Response::from_errors(vec![error])]).boxed()
                }
                None => this.schema.execute_stream_with_session_data(request, session),
            }
        };
        stream::once(answers).flatten().boxed()
    }
}
