//! Pauses between restarts.

use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// A process that ran this long starts afresh.
const STABLE: Duration = Duration::from_mins(1);

/// Delay before the next restart: twice as long after each failure.
#[derive(Debug)]
pub(super) struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(SHORTEST)
    }
}

impl Backoff {
    /// The pause after a process that ran for `uptime`.
    pub fn pause_after(&mut self, uptime: Duration) -> Duration {
        if uptime >= STABLE {
            self.0 = SHORTEST;
        }
        let pause = self.0;
        self.0 = (self.0 * 2).min(LONGEST);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_start_again_after_a_stable_run() {
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..8).map(|_| backoff.pause_after(Duration::ZERO).as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(backoff.pause_after(STABLE), SHORTEST);
    }
}
