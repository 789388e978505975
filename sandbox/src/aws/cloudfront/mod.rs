//! CloudFront's settings, of which moto keeps too little: distributions, origin access controls, functions, key-value stores, tags.

mod access_controls;
mod distributions;
mod error;
mod functions;
mod stores;
mod tags;

pub(super) use distributions::{DISTRIBUTION, config_of, settled as is_deployed};
pub(super) use functions::{FUNCTION, LIVE, stores_of};
pub(super) use stores::key_of_arn as store_key;

use http::Method;

use super::xml::Element;
use crate::http::{Answer, Call};
use crate::world::{Object, State};
use error::CloudFrontError;

/// Answer of CloudFront, or its error.
type Outcome = Result<Answer, CloudFrontError>;

/// Version of the API, the first part of its paths.
const VERSION: &str = "2020-05-31";

/// Namespace of documents.
const NAMESPACE: &str = "http://cloudfront.amazonaws.com/doc/2020-05-31/";

/// Answers a call to CloudFront; `None` for what is moto's.
pub(super) fn answer(state: &mut State, call: &Call) -> Option<Answer> {
    let parts = call.segments();
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    let [VERSION, what, rest @ ..] = parts.as_slice() else { return None };
    let outcome = match *what {
        "distribution" => distributions::answer(state, call, rest),
        "origin-access-control" => access_controls::answer(state, call, rest),
        "function" => functions::answer(state, call, rest),
        "key-value-store" => stores::answer(state, call, rest),
        "tagging" => tags::answer(state, call),
        _ => return None,
    };
    Some(outcome.unwrap_or_else(|error| error.answer()))
}

/// The body as a document with this root.
fn document(call: &Call, root: &str) -> Result<Element, CloudFrontError> {
    let found = Element::parse(&call.body).filter(|element| element.name == root);
    found.ok_or_else(|| CloudFrontError::malformed(format!("the body is no {root}")))
}

/// A document as an answer.
fn written(inner: &str, root: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"{NAMESPACE}\">{inner}</{root}>")
}

/// Entity tag of a thing, which changes with it.
fn etag(object: &Object) -> String {
    format!("E{:013}", object.hidden["generation"].as_u64().unwrap_or(1))
}

/// Checks the entity tag that the caller read.
fn check_etag(call: &Call, object: &Object) -> Result<(), CloudFrontError> {
    let given = call.header("if-match");
    if given.is_empty() {
        return Err(CloudFrontError::invalid(
            "InvalidIfMatchVersion",
            "The If-Match version is missing or not valid for the resource.",
        ));
    }
    if given == etag(object) { Ok(()) } else { Err(CloudFrontError::precondition()) }
}

/// Marks a thing as changed.
fn bump(object: &mut Object) {
    object.hidden["generation"] = serde_json::json!(object.hidden["generation"].as_u64().unwrap_or(1) + 1);
}

/// An id as CloudFront gives them: `E` and thirteen letters and digits.
fn new_id() -> String {
    format!("E{}", &uuid::Uuid::new_v4().simple().to_string()[..13].to_ascii_uppercase())
}

/// Things of a kind.
fn all<'s>(state: &'s State, kind: &'static str) -> impl Iterator<Item = (&'s String, &'s Object)> {
    state.aws.iter().filter(move |(_, object)| object.kind == kind)
}

/// Returns true if a distribution's settings mention a text, such as an id or ARN.
fn is_used(state: &State, text: &str) -> bool {
    all(state, DISTRIBUTION).any(|(_, distribution)| distribution.secret("config").contains(&format!(">{text}<")))
}

/// Returns true for calls that read.
fn reads(call: &Call) -> bool {
    call.method == Method::GET
}
