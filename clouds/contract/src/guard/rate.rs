use std::collections::HashMap;
use std::future::Future;
use std::num::NonZeroU32;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::Semaphore;

use super::Call;
use crate::{CloudError, ErrorKind};

/// Calls per second to a service that has no rate of its own.
pub(super) const USUAL: u32 = 20;

/// Calls of an account at once.
const CONCURRENCY: usize = 16;

/// Processes that may use an account at once, among which its rates are divided.
const WORKERS: u32 = 4;

/// Rates of an account, by service.
#[derive(Debug)]
pub(super) struct Rates {
    own: HashMap<&'static str, DefaultDirectRateLimiter>,
    others: DefaultDirectRateLimiter,
    permits: Semaphore,
}

impl Rates {
    pub fn new(rates: &[(&'static str, u32)]) -> Self {
        let own = rates.iter().map(|(service, rate)| (*service, limiter(*rate))).collect();
        Self { own, others: limiter(USUAL), permits: Semaphore::new(CONCURRENCY) }
    }
}

fn limiter(per_second: u32) -> DefaultDirectRateLimiter {
    let share = NonZeroU32::new(per_second / WORKERS).unwrap_or(NonZeroU32::MIN);
    // A second's worth may come at once.
    RateLimiter::direct(Quota::per_second(share).allow_burst(share.saturating_mul(NonZeroU32::MIN.saturating_add(3))))
}

/// Waits until a call may be made.
pub(super) async fn limited<T>(
    rates: &Rates,
    call: Call,
    work: impl Future<Output = Result<T, CloudError>> + Send,
) -> Result<T, CloudError> {
    rates.own.get(call.service).unwrap_or(&rates.others).until_ready().await;
    let closed = |_| CloudError::new(ErrorKind::Cancelled, "CANCELLED", "the account was closed");
    let _permit = rates.permits.acquire().await.map_err(closed)?;
    work.await
}
