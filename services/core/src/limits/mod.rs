//! Rate limits of requests: per user and hour, and per address for unauthenticated clients.
//!
//! A user's requests are counted in windows that begin with the first request: exactly as many as the limit says pass in each. Each
//! process counts, and where there is a Redis all of them count there together; a process that knows a user to be over the limit does
//! not ask Redis again. Addresses are limited per process by governor, which lets a burst through and then one request at a time.

mod addresses;
mod shared;
mod standing;
mod windows;

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use addresses::Addresses;
use domain::access::{Actor, Credential, Role};
use domain::id::ApiKeyId;
use jobs::Redis;
use shared::Shared;
pub use standing::Standing;
use windows::Windows;

/// Length of a window.
const WINDOW: Duration = Duration::from_hours(1);

/// Configured rate limits. A limit of 0 means unlimited.
#[derive(Debug, Clone)]
pub struct RateLimits {
    /// Requests of one user per hour.
    pub per_user: u32,
    /// The same for users of some roles, in place of `per_user`.
    pub per_role: HashMap<Role, u32>,
    /// Requests per hour of some API keys, which are counted apart from their user's other requests.
    pub per_key: HashMap<ApiKeyId, u32>,
    /// Requests per minute and address without a credential that is taken.
    pub anonymous: u32,
    /// Attempts to sign in per minute and address.
    pub sign_in: u32,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { per_user: 1000, per_role: HashMap::new(), per_key: HashMap::new(), anonymous: 120, sign_in: 20 }
    }
}

/// Counts requests against the limits.
pub struct RateLimiter {
    limits: RateLimits,
    windows: Windows,
    shared: Option<Shared>,
    anonymous: Option<Addresses>,
    sign_in: Option<Addresses>,
}

impl RateLimiter {
    /// Counts in this process, and together with others where there is a Redis.
    pub fn new(limits: RateLimits, redis: Option<Redis>) -> Self {
        let anonymous = Addresses::new("anonymous", limits.anonymous);
        let sign_in = Addresses::new("sign-in", limits.sign_in);
        Self { limits, windows: Windows::default(), shared: redis.map(Shared::new), anonymous, sign_in }
    }

    /// Counts a request of somebody who is signed in; `None` where there is no limit.
    pub async fn count(&self, actor: &Actor) -> Option<Standing> {
        let (subject, limit) = self.subject(actor);
        if limit == 0 {
            return None;
        }
        let mut window = self.windows.count(&subject, WINDOW);
        // Whoever is over the limit here is so everywhere.
        if window.count <= u64::from(limit)
            && let Some(shared) = &self.shared
            && let Some(counted) = shared.count(&subject, WINDOW).await
        {
            window = self.windows.agree(&subject, counted);
        }
        let left = window.ends.saturating_duration_since(Instant::now());
        Some(Standing::in_window("user", limit, window.count, WINDOW, left))
    }

    /// Counts a request of somebody who is not signed in.
    pub fn count_anonymous(&self, address: IpAddr) -> Option<Standing> {
        Some(self.anonymous.as_ref()?.count(address))
    }

    /// Counts an attempt to sign in.
    pub fn count_sign_in(&self, address: IpAddr) -> Option<Standing> {
        Some(self.sign_in.as_ref()?.count(address))
    }

    /// Returns the counted subject, and its limit.
    fn subject(&self, actor: &Actor) -> (String, u32) {
        if let Credential::ApiKey(key) = actor.credential
            && let Some(limit) = self.limits.per_key.get(&key)
        {
            return (key.to_string(), *limit);
        }
        let role = actor.rights.role.built_in().and_then(|role| self.limits.per_role.get(&role));
        (actor.user_id.to_string(), role.copied().unwrap_or(self.limits.per_user))
    }
}

#[cfg(test)]
mod tests;
