//! Errors of the blob service.

use http::StatusCode;

use super::xml::escaped;
use crate::http::Answer;

/// An error of the blob service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::azure) struct BlobError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl BlobError {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    pub fn no_blob() -> Self {
        Self::new(StatusCode::NOT_FOUND, "BlobNotFound", "The specified blob does not exist.")
    }

    pub fn no_container() -> Self {
        Self::new(StatusCode::NOT_FOUND, "ContainerNotFound", "The specified container does not exist.")
    }

    pub fn condition() -> Self {
        let message = "The condition specified using HTTP conditional header(s) is not met.";
        Self::new(StatusCode::PRECONDITION_FAILED, "ConditionNotMet", message)
    }

    /// A call that means nothing, or that is not simulated.
    pub fn unsupported() -> Self {
        Self::invalid("UnsupportedHttpVerb", "The resource doesn't support the specified Http Verb, or it is not simulated.")
    }

    /// The answer.
    pub fn answer(&self) -> Answer {
        let (code, message) = (self.code, escaped(&self.message));
        let text =
            format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>");
        let answer = Answer::xml(self.status, text).with("x-ms-error-code", code);
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = "Bearer authorization_uri=https://login.microsoftonline.com/common/oauth2/authorize resource_id=https://storage.azure.com";
            return answer.with("www-authenticate", challenge);
        }
        answer
    }
}

impl From<std::io::Error> for BlobError {
    fn from(error: std::io::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", error.to_string())
    }
}
