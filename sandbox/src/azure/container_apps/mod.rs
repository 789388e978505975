//! Container apps: what they are checked for, their revisions, and where their hosts lead.

mod actions;
mod check;
mod describe;
mod needs;
mod revision;
mod settle;
mod traffic;

pub(in crate::azure) use actions::{action, revision_action};
pub(in crate::azure) use check::check;
pub(in crate::azure) use describe::outputs;
pub(crate) use needs::{image_of, variables};
pub(in crate::azure) use revision::make_revision;
pub(in crate::azure) use settle::{settle, settle_revision};
pub(crate) use traffic::{Shown, shown_by};

use serde_json::Value;

use crate::world::{Object, State};

/// Kind of a revision.
pub(crate) const REVISION: &str = "Microsoft.App/containerApps/revisions";

/// Key of a revision by its app's key and its own name.
fn revision_key(app: &str, name: &str) -> String {
    format!("{app}/revisions/{name}").to_ascii_lowercase()
}

/// Domain of the environment of an app; empty if there is none.
fn domain_of<'s>(state: &'s State, app: &Object) -> &'s str {
    let environment = app.text("/properties/managedEnvironmentId").to_ascii_lowercase();
    state.azure.get(&environment).map_or("", |environment| environment.text("/properties/defaultDomain"))
}

/// Members of a list; none where there is no list.
fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
