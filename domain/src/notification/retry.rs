//! Retry schedule of notifications that were not accepted, as Standard Webhooks recommends
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>, "Deliverability and
//! reliability").

use chrono::TimeDelta;

/// The pauses between the attempts. Together they are a little more than three days.
const PAUSES: [TimeDelta; 9] = [
    TimeDelta::seconds(5),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(5),
    TimeDelta::hours(10),
    TimeDelta::hours(14),
    TimeDelta::hours(20),
    TimeDelta::hours(24),
];

/// Maximum number of attempts before a notification is abandoned.
pub const MAX_TRIES: i64 = 10;

/// A channel where everything failed for so long is disabled.
pub const GIVE_UP_AFTER: TimeDelta = TimeDelta::days(5);

/// The longest time for which a receiver can ask to be left alone.
pub const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(24);

/// The pause after this many attempts, longer by up to a fifth of it as `jitter` (0 to 1) decides, so that what failed together does not come
/// back together; `None` when that was the last.
pub fn retry_pause(tries: i64, jitter: f64) -> Option<TimeDelta> {
    let place = usize::try_from(tries.checked_sub(1)?).ok()?;
    let pause = PAUSES.get(place)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a fifth of a day fits, to the millisecond")]
    let more = (pause.num_milliseconds() as f64 / 5.0 * jitter.clamp(0.0, 1.0)) as i64;
    Some(*pause + TimeDelta::milliseconds(more))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_schedule_is_that_of_standard_webhooks_and_ends() {
        let seconds: Vec<_> = (1..=MAX_TRIES).map(|tries| retry_pause(tries, 0.0).map(|pause| pause.num_seconds())).collect();
        let hours = |hours: i64| Some(hours * 3600);
        let expected = [Some(5), Some(300), Some(1800), hours(2), hours(5), hours(10), hours(14), hours(20), hours(24), None];
        assert_eq!(seconds, expected);
        assert_eq!(retry_pause(1, 1.0), Some(TimeDelta::seconds(6)));
        assert_eq!((retry_pause(0, 0.5), retry_pause(i64::MIN, 0.5), retry_pause(i64::MAX, 0.5)), (None, None, None));
    }

    proptest! {
        #[test]
        fn pauses_grow_and_jitter_only_adds(tries in 1_i64..9, jitter in proptest::num::f64::ANY) {
            let (pause, next) = (retry_pause(tries, jitter).unwrap(), retry_pause(tries + 1, 0.0).unwrap());
            let plain = retry_pause(tries, 0.0).unwrap();
            prop_assert!(plain <= pause && pause <= plain + plain / 5, "{pause}");
            prop_assert!(plain < next);
        }
    }
}
