//! Work that has to end once it has begun. The server drops the future of a request whose client hangs up, at whatever it waits for.

use std::panic::resume_unwind;

use store::idempotency::inherited;
use tracing::Instrument;

/// Runs work in a task of its own and waits for it: dropped, this stops waiting, and the work goes on. It stays in the caller's span, and
/// its transactions show the same lease as the caller's.
pub(crate) async fn detached<F>(work: F) -> F::Output
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    match tokio::spawn(inherited(work).in_current_span()).await {
        Ok(output) => output,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime ends, and drops the caller as well.
            Err(_) => std::future::pending().await,
        },
    }
}
