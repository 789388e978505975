use std::future::Future;

use super::Call;
use crate::{CloudError, ErrorKind};

/// Counts a call by its outcome: `mikrocloud_cloud_calls_total`.
pub(super) async fn metered<T>(
    cloud: &'static str,
    call: Call,
    work: impl Future<Output = Result<T, CloudError>> + Send,
) -> Result<T, CloudError> {
    let result = work.await;
    let outcome = result.as_ref().map_or_else(|error| outcome(error.kind), |_| "ok");
    let labels = [("cloud", cloud), ("service", call.service), ("operation", call.operation), ("outcome", outcome)];
    metrics::counter!("mikrocloud_cloud_calls_total", &labels).increment(1);
    result
}

fn outcome(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "not_found",
        ErrorKind::Conflict => "conflict",
        ErrorKind::Denied => "denied",
        ErrorKind::SignedOut => "signed_out",
        ErrorKind::Throttled => "throttled",
        ErrorKind::Busy => "busy",
        ErrorKind::Exhausted => "exhausted",
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::TimedOut => "timed_out",
        ErrorKind::Ambiguous => "ambiguous",
        ErrorKind::Invalid | ErrorKind::Unsupported => "refused",
        ErrorKind::Cancelled => "cancelled",
        ErrorKind::Internal => "internal",
    }
}
