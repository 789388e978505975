//! Errors of the OCI distribution protocol.

use http::StatusCode;
use http::header::WWW_AUTHENTICATE;
use serde_json::json;

use super::request::Request;
use super::token::challenge;
use crate::http::{Answer, Call};

/// An error of the OCI distribution protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RegistryError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl RegistryError {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub fn unauthorized(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message)
    }

    pub fn missing(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// The answer, with a challenge if credentials would help.
    pub fn answer(&self, call: &Call) -> Answer {
        let answer = Answer::json(self.status, &json!({"errors": [{"code": self.code, "message": self.message}]}));
        if self.status != StatusCode::UNAUTHORIZED {
            return answer;
        }
        let host = Request::of(call).map_or_else(|_| call.host.clone(), |request| request.host);
        answer.with(WWW_AUTHENTICATE.as_str(), &challenge(call, &host))
    }
}

impl From<std::io::Error> for RegistryError {
    fn from(error: std::io::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN", error.to_string())
    }
}
