//! Errors of AWS in our own terms: one table for all services.

use std::time::Duration;

use clouds_contract::{ErrorKind, Retry};

/// Answer of AWS as far as it matters for what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal<'a> {
    /// HTTP status.
    pub status: u16,
    /// Code of the error, such as `AccessDenied`; empty where there is none.
    pub code: &'a str,
    /// The body is a page, which none of the APIs answers with.
    pub is_html: bool,
    /// Value of `Retry-After`.
    pub retry_after: Option<Duration>,
}

/// Kind of an error and what can help ("Error responses" of S3, "Common errors" of CloudFront, IAM and STS).
pub(crate) fn classify(refusal: Refusal<'_>) -> (ErrorKind, Retry) {
    let Refusal { status, code, is_html, retry_after } = refusal;
    let soon = retry_after.map_or(Retry::Soon, Retry::After);
    match (status, code) {
        // A page instead of an error: nothing that AWS itself answers with. It says nothing about the thing.
        _ if is_html && code.is_empty() => (ErrorKind::Unsupported, Retry::Never),
        (
            _,
            "InvalidClientTokenId"
            | "InvalidAccessKeyId"
            | "UnrecognizedClientException"
            | "SignatureDoesNotMatch"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "InvalidToken"
            | "AuthFailure"
            | "IncompleteSignature"
            | "MissingAuthenticationToken"
            | "OptInRequired",
        )
        | (401, _) => (ErrorKind::SignedOut, Retry::Reconnect),
        (
            _,
            "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "TooManyRequests"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "SlowDown"
            | "PriorRequestNotComplete",
        )
        | (429, _) => (ErrorKind::Throttled, soon),
        // Somebody else's answer has overtaken ours: the conditions changed.
        (_, "PreconditionFailed" | "InvalidIfMatchVersion" | "ConflictException" | "ConditionalRequestConflict") | (412, _) => {
            (ErrorKind::Conflict, Retry::Reread)
        }
        (
            _,
            "DistributionNotDisabled"
            | "OriginAccessControlInUse"
            | "FunctionInUse"
            | "CannotDeleteEntityWhileInUse"
            | "OperationAborted"
            | "BucketNotEmpty"
            | "ResourceInUse"
            | "DependencyViolation"
            | "DeleteConflict"
            | "ClusterContainsServicesException"
            | "ClusterContainsTasksException"
            | "UpdateInProgressException",
        ) => (ErrorKind::Busy, Retry::Soon),
        // Services that take forms or JSON say both with status 400.
        (400, code) if is_missing(code) => (ErrorKind::NotFound, Retry::Never),
        (400, code) if is_taken(code) => (ErrorKind::Conflict, Retry::Reread),
        (_, code) if is_quota(code) => (ErrorKind::Exhausted, Retry::Never),
        (403, _) | (_, "AccessDenied" | "AccessDeniedException") => (ErrorKind::Denied, Retry::Never),
        (404, _) => (ErrorKind::NotFound, Retry::Never),
        (409, _) => (ErrorKind::Conflict, Retry::Reread),
        (408, _) | (_, "RequestTimeout") => (ErrorKind::Unavailable, soon),
        (501, _) => (ErrorKind::Unsupported, Retry::Never),
        // It may have been done all the same.
        (504, _) => (ErrorKind::TimedOut, Retry::Look),
        (500..=599, _) => (ErrorKind::Unavailable, Retry::Look),
        _ => (ErrorKind::Invalid, Retry::Never),
    }
}

/// Returns true for codes of what does not exist, such as `TargetGroupNotFound` and `RepositoryNotFoundException`.
fn is_missing(code: &str) -> bool {
    let code = code.strip_suffix("Exception").unwrap_or(code);
    code.ends_with("NotFound") || matches!(code, "NoSuchEntity" | "ServiceNotActive")
}

/// Returns true for codes of names that are taken, such as `EntityAlreadyExists` and `PriorityInUse`.
fn is_taken(code: &str) -> bool {
    let code = code.strip_suffix("Exception").unwrap_or(code);
    code.ends_with("AlreadyExists") || code.starts_with("Duplicate") || code.ends_with(".Duplicate") || code == "PriorityInUse"
}

