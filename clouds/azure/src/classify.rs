//! Azure's errors as ours (learn.microsoft.com, "Troubleshoot common Azure deployment errors").

use std::time::Duration;

use clouds_contract::{CloudError, ErrorContext, ErrorKind, Retry};
use serde::Deserialize;

/// Body of an error of Azure Resource Manager.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Problem {
    /// Azure's code.
    #[serde(default)]
    pub code: String,
    /// Azure's words.
    #[serde(default)]
    pub message: String,
}

#[derive(Deserialize)]
struct Envelope {
    error: Problem,
}

impl Problem {
    /// Reads the body of an answer; empty if it has none.
    pub fn read(body: &[u8]) -> Self {
        let found = serde_json::from_slice::<Envelope>(body).map(|envelope| envelope.error);
        found.or_else(|_| serde_json::from_slice(body)).unwrap_or_default()
    }
}

/// The kind of an error by status and code.
pub fn classify(status: u16, code: &str) -> ErrorKind {
    match code {
        "AuthorizationFailed"
        | "LinkedAuthorizationFailed"
        | "AuthorizationPermissionMismatch"
        | "SubscriptionNotFound"
        | "ReadOnlyDisabledSubscription"
        | "DisallowedProvider" => return ErrorKind::Denied,
        "InvalidAuthenticationToken" | "ExpiredAuthenticationToken" | "InvalidAuthenticationTokenTenant" => {
            return ErrorKind::SignedOut;
        }
        "QuotaExceeded" | "SkuNotAvailable" | "MaxNumberOfRegionalEnvironmentsInSubExceeded" | "LocationIsOfferRestricted" => {
            return ErrorKind::Exhausted;
        }
        "StorageAccountAlreadyTaken" | "AlreadyInUse" => return ErrorKind::Conflict,
        _ if is_busy(code) => return ErrorKind::Busy,
        _ => {}
    }
    match status {
        401 => ErrorKind::SignedOut,
        403 => ErrorKind::Denied,
        404 => ErrorKind::NotFound,
        408 | 500 => ErrorKind::Ambiguous,
        409 | 412 => ErrorKind::Conflict,
        429 => ErrorKind::Throttled,
        502..=504 => ErrorKind::Unavailable,
        _ => ErrorKind::Invalid,
    }
}

/// Codes of things that are being changed just now.
fn is_busy(code: &str) -> bool {
    code.ends_with("OperationInProgress")
        || matches!(code, "ContainerAppLockConflict" | "ResourceGroupBeingDeleted" | "AnotherOperationInProgress" | "Conflict")
}

/// An error from an answer of Azure.
pub fn refused(status: u16, retry_after: Option<Duration>, request_id: Option<String>, body: &[u8]) -> CloudError {
    let problem = Problem::read(body);
    let kind = classify(status, &problem.code);
    let (code, message) = words(kind, status, &problem);
    let context = ErrorContext { status: Some(status), vendor_code: Some(problem.code), request_id, ..ErrorContext::default() };
    let error = CloudError::new(kind, code, message).of_call(context);
    match (kind, retry_after) {
        (ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::Busy, Some(after)) => error.with_retry(Retry::After(after)),
        _ => error,
    }
}

/// An error of an operation that ended badly.
pub fn failed(problem: &Problem) -> CloudError {
    let kind = match classify(400, &problem.code) {
        // Whatever it was, it is over.
        ErrorKind::Busy | ErrorKind::Conflict => ErrorKind::Invalid,
        kind => kind,
    };
    let (code, message) = words(kind, 200, problem);
    CloudError::new(kind, code, message)
        .of_call(ErrorContext { vendor_code: Some(problem.code.clone()), ..ErrorContext::default() })
}

fn words(kind: ErrorKind, status: u16, problem: &Problem) -> (&'static str, String) {
    let said = if problem.message.is_empty() { format!("it answered {status}") } else { problem.message.clone() };
    match kind {
        ErrorKind::Denied => {
            ("DENIED", format!("Azure does not allow it: {said}. `mikrocloud clouds verify` names permissions that are missing"))
        }
        ErrorKind::SignedOut => (
            "SIGNED_OUT",
            "Azure no longer accepts the credential: `mikrocloud clouds update` gives the account another".to_owned(),
        ),
        ErrorKind::Throttled => ("THROTTLED", "Azure takes no more requests for a moment".to_owned()),
        ErrorKind::Exhausted => {
            ("QUOTA", format!("a limit of the subscription is reached: {said}. Ask Azure for more, or use another region"))
        }
        ErrorKind::Busy => ("BUSY", format!("Azure is changing it just now: {said}")),
        ErrorKind::Unavailable | ErrorKind::Ambiguous => ("UNAVAILABLE", format!("Azure could not do it: {said}")),
        ErrorKind::NotFound => ("NOT_FOUND", format!("Azure does not have it: {said}")),
        ErrorKind::Conflict => ("CONFLICT", format!("somebody else changed or holds it: {said}")),
        _ => ("REFUSED", format!("Azure refuses it: {said}")),
    }
}

/// An answer that got lost on the way: it may have happened.
pub fn lost(error: reqwest::Error) -> CloudError {
    if error.is_connect() {
        return CloudError::new(ErrorKind::Unavailable, "UNREACHABLE", "Azure cannot be reached: it is tried again")
            .caused_by(error);
    }
    ambiguous("an answer of Azure got lost").caused_by(error)
}

/// An answer that says nothing.
pub fn ambiguous(message: &str) -> CloudError {
    CloudError::new(ErrorKind::Ambiguous, "AMBIGUOUS", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_azure_have_our_kinds() {
        let table = [
            (401, "InvalidAuthenticationToken", ErrorKind::SignedOut),
            (403, "AuthorizationFailed", ErrorKind::Denied),
            (404, "ResourceNotFound", ErrorKind::NotFound),
            (404, "SubscriptionNotFound", ErrorKind::Denied),
            (409, "ContainerAppOperationInProgress", ErrorKind::Busy),
            (409, "StorageAccountAlreadyTaken", ErrorKind::Conflict),
            (400, "MaxNumberOfRegionalEnvironmentsInSubExceeded", ErrorKind::Exhausted),
            (412, "", ErrorKind::Conflict),
            (429, "TooManyRequests", ErrorKind::Throttled),
            (500, "InternalServerError", ErrorKind::Ambiguous),
            (503, "ServerTimeout", ErrorKind::Unavailable),
            (400, "InvalidTemplate", ErrorKind::Invalid),
        ];
        for (status, code, kind) in table {
            assert_eq!(classify(status, code), kind, "{status} {code}");
        }
    }

    #[test]
    fn a_wait_that_azure_asks_for_is_kept() {
        let body = br#"{"error":{"code":"TooManyRequests","message":"slow down"}}"#;
        let error = refused(429, Some(Duration::from_secs(7)), Some("r1".to_owned()), body);
        assert_eq!((error.kind, error.retry), (ErrorKind::Throttled, Retry::After(Duration::from_secs(7))));
        assert_eq!(error.context().unwrap().vendor_code.as_deref(), Some("TooManyRequests"));
    }
}
