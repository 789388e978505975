use std::future::Future;

use super::Call;
use crate::CloudError;

/// Adds to an error which call it came from.
pub(super) async fn told<T>(
    cloud: &'static str,
    call: Call,
    work: impl Future<Output = Result<T, CloudError>> + Send,
) -> Result<T, CloudError> {
    work.await.map_err(|error| error.within_call(cloud, call.service, call.operation))
}
