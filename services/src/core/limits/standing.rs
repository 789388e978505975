use std::time::Duration;

/// How somebody stands with a limit after a request was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Which limit it is: `user`, `anonymous` or `sign-in`.
    pub policy: &'static str,
    /// How many requests a window allows.
    pub limit: u32,
    /// How long a window is.
    pub window: Duration,
    /// How many requests are left.
    pub remaining: u32,
    /// When there are more, from now on.
    pub reset: Duration,
    /// Whether the request may go on.
    pub allowed: bool,
}

impl Standing {
    /// After the `count`th request in a window that goes on for `left`.
    pub(super) fn in_window(policy: &'static str, limit: u32, count: u64, window: Duration, left: Duration) -> Self {
        let remaining = u32::try_from(u64::from(limit).saturating_sub(count)).unwrap_or(u32::MAX);
        Self { policy, limit, window, remaining, reset: left, allowed: count <= u64::from(limit) }
    }

    /// When there are more, in whole seconds from now on; a client that waits this long is never too early.
    pub fn reset_seconds(&self) -> u64 {
        self.reset.as_secs() + u64::from(self.reset.subsec_nanos() > 0)
    }
}
