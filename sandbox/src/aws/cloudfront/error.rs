//! Errors of CloudFront.

use http::StatusCode;

use crate::aws::xml::escaped;
use crate::http::Answer;

/// An error of CloudFront.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CloudFrontError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl CloudFrontError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidArgument", message)
    }

    pub fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub fn missing(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    pub fn precondition() -> Self {
        let message = "The request failed because it didn't meet the preconditions in one or more request-header fields.";
        Self::new(StatusCode::PRECONDITION_FAILED, "PreconditionFailed", message)
    }

    /// A path that means nothing.
    pub fn unknown() -> Self {
        Self::missing("NoSuchResource", "The path is not simulated.")
    }

    pub fn answer(&self) -> Answer {
        let text = format!(
            "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"{}\"><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error>\
             <RequestId>{}</RequestId></ErrorResponse>",
            super::NAMESPACE,
            self.code,
            escaped(&self.message),
            uuid::Uuid::new_v4()
        );
        Answer::bytes(self.status, "text/xml", text)
    }
}
