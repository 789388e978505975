//! The clock that the age of what is kept is told by: the usual one, but for leaps.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A step of more than this between two looks is a leap, unless the program was away for so long: only the time that follows can tell.
const LEAP: TimeDelta = TimeDelta::days(1);
/// Time for which the clock has to run evenly after a leap before it is trusted.
const TRUST: TimeDelta = TimeDelta::days(1);

/// A clock that does not follow another one ahead for as long as that may be wrong. What was deleted for its age does not come back when
/// the other is put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionClock {
    /// Time of this clock: data that is past its retention by this time is deleted.
    pub shows: Timestamp,
    /// Time of the other clock at the last reading.
    pub seen: Timestamp,
    /// Time since which the other clock is ahead without another leap.
    pub ahead_since: Option<Timestamp>,
}

impl RetentionClock {
    /// One that was right at this moment.
    pub fn at(moment: Timestamp) -> Self {
        Self { shows: moment, seen: moment, ahead_since: None }
    }

    /// Returns the clock after a reading of the other clock at `at`. While that is ahead after a leap, no more time passes here
    /// than between the readings.
    #[must_use]
    pub fn look(self, at: Timestamp) -> Self {
        if at - self.shows <= LEAP {
            return Self::at(at);
        }
        let passed = at - self.seen;
        let is_even = passed >= TimeDelta::zero() && passed <= LEAP;
        let ahead_since = self.ahead_since.filter(|_| is_even).unwrap_or(at);
        if at - ahead_since >= TRUST {
            return Self::at(at);
        }
        let shows = if is_even { self.shows + passed } else { self.shows };
        Self { shows, seen: at, ahead_since: Some(ahead_since) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::now;

    /// Returns the time of a clock after readings at these hours, in hours.
    fn shown(hours: &[i64]) -> i64 {
        let start = now();
        let clock = hours.iter().fold(RetentionClock::at(start), |clock, hour| clock.look(start + TimeDelta::hours(*hour)));
        (clock.shows - start).num_hours()
    }

    #[test]
    fn leaps_are_not_followed_until_they_last() {
        assert_eq!(shown(&[1, 2, 3]), 3);
        assert_eq!(shown(&[1, 20]), 20, "a night without anybody");
        assert_eq!(shown(&[1, 12_000]), 1, "a leap");
        assert_eq!(shown(&[1, 12_000, 12_001, 12_002]), 3, "the time that passes after it");
        assert_eq!(shown(&[1, 12_000, 12_001, 3]), 3, "it was put right");
        assert_eq!(shown(&[1, 12_000, 12_010, 12_024]), 12_024, "a day without a leap: it was away, or wrong before");
        assert_eq!(shown(&[1, 12_000, 24_000, 36_000]), 1, "one leap after another");
        assert_eq!(shown(&[1, 12_000, 6_000, 6_023]), 24, "another leap, back");
        assert_eq!(shown(&[1, -500]), -500, "what is younger is not deleted for it");
    }
}
