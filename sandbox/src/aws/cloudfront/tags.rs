//! Tags of distributions.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::json;

use super::error::CloudFrontError;
use super::{DISTRIBUTION, Outcome, all, document, written};
use crate::aws::xml::{Element, escaped};
use crate::http::{Answer, Call};
use crate::world::State;

/// Tags in an element `Tags`.
pub(super) fn read(element: &Element) -> BTreeMap<String, String> {
    element.items("Items").iter().map(|tag| (tag.text_at("Key").to_owned(), tag.text_at("Value").to_owned())).collect()
}

/// Lists, sets or removes tags.
pub(super) fn answer(state: &mut State, call: &Call) -> Outcome {
    let arn = call.parameter("Resource").unwrap_or_default();
    let key = all(state, DISTRIBUTION).find(|(_, object)| object.text("/arn") == arn).map(|(key, _)| key.clone());
    let missing = || CloudFrontError::missing("NoSuchResource", "The resource was not found.");
    let key = key.ok_or_else(missing)?;
    match (&call.method, call.parameter("Operation")) {
        (&Method::GET, _) => {
            let tags = state.aws.get(&key).and_then(|object| object.body["tags"].as_object().cloned()).unwrap_or_default();
            let items = tags.iter().map(|(name, value)| {
                format!("<Tag><Key>{}</Key><Value>{}</Value></Tag>", escaped(name), escaped(value.as_str().unwrap_or_default()))
            });
            let inner = format!("<Items>{}</Items>", items.collect::<Vec<_>>().concat());
            Ok(Answer::xml(StatusCode::OK, written(&inner, "Tags")))
        }
        (&Method::POST, Some("Tag")) => {
            let given = read(&document(call, "Tags")?);
            let object = state.aws.get_mut(&key).ok_or_else(missing)?;
            for (name, value) in given {
                object.body["tags"][name] = json!(value);
            }
            Ok(Answer::empty(StatusCode::NO_CONTENT))
        }
        (&Method::POST, Some("Untag")) => {
            let given = document(call, "TagKeys")?;
            let object = state.aws.get_mut(&key).ok_or_else(missing)?;
            for name in given.items("Items") {
                object.body["tags"].as_object_mut().map(|tags| tags.remove(&name.text));
            }
            Ok(Answer::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(CloudFrontError::unknown()),
    }
}
