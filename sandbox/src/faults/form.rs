//! Errors in the form of each vendor and protocol.

use http::StatusCode;
use serde_json::json;

use crate::http::{Answer, Call, Destination};

/// Vendor and protocol of a call, as far as errors differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    Google,
    Azure,
    AzureBlobs,
    Registry,
    Login,
    /// AWS with JSON 1.0 or 1.1, or REST with JSON.
    AwsJson,
    /// AWS with forms or REST with XML.
    AwsXml,
}

impl Flavour {
    /// The flavour of a call.
    pub fn of(call: &Call) -> Self {
        match Destination::of(&call.host) {
            Destination::GoogleLogin | Destination::MicrosoftLogin => Self::Login,
            Destination::AzureResources => Self::Azure,
            Destination::AzureBlobs => Self::AzureBlobs,
            Destination::Registry => Self::Registry,
            Destination::Aws => Self::of_aws(call),
            Destination::Google | Destination::DataPlane => Self::Google,
        }
    }

    fn of_aws(call: &Call) -> Self {
        let is_json = !call.header("x-amz-target").is_empty() || call.header("content-type").contains("json");
        let rest_json = ["lambda.", "apigateway.", "batch."].iter().any(|service| call.host.starts_with(service));
        if is_json || rest_json { Self::AwsJson } else { Self::AwsXml }
    }

    /// The service of a call, as rules name it.
    pub fn service(self, call: &Call) -> String {
        match self {
            Self::Google | Self::AwsJson | Self::AwsXml => call.host.split('.').next().unwrap_or_default().to_owned(),
            Self::Azure => provider_of(call.path()).unwrap_or("Microsoft.Resources").to_owned(),
            Self::AzureBlobs => "blob".to_owned(),
            Self::Registry => "registry".to_owned(),
            Self::Login => "login".to_owned(),
        }
    }

    /// Status and code of too many calls.
    pub fn throttled(self) -> (StatusCode, &'static str) {
        match self {
            Self::Google => (StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED"),
            Self::Azure => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequests"),
            Self::AzureBlobs => (StatusCode::SERVICE_UNAVAILABLE, "ServerBusy"),
            Self::Registry => (StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS"),
            Self::Login => (StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable"),
            Self::AwsJson => (StatusCode::BAD_REQUEST, "ThrottlingException"),
            Self::AwsXml => (StatusCode::SERVICE_UNAVAILABLE, "SlowDown"),
        }
    }

    /// Status and code of credentials that are over.
    pub fn expired(self) -> (StatusCode, &'static str) {
        match self {
            Self::Google => (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"),
            Self::Azure => (StatusCode::UNAUTHORIZED, "ExpiredAuthenticationToken"),
            Self::AzureBlobs => (StatusCode::UNAUTHORIZED, "InvalidAuthenticationInfo"),
            Self::Registry => (StatusCode::UNAUTHORIZED, "UNAUTHORIZED"),
            Self::Login => (StatusCode::UNAUTHORIZED, "invalid_client"),
            Self::AwsJson => (StatusCode::BAD_REQUEST, "ExpiredTokenException"),
            Self::AwsXml => (StatusCode::FORBIDDEN, "ExpiredToken"),
        }
    }

    /// The vendor's usual code for a status.
    pub fn code_of(self, status: StatusCode) -> &'static str {
        match (self, status.as_u16()) {
            (Self::Google, 400) => "INVALID_ARGUMENT",
            (Self::Google, 401) => "UNAUTHENTICATED",
            (Self::Google, 403) => "PERMISSION_DENIED",
            (Self::Google, 404) => "NOT_FOUND",
            (Self::Google, 409) => "ABORTED",
            (Self::Google, 429) => "RESOURCE_EXHAUSTED",
            (Self::Google, 503) => "UNAVAILABLE",
            (Self::Google, 504) => "DEADLINE_EXCEEDED",
            (Self::Google, _) => "INTERNAL",
            (Self::Azure, 404) => "ResourceNotFound",
            (Self::Azure, 403) => "AuthorizationFailed",
            (Self::Azure, 409) => "Conflict",
            (Self::Azure, 429) => "TooManyRequests",
            (Self::Registry, 401) => "UNAUTHORIZED",
            (Self::Registry, 403) => "DENIED",
            (Self::Registry, 404) => "NAME_UNKNOWN",
            (Self::Registry, 429) => "TOOMANYREQUESTS",
            (_, 403) => "AccessDenied",
            (_, 429) => "TooManyRequestsException",
            (_, 503) => "ServiceUnavailable",
            _ => "InternalServerError",
        }
    }
}

fn provider_of(path: &str) -> Option<&str> {
    path.rsplit_once("/providers/")?.1.split('/').next()
}

/// An error in the form of a vendor.
pub(crate) fn error_answer(flavour: Flavour, call: &Call, status: StatusCode, code: &str, message: &str) -> Answer {
    match flavour {
        Flavour::Google => Answer::json(status, &json!({"error": {"code": status.as_u16(), "message": message, "status": code}})),
        Flavour::Azure => Answer::json(status, &json!({"error": {"code": code, "message": message}})),
        Flavour::Registry => Answer::json(status, &json!({"errors": [{"code": code, "message": message}]})),
        Flavour::Login => Answer::json(status, &json!({"error": code, "error_description": message})),
        Flavour::AwsJson => Answer::json(status, &json!({"__type": code, "message": message})).with("x-amzn-errortype", code),
        Flavour::AzureBlobs => {
            let text = format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
            );
            Answer::xml(status, text).with("x-ms-error-code", code)
        }
        Flavour::AwsXml if call.host.starts_with("s3.") || call.host.contains(".s3.") => Answer::xml(
            status,
            format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"),
        ),
        Flavour::AwsXml => Answer::bytes(
            status,
            "text/xml",
            format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>0</RequestId></ErrorResponse>"
            ),
        ),
    }
}
