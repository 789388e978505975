//! GraphQL over HTTP and over WebSocket (`graphql-transport-ws`).

use std::sync::Arc;

use async_graphql::Data;
use async_graphql::http::ALL_WEBSOCKET_PROTOCOLS;
use async_graphql_axum::{GraphQLProtocol, GraphQLRequest, GraphQLResponse, GraphQLWebSocket};
use axum::Extension;
use axum::extract::{State, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use domain::access::{Actor, Origin};
use http::{Extensions, HeaderMap, HeaderValue};
use maud::html;
use serde_json::Value;
use services::{ServiceError, Services};

use super::operations::CountedSchema;
use super::websocket::{Handshake, converse};
use crate::pages::{Page, page};
use crate::problem::refusal;
use crate::state::ApiState;
use crate::{auth, client};

/// Renders an explanation of this address for browsers. A query editor would be several megabytes of third-party scripts, on the
/// site that people sign in to.
pub async fn about() -> Page {
    let body = html! {
        p { "This is the address of the GraphQL API: send " code { "POST" } " requests to it, with " code { "Authorization: Bearer" }
            " and an API key, which " code { "mikrocloud keys create" } " makes. Subscriptions are at " code { "/graphql/ws" } "." }
        p { "Any GraphQL editor works with it, such as Altair, Insomnia or the one of your code editor: give it this address and that "
            "header, and it reads the schema with its descriptions by introspection." }
        p { "From a terminal:" }
        p { code { "curl -H \"Authorization: Bearer $MIKROCLOUD_TOKEN\" --json '{\"query\": \"{ projects { nodes { slug } } }\"}' $MIKROCLOUD_URL/graphql" } }
        p { "REST over the same use cases can be tried at " a href="/api/v1/docs" { "/api/v1/docs" } "." }
    };
    page("GraphQL API", body)
}

/// A query or mutation.
pub async fn execute(
    State(state): State<ApiState>,
    actor: Option<Extension<Actor>>,
    headers: HeaderMap,
    request: GraphQLRequest,
) -> Response {
    let actor = match actor {
        Some(Extension(actor)) => Ok(Some(actor)),
        None => auth::actor(&state.machine.services, &headers).await,
    };
    match actor {
        Ok(actor) => {
            let answer = schema::execute(&state.schema, &state.machine.services, actor, request.into_inner()).await;
            GraphQLResponse::from(answer).into_response()
        }
        Err(error @ (ServiceError::Unauthenticated(_) | ServiceError::Internal(_))) => refusal("/graphql", error),
        Err(error) => {
            let error = schema::error_to_graphql(error).into_server_error(async_graphql::Pos::default());
            GraphQLResponse::from(async_graphql::Response::from_errors(vec![error])).into_response()
        }
    }
}

/// Subscriptions. The credential comes with `connection_init`, as `{"Authorization": "Bearer ..."}`: browsers cannot set headers here.
pub async fn subscribe(
    State(state): State<ApiState>,
    headers: HeaderMap,
    extensions: Extensions,
    protocol: GraphQLProtocol,
    upgrade: WebSocketUpgrade,
) -> impl IntoResponse {
    let origin = Arc::new(client::origin(&extensions, &headers));
    let limiter = (!client::is_local_cli(&extensions, &headers)).then_some(state.limiter);
    let schema = CountedSchema { schema: state.schema, services: state.machine.services.clone(), limiter };
    upgrade.protocols(ALL_WEBSOCKET_PROTOCOLS).max_message_size(256 * 1024).on_upgrade(move |socket| async move {
        let handshake = Handshake::default();
        let answering = handshake.clone();
        let serve = |outgoing, incoming| {
            GraphQLWebSocket::new_with_pair(outgoing, incoming, schema, protocol)
                .on_connection_init(async move |payload| {
                    let connected = connect(&state.machine.services, &origin, &headers, &payload).await;
                    answering.answered(connected.is_ok());
                    connected
                })
                .serve()
        };
        converse(socket, handshake, serve).await;
    })
}

async fn connect(services: &Services, origin: &Arc<Origin>, headers: &HeaderMap, payload: &Value) -> async_graphql::Result<Data> {
    let mut headers = headers.clone();
    let given = payload.as_object().into_iter().flatten();
    for (name, value) in given {
        let name = http::HeaderName::from_bytes(name.to_lowercase().as_bytes());
        if let (Ok(name), Some(Ok(value))) = (name, value.as_str().map(HeaderValue::from_str)) {
            headers.insert(name, value);
        }
    }
    let actor = auth::required_actor(services, &headers).await.map_err(schema::error_to_graphql)?;
    Ok(schema::request_data(services, Some(actor.from(origin))))
}
