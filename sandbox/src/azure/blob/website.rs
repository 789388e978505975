//! Static websites: `$web` of an account, as visitors see it.

use http::{Method, StatusCode};
use serde_json::json;

use super::blobs::described;
use super::request::{account_key, blob_key};
use crate::azure::types::web_host;
use crate::http::{Answer, decode_path};
use crate::world::{Blobs, Object, State};

/// The account whose website has this host: its key, or a text for people if nothing is shown. `None` if no account has it.
pub(crate) fn website_of(state: &State, host: &str) -> Option<Result<String, String>> {
    let name = host.split('.').next().unwrap_or_default();
    let key = account_key(state, name).filter(|_| web_host(name) == host)?;
    let is_on = state.azure.get(&key).is_some_and(|account| account.hidden["website"]["enabled"] == json!(true));
    Some(if is_on { Ok(key) } else { Err(format!("the storage account {name} has no static website: it is not enabled")) })
}

/// Answers a visitor of a website.
pub(crate) fn website_file(state: &State, blobs: &Blobs, account: &str, method: &Method, path: &str, none_match: &str) -> Answer {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Answer::text(StatusCode::METHOD_NOT_ALLOWED, "The resource doesn't support the specified Http Verb.");
    }
    let document =
        |name: &str| state.azure.get(account).map(|account| account.hidden["website"][name].clone()).unwrap_or_default();
    let (index, error) = (document("index"), document("error"));
    let found = find(state, account, &decode_path(path.trim_start_matches('/')), index.as_str().unwrap_or_default());
    let (object, status) = match found {
        Some(object) => (object, StatusCode::OK),
        None => match error.as_str().filter(|name| !name.is_empty()).and_then(|name| blob(state, account, name)) {
            Some(object) => (object, StatusCode::NOT_FOUND),
            None => {
                return Answer::text(StatusCode::NOT_FOUND, "The requested content does not exist.")
                    .with("x-ms-error-code", "WebContentNotFound");
            }
        },
    };
    let etag = object.text("/properties/etag");
    if status == StatusCode::OK && none_match == etag {
        return Answer::empty(StatusCode::NOT_MODIFIED).with("etag", etag);
    }
    let Ok(bytes) = blobs.get(object.secret("blob")) else {
        return Answer::text(StatusCode::INTERNAL_SERVER_ERROR, "The content cannot be read.");
    };
    let length = bytes.len().to_string();
    let mut answer = described(object, Answer::empty(status)).with("content-length", &length);
    if *method == Method::GET {
        answer.body = bytes.into();
    }
    answer
}

fn blob<'s>(state: &'s State, account: &str, name: &str) -> Option<&'s Object> {
    state.azure.get(&blob_key(account, "$web", name))
}

/// The blob of a path: itself, or the index document of the directory that it is.
fn find<'s>(state: &'s State, account: &str, path: &str, index: &str) -> Option<&'s Object> {
    let exact = blob(state, account, path).filter(|_| !path.is_empty());
    let directory = path.trim_end_matches('/');
    let within = if directory.is_empty() { index.to_owned() } else { format!("{directory}/{index}") };
    exact.or_else(|| blob(state, account, &within).filter(|_| !index.is_empty()))
}
