//! Time as the databases keep it.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// A moment in UTC.
pub type Timestamp = DateTime<Utc>;

/// By how many microseconds this machine's clock is behind the one that all processes share.
static BEHIND: AtomicI64 = AtomicI64::new(0);

/// The current moment, cut to the microseconds that `PostgreSQL` keeps, so that what was written equals what is read back.
pub fn now() -> Timestamp {
    let behind = TimeDelta::microseconds(BEHIND.load(Ordering::Relaxed));
    (machine_now() + behind).trunc_subsecs(6)
}

/// Sets this process's time to that of a clock that shows this moment now. Leases and schedules compare times that several processes
/// wrote: they all follow the database's clock, so that a machine whose own is wrong takes no job from another.
pub fn follow(shared: Timestamp) {
    let behind = (shared - machine_now()).num_microseconds().unwrap_or(0);
    BEHIND.store(behind, Ordering::Relaxed);
}

fn machine_now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    Utc::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_clock_follows_the_shared_one() {
        let shared = now() + TimeDelta::minutes(5);
        follow(shared);
        assert!((now() - shared).num_seconds().abs() < 60);
        follow(machine_now());
        assert!((now() - machine_now()).num_seconds().abs() < 60);
    }
}
