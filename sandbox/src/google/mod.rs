//! Google Cloud: a router per service, each with its own style of operations.

pub(crate) mod apis;
mod artifact_registry;
mod context;
mod enums;
mod error;
mod iam;
mod operation;
mod policy;
mod projects;
mod region;
pub(crate) mod run;
mod secret_manager;
mod service_usage;
mod storage;

pub(crate) use context::Context;
pub(crate) use error::GoogleError;
pub(crate) use iam::unique_number;
pub(crate) use policy::member_has_role;
pub(crate) use secret_manager::secret_value;
pub(crate) use storage::site_files;

use crate::environment::Environment;
use crate::http::{Answer, Call};

/// Kinds of things that nobody leaves behind.
pub(crate) const BACKGROUND: [&str; 4] = [apis::KIND, operation::KIND, projects::KIND, storage::SESSION];

/// Answer of a service, or its error.
pub(crate) type Outcome = Result<Answer, GoogleError>;

/// Answers a call to one of Google's APIs.
pub(crate) fn answer(environment: Environment<'_>, call: &Call) -> Answer {
    let outcome = Context::new(environment, call).and_then(|mut context| route(&mut context));
    enums::numbered(call, outcome.unwrap_or_else(|error| error.answer(call)))
}

fn route(context: &mut Context<'_>) -> Outcome {
    match context.call.host.as_str() {
        "run.googleapis.com" => run::answer(context),
        "serviceusage.googleapis.com" => service_usage::answer(context),
        "cloudresourcemanager.googleapis.com" => projects::answer(context),
        "secretmanager.googleapis.com" => secret_manager::answer(context),
        "artifactregistry.googleapis.com" => artifact_registry::answer(context),
        "storage.googleapis.com" => storage::answer(context),
        "iam.googleapis.com" => iam::answer(context),
        _ => Err(context.unknown_method()),
    }
}
