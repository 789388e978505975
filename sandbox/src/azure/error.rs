//! Errors of the resource manager.

use http::StatusCode;
use serde_json::json;

use crate::http::Answer;

/// An error of the resource manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AzureError {
    status: StatusCode,
    code: String,
    message: String,
}

impl AzureError {
    pub fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }

    pub fn invalid(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub fn conflict(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    pub fn not_found(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// A resource that does not exist.
    pub fn missing(kind: &str, name: &str, group: &str) -> Self {
        let message = format!("The Resource '{kind}/{name}' under resource group '{group}' was not found.");
        Self::not_found("ResourceNotFound", message)
    }

    /// The answer.
    pub fn answer(&self) -> Answer {
        let mut answer = Answer::json(self.status, &json!({"error": {"code": self.code, "message": self.message}}));
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = "Bearer authorization_uri=\"https://login.microsoftonline.com/\", error=\"invalid_token\"";
            answer = answer.with("www-authenticate", challenge);
        }
        answer
    }
}
