//! One call with what answering it needs.

use serde_json::Value;

use super::error::GoogleError;
use super::{apis, enums};
use crate::data_plane::Runtimes;
use crate::environment::Environment;
use crate::http::Call;
use crate::login::{TokenError, Vendor, read};
use crate::world::{Blobs, Phase, State};

/// One call with what answering it needs.
pub(crate) struct Context<'a> {
    pub call: &'a Call,
    /// Parts of the path, the last one without its verb.
    pub segments: Vec<String>,
    /// Verb after a colon at the end of the path, such as `setIamPolicy`.
    pub verb: String,
    pub state: &'a mut State,
    pub blobs: &'a Blobs,
    pub runtimes: &'a dyn Runtimes,
    /// The caller.
    pub subject: String,
}

impl<'a> Context<'a> {
    /// The context of a call whose token is valid.
    pub fn new(environment: Environment<'a>, call: &'a Call) -> Result<Self, GoogleError> {
        let Environment { state, blobs, runtimes } = environment;
        let token = call.bearer().ok_or_else(|| GoogleError::unauthenticated("CREDENTIALS_MISSING"))?;
        let claims = read(state, Vendor::Google, token).map_err(|error| match error {
            TokenError::Expired => GoogleError::unauthenticated("ACCESS_TOKEN_EXPIRED"),
            TokenError::Invalid => GoogleError::unauthenticated("ACCESS_TOKEN_TYPE_UNSUPPORTED"),
        })?;
        let mut segments = call.segments();
        let last = segments.pop().unwrap_or_default();
        // Names of objects and digests have colons of their own.
        let has_no_verb = call.host.starts_with("storage.") || last.contains("sha256:");
        let (last, verb) = match last.rsplit_once(':').filter(|_| !has_no_verb) {
            Some((last, verb)) => (last.to_owned(), verb.to_owned()),
            None => (last, String::new()),
        };
        segments.push(last);
        Ok(Self { call, segments, verb, state, blobs, runtimes, subject: claims.subject })
    }

    /// Parts of the path for a `match`.
    pub fn parts(&self) -> Vec<String> {
        self.segments.clone()
    }

    /// Checks that the API of the called host is enabled in the project.
    pub fn need_api(&self, project: &str) -> Result<(), GoogleError> {
        apis::need(self.state, project, &self.call.host)
    }

    /// Checks that the caller has a permission.
    pub fn need(&self, permission: &str, resource: &str) -> Result<(), GoogleError> {
        if self.state.principals.allows(Vendor::Google, &self.subject, permission) {
            return Ok(());
        }
        Err(GoogleError::denied(permission, &format!("//{}/{resource}", self.call.host)))
    }

    /// The body as a JSON object; an empty one where there is no body.
    pub fn body(&self) -> Result<Value, GoogleError> {
        match self.call.json() {
            Some(Value::Null) => Ok(Value::Object(serde_json::Map::new())),
            Some(body) if body.is_object() => Ok(enums::named(body)),
            _ => Err(GoogleError::invalid("Invalid JSON payload received. Expected an object.")),
        }
    }

    /// A change of a thing of this kind that begins now.
    pub fn phase(&self, kind: &str, to: &str) -> Phase {
        Phase::new(to, self.state.behaviours.of(kind), self.state.millis())
    }

    /// The error of a path and method that mean nothing, or that are not simulated.
    pub fn unknown_method(&self) -> GoogleError {
        let Call { method, host, .. } = self.call;
        GoogleError::not_found(format!("Method not found: {method} https://{host}{} is not simulated.", self.call.path()))
    }
}

/// One page of a list: the items, and the token of the next page.
pub(crate) fn page(call: &Call, size_name: &str, items: Vec<(String, Value)>) -> (Vec<Value>, Option<String>) {
    let size = call.parameter(size_name).and_then(|size| size.parse().ok()).filter(|size| *size > 0).unwrap_or(1000_usize);
    let after = call.parameter("pageToken").unwrap_or_default();
    let mut rest = items.into_iter().filter(|(key, _)| after.is_empty() || key.as_str() > after);
    let taken: Vec<_> = rest.by_ref().take(size).collect();
    let next = rest.next().and_then(|_| taken.last()).map(|(key, _)| key.clone());
    (taken.into_iter().map(|(_, item)| item).collect(), next)
}

/// A page of a list as an answer; empty lists and missing tokens are left out, as Google does.
pub(crate) fn listed(name: &str, (items, next): (Vec<Value>, Option<String>)) -> Value {
    let mut body = serde_json::Map::new();
    if !items.is_empty() {
        body.insert(name.to_owned(), Value::Array(items));
    }
    if let Some(next) = next {
        body.insert("nextPageToken".to_owned(), Value::String(next));
    }
    Value::Object(body)
}
