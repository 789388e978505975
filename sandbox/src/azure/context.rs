//! One call with what answering it needs.

use http::StatusCode;
use serde_json::Value;

use super::error::AzureError;
use crate::data_plane::Runtimes;
use crate::environment::Environment;
use crate::http::Call;
use crate::login::{TokenError, Vendor, read};
use crate::world::{Phase, State};

/// One call with what answering it needs.
pub(super) struct Context<'a> {
    pub call: &'a Call,
    pub state: &'a mut State,
    pub runtimes: &'a dyn Runtimes,
    /// Client id of the caller.
    pub subject: String,
    /// Version of the API that the caller names.
    pub version: String,
}

impl<'a> Context<'a> {
    /// The context of a call whose token is valid and that names a version.
    pub fn new(environment: Environment<'a>, call: &'a Call) -> Result<Self, AzureError> {
        let Environment { state, runtimes, .. } = environment;
        let subject = subject(state, call)?;
        let version = call.parameter("api-version").unwrap_or_default().to_owned();
        if version.is_empty() {
            let message = "The api-version query parameter (?api-version=) is required for all requests.";
            return Err(AzureError::invalid("MissingApiVersionParameter", message));
        }
        if !is_version(&version) {
            let message = format!("The api-version '{version}' is invalid.");
            return Err(AzureError::invalid("InvalidApiVersionParameter", message));
        }
        Ok(Self { call, state, runtimes, subject, version })
    }

    /// Checks that the caller has a permission.
    pub fn need(&self, action: &str, scope: &str) -> Result<(), AzureError> {
        if self.state.principals.allows(Vendor::Azure, &self.subject, action) {
            return Ok(());
        }
        let object = self.state.principals.about(Vendor::Azure, &self.subject, "object").unwrap_or(&self.subject);
        let message = format!(
            "The client '{}' with object id '{object}' does not have authorization to perform action '{action}' over scope '{scope}' or \
             the scope is invalid. If access was recently granted, please refresh your credentials.",
            self.subject
        );
        Err(AzureError::new(StatusCode::FORBIDDEN, "AuthorizationFailed", message))
    }

    /// Checks that the caller may use another resource for what it writes.
    pub fn need_linked(&self, action: &str, linked: &str) -> Result<(), AzureError> {
        if self.state.principals.allows(Vendor::Azure, &self.subject, action) {
            return Ok(());
        }
        let message = format!(
            "The client '{}' has permission to perform the write; however, it does not have permission to perform action(s) '{action}' on \
             the linked scope(s) '{linked}' or the linked scope(s) are invalid.",
            self.subject
        );
        Err(AzureError::new(StatusCode::FORBIDDEN, "LinkedAuthorizationFailed", message))
    }

    /// The body as a JSON object.
    pub fn body(&self) -> Result<Value, AzureError> {
        match self.call.json() {
            Some(body) if body.is_object() => Ok(body),
            _ => {
                let message = "The request content was invalid and could not be deserialized: an object is expected.";
                Err(AzureError::invalid("InvalidRequestContent", message))
            }
        }
    }

    /// A change of a thing of this kind that begins now.
    pub fn phase(&self, kind: &str, to: &str) -> Phase {
        Phase::new(to, self.state.behaviours.of(kind), self.state.millis())
    }
}

/// The caller, by the bearer token.
pub(super) fn subject(state: &State, call: &Call) -> Result<String, AzureError> {
    let refused = |code: &str, message: &str| AzureError::new(StatusCode::UNAUTHORIZED, code, message);
    let missing = || refused("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.");
    let claims = read(state, Vendor::Azure, call.bearer().ok_or_else(missing)?).map_err(|error| match error {
        TokenError::Expired => {
            refused("ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time.")
        }
        TokenError::Invalid => refused("InvalidAuthenticationToken", "The access token is invalid."),
    })?;
    let audience = claims.body["aud"].as_str().unwrap_or_default().trim_end_matches('/');
    if !["", "https://management.azure.com", "https://management.core.windows.net"].contains(&audience) {
        let message = format!("The access token has been obtained for wrong audience or resource '{audience}'.");
        return Err(refused("InvalidAuthenticationTokenAudience", &message));
    }
    Ok(claims.subject)
}

/// Dates, with or without `-preview`: any version is taken.
fn is_version(version: &str) -> bool {
    let date = version.strip_suffix("-preview").unwrap_or(version);
    chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").is_ok()
}
