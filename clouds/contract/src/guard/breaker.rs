use std::collections::HashMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Call;
use crate::{CloudError, ErrorKind, Retry};

/// Failures within [`WINDOW`] that open a breaker.
const FAILURES: usize = 5;

/// Time in which failures are counted.
const WINDOW: Duration = Duration::from_secs(30);

/// Time for which an open breaker lets nothing through; then one call tries.
const OPEN: Duration = Duration::from_secs(30);

/// A vendor's service that did not answer lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceHealth {
    /// The service, such as `run`.
    pub service: &'static str,
    /// Time for which calls to it have been failing at once.
    pub for_seconds: u64,
}

/// Circuit breakers of an account, one per service.
#[derive(Debug, Default)]
pub(super) struct Breakers(Mutex<HashMap<&'static str, Breaker>>);

#[derive(Debug, Default)]
struct Breaker {
    failures: Vec<Instant>,
    /// Time of the opening, and of the last attempt since.
    open: Option<(Instant, Instant)>,
}

impl Breakers {
    fn lock(&self) -> MutexGuard<'_, HashMap<&'static str, Breaker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a call through, or says after which time one may try.
    fn admit(&self, service: &'static str) -> Result<(), Duration> {
        let mut breakers = self.lock();
        let Some((_, tried)) = breakers.get_mut(service).and_then(|breaker| breaker.open.as_mut()) else { return Ok(()) };
        let rest = OPEN.saturating_sub(tried.elapsed());
        if !rest.is_zero() {
            return Err(rest);
        }
        // The one that tries: others wait for what comes of it, or for as long again.
        *tried = Instant::now();
        Ok(())
    }

    fn record(&self, service: &'static str, failed: bool) {
        let mut breakers = self.lock();
        if !failed {
            breakers.remove(service);
            return;
        }
        let now = Instant::now();
        let breaker = breakers.entry(service).or_default();
        breaker.failures.retain(|at| now.duration_since(*at) < WINDOW);
        breaker.failures.push(now);
        if let Some((_, tried)) = &mut breaker.open {
            *tried = now;
        } else if breaker.failures.len() >= FAILURES {
            breaker.open = Some((now, now));
        }
    }

    pub fn health(&self) -> Vec<ServiceHealth> {
        let breakers = self.lock();
        let open = breakers.iter().filter_map(|(service, breaker)| Some((*service, breaker.open?.0)));
        let mut open: Vec<_> =
            open.map(|(service, since)| ServiceHealth { service, for_seconds: since.elapsed().as_secs() }).collect();
        open.sort_by_key(|health| health.service);
        open
    }
}

/// Lets a call fail at once while its service does not answer.
pub(super) async fn broken<T>(
    breakers: &Breakers,
    call: Call,
    work: impl Future<Output = Result<T, CloudError>> + Send,
) -> Result<T, CloudError> {
    if let Err(rest) = breakers.admit(call.service) {
        let message = format!("{} has not been answering: it is tried again in {} s", call.service, rest.as_secs().max(1));
        return Err(CloudError::new(ErrorKind::Unavailable, "CLOUD_UNAVAILABLE", message).with_retry(Retry::After(rest)));
    }
    let result = work.await;
    let failed = result.as_ref().is_err_and(|error| {
        matches!(error.kind, ErrorKind::Unavailable | ErrorKind::TimedOut) || error.code == "CLOUD_TIMED_OUT"
    });
    breakers.record(call.service, failed);
    result
}
