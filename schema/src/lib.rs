#![doc = include_str!("../README.md")]
#![expect(clippy::unused_async, reason = "resolvers are async by the framework's contract")]

mod audit;
mod bounds;
mod connection;
mod context;
mod cost;
mod documents;
mod error;
mod identity;
mod input;
mod loaders;
mod mutation;
mod nodes;
mod notifications;
mod operations;
mod paging;
mod projects;
mod query;
mod subscription;

use async_graphql::{Request, Response, Schema, SchemaBuilder};
use domain::access::Actor;
use services::Services;

use documents::{Distinct, Documents};
pub use error::to_graphql as error_to_graphql;

pub use mutation::Mutation;
pub use query::Query;
pub use subscription::Subscription;

/// The schema of the API.
pub type ApiSchema = Schema<Query, Mutation, Subscription>;

/// Deep enough for the introspection query of the usual tools, which nests `ofType`.
const MAX_DEPTH: usize = 15;
/// Fields a query may ask for, each multiplied by the page sizes around it.
const MAX_COMPLEXITY: usize = 20_000;

/// The schema over some services.
pub fn build(services: Services) -> ApiSchema {
    builder().data(services).data(Documents::default()).finish()
}

/// The schema in the schema definition language.
pub fn sdl() -> String {
    builder().finish().sdl()
}

/// Executes a query or mutation for an actor, or for nobody.
pub async fn execute(schema: &ApiSchema, services: &Services, actor: Option<Actor>, mut request: Request) -> Response {
    request.data = request_data(services, actor);
    if let Some(parsed) = schema.data::<Documents>().and_then(|documents| documents.parsed(&request.query)) {
        if parsed.is_distinct {
            request.data.insert(Distinct);
        }
        request.set_parsed_query(parsed.document);
    }
    schema.execute(request).await
}

/// Prepares a request (or a connection's subscriptions) for an actor, or for nobody.
pub fn request_data(services: &Services, actor: Option<Actor>) -> async_graphql::Data {
    let mut data = async_graphql::Data::default();
    if let Some(actor) = actor {
        data.insert(loaders::deployments(services, &actor));
        data.insert(loaders::approvals(services, &actor));
        data.insert(loaders::projects(services, &actor));
        data.insert(loaders::environments(services, &actor));
        data.insert(loaders::places(services, &actor));
        data.insert(actor);
    }
    data
}

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription)
        .limit_depth(MAX_DEPTH)
        .limit_complexity(MAX_COMPLEXITY)
        .extension(cost::Cost)
        .extension(bounds::Bounds)
}
