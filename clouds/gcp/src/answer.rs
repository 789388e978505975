//! Answers of Google's APIs.

use std::time::Duration;

use clouds_contract::{CloudError, ErrorContext, ErrorKind, Retry};
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use crate::classify::{Refusal, classify, status_of};
use crate::policy::remedy;

/// Longest part of Google's own words in a message.
const LONGEST: usize = 600;

/// The error of an answer that is none of success.
pub(crate) fn refused(project: &str, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> CloudError {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = &document["error"];
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_html = text(header::CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("text/html"));
    let retry_after = text(header::RETRY_AFTER.as_str()).and_then(|value| value.parse().ok()).map(Duration::from_secs);
    let details = error["details"].as_array().map(Vec::as_slice).unwrap_or_default();
    let info = details.iter().find(|detail| detail["reason"].is_string());
    let older = error["errors"][0]["reason"].as_str();
    let reason = info.and_then(|info| info["reason"].as_str()).or(older).unwrap_or_default();
    let code = error["status"].as_str().unwrap_or_default();
    let refusal = Refusal { status: status.as_u16(), code, reason, is_html, retry_after };
    let said = error["message"].as_str().unwrap_or_default();
    let permission = info.and_then(|info| info["metadata"]["permission"].as_str()).or_else(|| quoted(said));
    let context = ErrorContext {
        status: Some(status.as_u16()),
        vendor_code: Some(format!("{code} {reason}").trim().to_owned()).filter(|code| !code.is_empty()),
        request_id: text("x-request-id").or_else(|| text("x-guploader-uploadid")).map(str::to_owned),
        ..ErrorContext::default()
    };
    told(project, refusal, said, permission).of_call(context)
}

/// The error of an operation that failed.
pub(crate) fn failed(project: &str, error: &Value) -> CloudError {
    let code = error["code"].as_i64().unwrap_or(2);
    let (status, name) = status_of(code);
    let said = error["message"].as_str().unwrap_or("Google says no more");
    let refusal = Refusal { status, code: name, reason: "", is_html: false, retry_after: None };
    let context = ErrorContext { vendor_code: Some(name.to_owned()), ..ErrorContext::default() };
    told(project, refusal, said, quoted(said)).of_call(context)
}

/// An answer that did not come, or not whole.
pub(crate) fn lost(error: reqwest::Error) -> CloudError {
    let error = error.without_url();
    if error.is_connect() {
        let message = "Google Cloud cannot be reached: the connection fails";
        return CloudError::new(ErrorKind::Unavailable, "CLOUD_UNAVAILABLE", message).caused_by(error);
    }
    unclear(error)
}

/// An answer that says nothing: what was asked may be done.
pub(crate) fn unclear(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> CloudError {
    CloudError::new(ErrorKind::Ambiguous, "CLOUD_UNCLEAR", "the answer of Google Cloud got lost").caused_by(cause)
}

fn told(project: &str, refusal: Refusal<'_>, said: &str, permission: Option<&str>) -> CloudError {
    let (kind, retry) = classify(refusal);
    let said: String = said.chars().take(LONGEST).collect();
    let (code, message) = match kind {
        ErrorKind::SignedOut => {
            ("SIGNED_OUT", "Google no longer accepts the account's key: `mikrocloud clouds update` gives it another".to_owned())
        }
        ErrorKind::Denied => match permission {
            Some(permission) => {
                let remedy = remedy(project, permission);
                (
                    "PERMISSION_MISSING",
                    format!("the account lacks the permission {permission} in the project {project}: {remedy}"),
                )
            }
            None => ("PERMISSION_MISSING", format!("Google does not allow it: {said}")),
        },
        ErrorKind::Throttled => ("THROTTLED", "Google takes no more requests of this project for now".to_owned()),
        ErrorKind::Exhausted => ("QUOTA", format!("a quota of the project {project} is used up: {said}")),
        ErrorKind::Conflict if refusal.code == "ALREADY_EXISTS" => ("ALREADY_EXISTS", said),
        ErrorKind::Conflict => ("CONFLICT", format!("somebody else changed it meanwhile: {said}")),
        ErrorKind::Busy => ("BUSY", format!("Google is still enabling it: {said}")),
        ErrorKind::Unavailable => {
            ("CLOUD_UNAVAILABLE", format!("Google Cloud does not answer as it should (status {})", refusal.status))
        }
        ErrorKind::TimedOut => ("CLOUD_TIMED_OUT", "Google Cloud took too long to answer".to_owned()),
        ErrorKind::Unsupported => ("UNSUPPORTED", format!("Google Cloud does not know the request (status {})", refusal.status)),
        ErrorKind::NotFound => ("NOT_FOUND", said),
        _ => ("REFUSED", format!("Google Cloud refused it: {said}")),
    };
    let retry = if kind == ErrorKind::Conflict && refusal.code == "ALREADY_EXISTS" { Retry::Reread } else { retry };
    CloudError::new(kind, code, message).with_retry(retry)
}

/// The permission in a text such as `Permission 'run.services.get' denied on ..`.
fn quoted(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("ermission ")?;
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let (name, _) = rest[1..].split_once(quote)?;
    let is_name = name.contains('.') && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    is_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_missing_permission_is_named_with_the_remedy() {
        let detailed = json!({"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no", "details": [
            {"reason": "IAM_PERMISSION_DENIED", "metadata": {"permission": "run.services.get"}}
        ]}});
        let plain = json!({"error": {"code": 403, "message": "Permission 'run.services.get' denied on resource 'x'."}});
        for body in [detailed, plain] {
            let error = refused("demo", StatusCode::FORBIDDEN, &HeaderMap::new(), body.to_string().as_bytes());
            assert_eq!(error.kind, ErrorKind::Denied);
            assert!(error.message.contains("run.services.get") && error.message.contains("--project demo"), "{error}");
        }
    }

    #[test]
    fn the_log_gets_what_people_do_not() {
        let headers = HeaderMap::from_iter([(header::RETRY_AFTER, "3".parse().unwrap())]);
        let body = json!({"error": {"status": "RESOURCE_EXHAUSTED", "message": "internal words"}}).to_string();
        let error = refused("demo", StatusCode::TOO_MANY_REQUESTS, &headers, body.as_bytes());
        assert_eq!(error.retry, Retry::After(Duration::from_secs(3)));
        assert_eq!(error.context().unwrap().vendor_code.as_deref(), Some("RESOURCE_EXHAUSTED"));
        assert!(!error.message.contains("internal words"));
    }

    #[test]
    fn operations_fail_with_the_same_kinds() {
        for (code, kind) in
            [(7, ErrorKind::Denied), (8, ErrorKind::Exhausted), (9, ErrorKind::Invalid), (14, ErrorKind::Unavailable)]
        {
            assert_eq!(failed("demo", &json!({"code": code, "message": "no"})).kind, kind, "{code}");
        }
    }
}
