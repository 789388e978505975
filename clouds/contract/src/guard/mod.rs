//! The one seam through which every call to a vendor goes. Layers, outer to inner: tracing, metrics, error context, retry, circuit
//! breaker, timeout, rate and concurrency. Vendors' own retries are off: these are the only ones.

mod breaker;
mod call;
mod context;
mod meter;
mod patience;
mod rate;
mod retry;
mod trace;

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;

use crate::CloudError;
use breaker::Breakers;
use rate::Rates;

pub use breaker::ServiceHealth;
pub use call::{Call, Repeat};

/// Sees each call before and after it is made. Tests cut work off there.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Called before a call.
    async fn before(&self, call: &Call);

    /// Called once a call is answered, before anybody sees the answer.
    async fn after(&self, call: &Call);
}

/// Guards of an account's calls.
pub struct Guards {
    cloud: &'static str,
    pace_percent: u8,
    breakers: Breakers,
    rates: Rates,
    probe: Option<Arc<dyn Probe>>,
}

impl Guards {
    /// Guards of an account of a cloud. `rates` has the calls per second that each service takes from one account; others take
    /// 20. Waits are shortened to `pace_percent`.
    pub fn new(cloud: &'static str, rates: &[(&'static str, u32)], pace_percent: u8) -> Self {
        Self { cloud, pace_percent, breakers: Breakers::default(), rates: Rates::new(rates), probe: None }
    }

    /// The same with a probe around each call.
    #[must_use]
    pub fn with_probe(self, probe: Option<Arc<dyn Probe>>) -> Self {
        Self { probe, ..self }
    }

    /// Makes a call. It is repeated where that can help and the call allows it.
    pub async fn call<T, F, U>(&self, call: Call, attempt: F) -> Result<T, CloudError>
    where
        T: Send,
        F: Fn() -> U + Send + Sync,
        U: Future<Output = Result<T, CloudError>> + Send,
    {
        // A future within a future doubles its size with each layer: boxes keep it small.
        let attempts = || Box::pin(self.attempt(call, &attempt));
        let retried = Box::pin(retry::retried(call, self.pace_percent, attempts));
        let told = context::told(self.cloud, call, retried);
        trace::traced(self.cloud, call, meter::metered(self.cloud, call, told)).await
    }

    /// One attempt, within the inner layers.
    async fn attempt<T, F, U>(&self, call: Call, attempt: &F) -> Result<T, CloudError>
    where
        T: Send,
        F: Fn() -> U + Send + Sync,
        U: Future<Output = Result<T, CloudError>> + Send,
    {
        let probed = Box::pin(async {
            if let Some(probe) = &self.probe {
                probe.before(&call).await;
            }
            let result = attempt().await;
            if let Some(probe) = &self.probe {
                probe.after(&call).await;
            }
            result
        });
        let limited = rate::limited(&self.rates, call, probed);
        breaker::broken(&self.breakers, call, patience::patient(call, limited)).await
    }

    /// Services whose breaker is open.
    pub fn health(&self) -> Vec<ServiceHealth> {
        self.breakers.health()
    }
}

impl std::fmt::Debug for Guards {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guards").field("cloud", &self.cloud).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