/// Returns true for codes of quotas, such as `TooManyDistributions` and `LimitExceeded`.
fn is_quota(code: &str) -> bool {
    code.starts_with("TooMany")
        || code.starts_with("LimitExceeded")
        || code.contains("QuotaExceeded")
        || code.contains("SizeLimit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_its_kind() {
        let table = [
            (400, "InvalidArgument", ErrorKind::Invalid, Retry::Never),
            (403, "AccessDenied", ErrorKind::Denied, Retry::Never),
            (400, "AccessDeniedException", ErrorKind::Denied, Retry::Never),
            (403, "", ErrorKind::Denied, Retry::Never),
            (403, "InvalidClientTokenId", ErrorKind::SignedOut, Retry::Reconnect),
            (403, "InvalidAccessKeyId", ErrorKind::SignedOut, Retry::Reconnect),
            (403, "SignatureDoesNotMatch", ErrorKind::SignedOut, Retry::Reconnect),
            (400, "ExpiredToken", ErrorKind::SignedOut, Retry::Reconnect),
            (404, "NoSuchBucket", ErrorKind::NotFound, Retry::Never),
            (404, "EntityNotFound", ErrorKind::NotFound, Retry::Never),
            (404, "", ErrorKind::NotFound, Retry::Never),
            (409, "BucketAlreadyOwnedByYou", ErrorKind::Conflict, Retry::Reread),
            (409, "DistributionAlreadyExists", ErrorKind::Conflict, Retry::Reread),
            (409, "ConflictException", ErrorKind::Conflict, Retry::Reread),
            (412, "PreconditionFailed", ErrorKind::Conflict, Retry::Reread),
            (400, "InvalidIfMatchVersion", ErrorKind::Conflict, Retry::Reread),
            (409, "DistributionNotDisabled", ErrorKind::Busy, Retry::Soon),
            (409, "FunctionInUse", ErrorKind::Busy, Retry::Soon),
            (409, "BucketNotEmpty", ErrorKind::Busy, Retry::Soon),
            (409, "OperationAborted", ErrorKind::Busy, Retry::Soon),
            (400, "DependencyViolation", ErrorKind::Busy, Retry::Soon),
            (400, "TargetGroupNotFound", ErrorKind::NotFound, Retry::Never),
            (400, "RepositoryNotFoundException", ErrorKind::NotFound, Retry::Never),
            (400, "InvalidGroup.NotFound", ErrorKind::NotFound, Retry::Never),
            (400, "ParameterAlreadyExists", ErrorKind::Conflict, Retry::Reread),
            (400, "PriorityInUse", ErrorKind::Conflict, Retry::Reread),
            (400, "DuplicateLoadBalancerName", ErrorKind::Conflict, Retry::Reread),
            (400, "InvalidParameterException", ErrorKind::Invalid, Retry::Never),
            (400, "TooManyDistributions", ErrorKind::Exhausted, Retry::Never),
            (400, "TooManyBuckets", ErrorKind::Exhausted, Retry::Never),
            (400, "Throttling", ErrorKind::Throttled, Retry::Soon),
            (429, "TooManyRequestsException", ErrorKind::Throttled, Retry::Soon),
            (503, "SlowDown", ErrorKind::Throttled, Retry::Soon),
            (500, "InternalError", ErrorKind::Unavailable, Retry::Look),
            (503, "ServiceUnavailable", ErrorKind::Unavailable, Retry::Look),
            (504, "", ErrorKind::TimedOut, Retry::Look),
            (418, "NewCode", ErrorKind::Invalid, Retry::Never),
        ];
        for (status, code, kind, retry) in table {
            let found = classify(Refusal { status, code, is_html: false, retry_after: None });
            assert_eq!(found, (kind, retry), "{status} {code}");
        }
    }

    #[test]
    fn a_page_is_never_a_thing_that_is_missing_and_a_named_time_is_kept() {
        for status in [404, 500] {
            let refusal = Refusal { status, code: "", is_html: true, retry_after: None };
            assert_eq!(classify(refusal).0, ErrorKind::Unsupported);
        }
        let after = Duration::from_secs(7);
        let refusal = Refusal { status: 503, code: "SlowDown", is_html: false, retry_after: Some(after) };
        assert_eq!(classify(refusal), (ErrorKind::Throttled, Retry::After(after)));
    }
}
