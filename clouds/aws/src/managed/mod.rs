//! Kinds of things in AWS.

pub(crate) mod access_control;
pub(crate) mod balancing;
pub(crate) mod bucket;
pub(crate) mod cluster;
pub(crate) mod distribution;
pub(crate) mod files;
pub(crate) mod function;
pub(crate) mod image;
pub(crate) mod listener;
pub(crate) mod load_balancer;
pub(crate) mod log_group;
pub(crate) mod objects;
pub(crate) mod parameter;
pub(crate) mod repository;
pub(crate) mod role;
pub(crate) mod rule;
pub(crate) mod security_group;
pub(crate) mod service;
pub(crate) mod store;
pub(crate) mod target_group;
pub(crate) mod task_definition;

pub(crate) use access_control::AccessControl;
pub(crate) use bucket::Bucket;
pub(crate) use cluster::Cluster;
pub(crate) use distribution::{Distribution, Origin, ServerOrigin, SiteOrigin, Wanted};
pub(crate) use files::{Files, Source};
pub(crate) use function::Function;
pub(crate) use image::ImageThing;
pub(crate) use listener::Listener;
pub(crate) use load_balancer::{BalancerWanted, LoadBalancer};
pub(crate) use log_group::LogGroup;
pub(crate) use parameter::Parameter;
pub(crate) use repository::Repository;
pub(crate) use role::Role;
pub(crate) use rule::Rule;
pub(crate) use security_group::{Allowed, SecurityGroup};
pub(crate) use service::{Service, ServiceWanted};
pub(crate) use store::Store;
pub(crate) use target_group::{TargetGroup, TargetsWanted};
pub(crate) use task_definition::{Task, TaskDefinition};

use clouds_contract::{
    Asked, CloudError, Entry, ErrorKind, Found, FoundState, INSTALLATION_TAG, Managed, Outputs, Ownership, Progress, Scope,
    ensure,
};
use serde_json::{Value, json};

/// A change that is done with the answer.
pub(super) fn done(id: impl Into<String>) -> Asked {
    Asked { id: Some(id.into()), ..Asked::default() }
}

/// A kind whose things never change.
pub(super) fn unchanging(kind: &str) -> CloudError {
    CloudError::new(ErrorKind::Internal, "INTERNAL", format!("{kind} is never changed once it is there"))
}

/// A thing that is there.
pub(super) fn there(id: impl Into<String>, owner: Ownership, is_current: bool, outputs: Outputs) -> Found {
    Found { id: id.into(), state: FoundState::Ready, is_current, owner, version: None, outputs }
}

/// Makes a thing exist. What is known of its place is written down first, so that what an interrupted call made is found.
pub(crate) async fn ensure_at(
    thing: &dyn Managed,
    scope: &Scope<'_>,
    place: &[(&str, &str)],
) -> Result<Progress<Found>, CloudError> {
    let entry = scope.journal.open(&thing.key(), thing.naming()).await?;
    if place.iter().any(|(name, value)| entry.outputs.get(*name).map(String::as_str) != Some(value)) {
        let known = place.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let outputs = entry.outputs.clone().into_iter().chain(known).collect();
        scope.journal.save(&Entry { outputs, ..entry }).await?;
    }
    ensure(thing, scope).await
}

/// Tags as ECS writes them.
pub(super) fn container_tags<'t>(tags: impl IntoIterator<Item = (&'t String, &'t String)>) -> Value {
    tags.into_iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

/// Tags as ECR and Systems Manager write them.
pub(super) fn resource_tags<'t>(tags: impl IntoIterator<Item = (&'t String, &'t String)>) -> Value {
    tags.into_iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

/// The installation in the tags of a thing of ECS or ECR.
pub(super) fn installation(thing: &Value) -> Option<&str> {
    let tags = thing["tags"].as_array()?.iter();
    let mut pairs = tags.map(|tag| {
        let text = |small: &str, large: &str| tag[small].as_str().or_else(|| tag[large].as_str());
        (text("key", "Key"), text("value", "Value"))
    });
    pairs.find(|(key, _)| *key == Some(INSTALLATION_TAG)).and_then(|(_, value)| value)
}

/// A new role, or a target group that was just put behind the load balancer, is not known everywhere at once: then it is waited for.
pub(super) fn until_known(error: CloudError) -> CloudError {
    let words = ["does not have an associated load balancer", "unable to assume", "Unable to assume", "Role is not valid"];
    let is_unknown = error.kind == ErrorKind::Invalid && words.iter().any(|words| error.message.contains(words));
    if !is_unknown {
        return error;
    }
    CloudError::new(ErrorKind::Busy, "BUSY", "AWS does not yet know everywhere what was just made").caused_by(error)
}
