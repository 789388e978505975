use std::future::Future;
use std::time::Duration;

use rand::RngExt as _;

use super::{Call, Repeat};
use crate::{CloudError, ErrorKind, Retry};

/// Attempts at a call.
const ATTEMPTS: u32 = 3;

/// Pause before the second attempt; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Longest pause that is sat out here. Longer ones are the caller's, whose work can be put aside meanwhile.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Repeats a call where that can help.
pub(super) async fn retried<T, F, U>(call: Call, pace_percent: u8, attempt: F) -> Result<T, CloudError>
where
    F: Fn() -> U + Send,
    U: Future<Output = Result<T, CloudError>> + Send,
{
    let mut number = 1;
    loop {
        let error = match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let Some(pause) = pause(&error, call, number).filter(|_| number < ATTEMPTS) else { return Err(error) };
        tokio::time::sleep(pause * u32::from(pace_percent) / 100).await;
        number += 1;
    }
}

/// Pause before the next attempt; `None` if there must be none.
fn pause(error: &CloudError, call: Call, number: u32) -> Option<Duration> {
    match error.retry {
        Retry::After(after) => (after <= LONGEST_PAUSE).then_some(after),
        // Faults of ours do not go away by asking a vendor again; what is busy stays so for longer.
        Retry::Soon if matches!(error.kind, ErrorKind::Internal | ErrorKind::Busy) => None,
        Retry::Soon => Some(backoff(number)),
        Retry::Look if call.repeat != Repeat::Never => Some(backoff(number)),
        Retry::Look | Retry::Never | Retry::Reread | Retry::Reconnect => None,
    }
}

/// 200 ms, doubled with each attempt, by half as much again at random.
fn backoff(number: u32) -> Duration {
    let pause = FIRST_PAUSE * 2_u32.pow(number - 1);
    pause + pause.mul_f64(rand::rng().random_range(0.0..0.5))
}
