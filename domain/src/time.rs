//! Time as the databases keep it.

use chrono::{DateTime, SubsecRound, Utc};

/// A moment in UTC.
pub type Timestamp = DateTime<Utc>;

/// The current moment, cut to the microseconds that `PostgreSQL` keeps, so that what was written equals what is read back.
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    Utc::now().trunc_subsecs(6)
}
