//! Azure: the resource manager, one engine for all types, and the blobs of storage accounts.

mod arm;
mod blob;
mod container_apps;
mod context;
mod error;
mod groups;
mod id;
mod kind;
mod operation;
mod permissions;
mod providers;
mod subscriptions;
mod types;

pub(crate) use blob::{answer as blob_answer, website_file, website_of};
pub(crate) use container_apps::{REVISION, Shown, image_of, shown_by, variables};

use http::Method;

use crate::environment::Environment;
use crate::http::{Answer, Call};
use context::Context;
use error::AzureError;

/// Kinds of things that nobody leaves behind.
pub(crate) const BACKGROUND: [&str; 3] = [providers::KIND, operation::KIND, blob::BLOCKS];

/// Answer of the resource manager, or its error.
type Outcome = Result<Answer, AzureError>;

/// Answers a call to the resource manager.
pub(crate) fn answer(environment: Environment<'_>, call: &Call) -> Answer {
    let outcome = Context::new(environment, call).and_then(|mut context| route(&mut context));
    let answer = outcome.unwrap_or_else(|error| error.answer());
    let id = uuid::Uuid::new_v4().to_string();
    answer.with("x-ms-request-id", &id).with("x-ms-correlation-request-id", &id)
}

fn route(context: &mut Context<'_>) -> Outcome {
    let parts = context.call.segments();
    let lower: Vec<String> = parts.iter().map(|part| part.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let method = context.call.method.clone();
    match (&method, lower.as_slice()) {
        (&Method::GET, ["subscriptions"]) => Ok(subscriptions::list(context)),
        (&Method::GET, ["subscriptions", subscription]) => subscriptions::get(context, subscription),
        (&Method::GET, ["subscriptions", subscription, "resources"]) => groups::resources(context, subscription, None),
        (&Method::GET, ["subscriptions", subscription, "resourcegroups"]) => groups::list(context, subscription),
        (_, ["subscriptions", subscription, "resourcegroups", _]) => groups::one(context, subscription, &parts[3]),
        (&Method::GET, ["subscriptions", subscription, "resourcegroups", group, "resources"]) => {
            groups::resources(context, subscription, Some(group))
        }
        (&Method::GET, ["subscriptions", subscription, "providers"]) => providers::list(context, subscription),
        (&Method::GET, ["subscriptions", subscription, "providers", _]) => providers::get(context, subscription, &parts[3]),
        (&Method::POST, ["subscriptions", subscription, "providers", _, "register"]) => {
            providers::register(context, subscription, &parts[3])
        }
        (&Method::POST, ["subscriptions", _, "providers", namespace, "checknameavailability"]) => {
            types::check_name(context, namespace)
        }
        (&Method::GET, ["subscriptions", _, "providers", _, "locations", _, style, id]) => operation::poll(context, style, id),
        (&Method::GET, [.., "providers", "microsoft.authorization", "permissions"]) => Ok(permissions::get(context)),
        _ => arm::answer(context),
    }
}
