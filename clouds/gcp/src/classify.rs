//! Errors of Google's APIs in our own terms: one table for all services.

use std::time::Duration;

use clouds_contract::{ErrorKind, Retry};

/// Answer of Google as far as it matters for what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal<'a> {
    /// HTTP status.
    pub status: u16,
    /// Name of the code, such as `PERMISSION_DENIED`; empty where there is none.
    pub code: &'a str,
    /// Reason of the error's details, such as `SERVICE_DISABLED`; empty where there is none.
    pub reason: &'a str,
    /// The body is a page, which none of the APIs answers with.
    pub is_html: bool,
    /// Value of `Retry-After`.
    pub retry_after: Option<Duration>,
}

/// Kind of an error and what can help (cloud.google.com/apis/design/errors; google.rpc.Code).
pub(crate) fn classify(refusal: Refusal<'_>) -> (ErrorKind, Retry) {
    let Refusal { status, code, reason, is_html, retry_after } = refusal;
    let soon = retry_after.map_or(Retry::Soon, Retry::After);
    match (status, code, reason) {
        // An address that means nothing to Google: a page of its front end.
        (400..=499, ..) if is_html => (ErrorKind::Unsupported, Retry::Never),
        (401, ..) | (_, "UNAUTHENTICATED", _) => (ErrorKind::SignedOut, Retry::Reconnect),
        // Just enabled: it takes minutes until all of Google knows.
        (403, _, "SERVICE_DISABLED" | "API_DISABLED") => (ErrorKind::Busy, Retry::Soon),
        (403, _, "quotaExceeded" | "QUOTA_EXCEEDED") => (ErrorKind::Exhausted, Retry::Never),
        (403, _, "rateLimitExceeded" | "userRateLimitExceeded" | "RATE_LIMIT_EXCEEDED") | (429, ..) => {
            (ErrorKind::Throttled, soon)
        }
        (403, ..) | (_, "PERMISSION_DENIED", _) => (ErrorKind::Denied, Retry::Never),
        (404, ..) | (_, "NOT_FOUND", _) => (ErrorKind::NotFound, Retry::Never),
        (409 | 412, ..) | (_, "ABORTED" | "ALREADY_EXISTS", _) => (ErrorKind::Conflict, Retry::Reread),
        (_, "RESOURCE_EXHAUSTED", _) => (ErrorKind::Exhausted, Retry::Never),
        (408, ..) => (ErrorKind::Unavailable, soon),
        (501, ..) | (_, "UNIMPLEMENTED", _) => (ErrorKind::Unsupported, Retry::Never),
        // It may have been done all the same.
        (504, ..) | (_, "DEADLINE_EXCEEDED", _) => (ErrorKind::TimedOut, Retry::Look),
        (500..=599, ..) => (ErrorKind::Unavailable, Retry::Look),

        _ => (ErrorKind::Invalid, Retry::Never),
    }
}

/// Status that a code of an operation's error stands for (google.rpc.Code).
pub(crate) fn status_of(code: i64) -> (u16, &'static str) {
    match code {
        1 => (499, "CANCELLED"),
        4 => (504, "DEADLINE_EXCEEDED"),
        5 => (404, "NOT_FOUND"),
        6 => (409, "ALREADY_EXISTS"),
        7 => (403, "PERMISSION_DENIED"),
        8 => (400, "RESOURCE_EXHAUSTED"),
        9 => (400, "FAILED_PRECONDITION"),
        10 => (409, "ABORTED"),
        12 => (501, "UNIMPLEMENTED"),
        13 => (500, "INTERNAL"),
        14 => (503, "UNAVAILABLE"),
        16 => (401, "UNAUTHENTICATED"),
        _ => (400, "INVALID_ARGUMENT"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_its_kind() {
        let table = [
            (400, "INVALID_ARGUMENT", "", ErrorKind::Invalid, Retry::Never),
            (400, "FAILED_PRECONDITION", "", ErrorKind::Invalid, Retry::Never),
            (401, "UNAUTHENTICATED", "ACCESS_TOKEN_EXPIRED", ErrorKind::SignedOut, Retry::Reconnect),
            (403, "PERMISSION_DENIED", "IAM_PERMISSION_DENIED", ErrorKind::Denied, Retry::Never),
            (403, "PERMISSION_DENIED", "SERVICE_DISABLED", ErrorKind::Busy, Retry::Soon),
            (403, "", "rateLimitExceeded", ErrorKind::Throttled, Retry::Soon),
            (404, "NOT_FOUND", "", ErrorKind::NotFound, Retry::Never),
            (404, "", "notFound", ErrorKind::NotFound, Retry::Never),
            (409, "ALREADY_EXISTS", "", ErrorKind::Conflict, Retry::Reread),
            (409, "ABORTED", "", ErrorKind::Conflict, Retry::Reread),
            (409, "", "conflict", ErrorKind::Conflict, Retry::Reread),
            (412, "", "conditionNotMet", ErrorKind::Conflict, Retry::Reread),
            (429, "RESOURCE_EXHAUSTED", "", ErrorKind::Throttled, Retry::Soon),
            (400, "RESOURCE_EXHAUSTED", "", ErrorKind::Exhausted, Retry::Never),
            (500, "INTERNAL", "", ErrorKind::Unavailable, Retry::Look),
            (503, "UNAVAILABLE", "", ErrorKind::Unavailable, Retry::Look),
            (504, "DEADLINE_EXCEEDED", "", ErrorKind::TimedOut, Retry::Look),
            (418, "NEW_CODE", "", ErrorKind::Invalid, Retry::Never),
        ];
        for (status, code, reason, kind, retry) in table {
            let found = classify(Refusal { status, code, reason, is_html: false, retry_after: None });
            assert_eq!(found, (kind, retry), "{status} {code} {reason}");
        }
    }

    #[test]
    fn a_page_is_never_a_thing_that_is_missing_and_a_named_time_is_kept() {
        let refusal = Refusal { status: 404, code: "", reason: "", is_html: true, retry_after: None };
        assert_eq!(classify(refusal).0, ErrorKind::Unsupported);
        let after = Duration::from_secs(7);
        let refusal = Refusal { status: 429, code: "RESOURCE_EXHAUSTED", reason: "", is_html: false, retry_after: Some(after) };
        assert_eq!(classify(refusal), (ErrorKind::Throttled, Retry::After(after)));
    }
}
