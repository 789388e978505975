use std::future::Future;

use super::{Call, Repeat};
use crate::{CloudError, ErrorKind};

/// Ends an attempt that takes too long. What it was to change may have happened.
pub(super) async fn patient<T>(call: Call, work: impl Future<Output = Result<T, CloudError>> + Send) -> Result<T, CloudError> {
    let Ok(result) = tokio::time::timeout(call.within, work).await else {
        let message = format!("{} did not answer {} within {} s", call.service, call.operation, call.within.as_secs());
        let kind = if call.repeat == Repeat::Freely { ErrorKind::TimedOut } else { ErrorKind::Ambiguous };
        return Err(CloudError::new(kind, "CLOUD_TIMED_OUT", message));
    };
    result
}
