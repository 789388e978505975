use std::time::Duration;

/// Standing of a subject with a limit after a request was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Name of the limit: `user`, `anonymous` or `sign-in`.
    pub policy: &'static str,
    /// Maximum number of requests in a window.
    pub limit: u32,
    /// Length of a window.
    pub window: Duration,
    /// Number of remaining requests.
    pub remaining: u32,
    /// Time until more requests are allowed, from now on.
    pub reset: Duration,
    /// Allows the request to proceed.
    pub allowed: bool,
}

impl Standing {
    /// After the `count`th request in a window that goes on for `left`.
    pub(super) fn in_window(policy: &'static str, limit: u32, count: u64, window: Duration, left: Duration) -> Self {
        let remaining = u32::try_from(u64::from(limit).saturating_sub(count)).unwrap_or(u32::MAX);
        Self { policy, limit, window, remaining, reset: left, allowed: count <= u64::from(limit) }
    }

    /// Returns the time until more requests are allowed, in whole seconds from now on; a client that waits this long is never too
    /// early.
    pub fn reset_seconds(&self) -> u64 {
        self.reset.as_secs() + u64::from(self.reset.subsec_nanos() > 0)
    }
}
