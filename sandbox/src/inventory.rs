//! Everything that exists in the simulated clouds.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::aws;
use crate::azure;
use crate::google;
use crate::world::{Object, State};

/// One thing that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Item {
    /// `google`, `azure` or `aws`.
    pub cloud: &'static str,
    /// Type in the words of the cloud, such as `run.services`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Key in the sandbox.
    pub key: String,
    /// Name as the cloud's API gives it.
    pub name: String,
    /// Labels or tags; those of the nearest thing above it where it can have none.
    pub labels: BTreeMap<String, String>,
    /// Installation, project and so on in those labels, without `mikrocloud-`.
    pub owner: BTreeMap<String, String>,
    /// Returns true if a change of it is under way.
    pub changing: bool,
}

impl Item {
    /// A thing with these labels.
    pub fn new(
        cloud: &'static str,
        kind: &str,
        key: &str,
        name: String,
        labels: BTreeMap<String, String>,
        changing: bool,
    ) -> Self {
        let owner =
            labels.iter().filter_map(|(name, value)| Some((name.strip_prefix(OWNER)?.to_owned(), value.clone()))).collect();
        Self { cloud, kind: kind.to_owned(), key: key.to_owned(), name, labels, owner, changing }
    }
}

/// Prefix of the labels that MikroCloud sets.
const OWNER: &str = "mikrocloud-";

/// Everything that exists. Enabled APIs, registered providers, projects and operations are not things that somebody leaves behind.
pub(crate) fn inventory(state: &State) -> Vec<Item> {
    let mut items = Vec::new();
    for (cloud, objects) in [("google", &state.google), ("azure", &state.azure), ("aws", &state.aws)] {
        for (key, object) in objects.iter().filter(|(_, object)| is_thing(&object.kind)) {
            let labels = labels(object).or_else(|| above(key).find_map(|parent| objects.get(parent).and_then(labels)));
            items.push(Item::new(
                cloud,
                &object.kind,
                key,
                name(cloud, object, key),
                labels.unwrap_or_default(),
                object.phase.is_some(),
            ));
        }
    }
    for (key, repository) in state.images.iter() {
        for digest in repository.manifests.keys() {
            let cloud = crate::registry::cloud_of(key);
            items.push(Item::new(cloud, "image", &format!("{key}@{digest}"), format!("{key}@{digest}"), BTreeMap::new(), false));
        }
    }
    items
}

fn is_thing(kind: &str) -> bool {
    !google::BACKGROUND.contains(&kind) && !azure::BACKGROUND.contains(&kind) && !aws::BACKGROUND.contains(&kind)
}

/// The name of a thing; Azure's are those of its addresses, and ids of AWS say little.
fn name(cloud: &str, object: &Object, key: &str) -> String {
    let places = if cloud == "aws" { ["/name", "/id"] } else { ["/id", "/name"] };
    let name = places.map(|place| object.text(place)).into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    if name.is_empty() { key.to_owned() } else { name.to_owned() }
}

/// The labels of a thing, or MikroCloud's in its description where its type has none.
fn labels(object: &Object) -> Option<BTreeMap<String, String>> {
    let found = object.body.get("labels").or_else(|| object.body.get("tags")).and_then(Value::as_object)?;
    Some(found.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect())
}

/// The keys above a key, nearest first.
fn above(key: &str) -> impl Iterator<Item = &str> {
    key.rmatch_indices('/').map(|(at, _)| &key[..at])
}
