//! Errors as Google's APIs give them.

use http::StatusCode;
use serde_json::{Value, json};

use crate::http::{Answer, Call};

/// An error of one of Google's APIs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GoogleError {
    pub status: StatusCode,
    /// Name of the code, such as `NOT_FOUND`.
    pub code: &'static str,
    pub message: String,
    details: Vec<Value>,
}

impl GoogleError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: Vec::new() }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", message)
    }

    pub fn precondition(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "FAILED_PRECONDITION", message)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
    }

    pub fn exists(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "ALREADY_EXISTS", message)
    }

    pub fn aborted(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "ABORTED", message)
    }

    /// A condition on a generation or an entity tag does not hold.
    pub fn condition(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "FAILED_PRECONDITION", message)
    }

    /// A range lies beyond the content.
    pub fn unsatisfiable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "OUT_OF_RANGE", message)
    }

    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "ABORTED", message)
    }

    pub fn unauthenticated(reason: &str) -> Self {
        let message = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid \
                       authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message).detail(json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com",
        }))
    }

    pub fn denied(permission: &str, resource: &str) -> Self {
        let message = format!("Permission '{permission}' denied on resource '{resource}' (or it may not exist).");
        Self::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message).detail(json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "IAM_PERMISSION_DENIED", "domain": "googleapis.com",
            "metadata": {"permission": permission, "resource": resource},
        }))
    }

    pub fn internal(error: &impl ToString) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", error.to_string())
    }

    /// The API is not enabled in the project.
    pub fn disabled(service: &str, title: &str, project: &str, number: &str) -> Self {
        let url = format!("https://console.developers.google.com/apis/api/{service}/overview?project={project}");
        let message = format!(
            "{title} has not been used in project {project} before or it is disabled. Enable it by visiting {url} then retry. If \
             you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry."
        );
        Self::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message).detail(json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED", "domain": "googleapis.com",
            "metadata": {"consumer": format!("projects/{number}"), "service": service},
        }))
    }

    fn detail(mut self, detail: Value) -> Self {
        self.details.push(detail);
        self
    }

    /// The answer; Cloud Storage adds its older list of errors.
    pub fn answer(&self, call: &Call) -> Answer {
        let mut error = json!({"code": self.status.as_u16(), "message": self.message, "status": self.code});
        if call.host.starts_with("storage.") {
            let reason = match self.status.as_u16() {
                401 => "authError",
                403 => "forbidden",
                404 => "notFound",
                409 => "conflict",
                412 => "conditionNotMet",
                _ => "invalid",
            };
            error["errors"] = json!([{"message": self.message, "domain": "global", "reason": reason}]);
        }
        if !self.details.is_empty() {
            error["details"] = json!(self.details);
        }
        Answer::json(self.status, &json!({"error": error}))
    }
}

impl From<std::io::Error> for GoogleError {
    fn from(error: std::io::Error) -> Self {
        Self::internal(&error)
    }
}
