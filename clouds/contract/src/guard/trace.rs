use std::future::Future;

use tracing::Instrument as _;

use super::Call;
use crate::CloudError;

/// A span around a call. Errors are logged with their context once, here.
pub(super) async fn traced<T>(
    cloud: &'static str,
    call: Call,
    work: impl Future<Output = Result<T, CloudError>> + Send,
) -> Result<T, CloudError> {
    let span = tracing::debug_span!("cloud_call", cloud, service = call.service, operation = call.operation);
    async {
        let result = work.await;
        if let Err(error) = &result {
            tracing::debug!(kind = ?error.kind, code = error.code, %error, context = ?error.context(), "a call to a cloud failed");
        }
        result
    }
    .instrument(span)
    .await
}
