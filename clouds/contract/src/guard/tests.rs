use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::{Call, Guards};
use crate::{CloudError, ErrorKind, Retry};

const READ: Call = Call::freely("run", "services.get");
const MAKE: Call = Call::once("run", "services.create");

fn guards() -> Guards {
    Guards::new("test", &[], 100)
}

fn error(kind: ErrorKind) -> CloudError {
    CloudError::new(kind, "TEST", "no")
}

/// Makes a call that fails so; returns the number of attempts.
async fn attempts(guards: &Guards, call: Call, fail: impl Fn() -> CloudError + Send + Sync) -> u32 {
    let count = AtomicU32::new(0);
    let failed = guards.call(call, || async {
        count.fetch_add(1, Ordering::SeqCst);
        Err::<(), _>(fail())
    });
    failed.await.unwrap_err();
    count.into_inner()
}

#[tokio::test(start_paused = true)]
async fn what_can_help_is_repeated_and_nothing_else() {
    let table = [
        (READ, ErrorKind::Unavailable, 3),
        (READ, ErrorKind::Throttled, 3),
        (READ, ErrorKind::Ambiguous, 3),
        (MAKE, ErrorKind::Unavailable, 3),
        (MAKE, ErrorKind::Ambiguous, 1),
        (READ, ErrorKind::Invalid, 1),
        (READ, ErrorKind::Denied, 1),
        (READ, ErrorKind::SignedOut, 1),
        (READ, ErrorKind::Conflict, 1),
        (READ, ErrorKind::Busy, 1),
        (READ, ErrorKind::Exhausted, 1),
    ];
    for (call, kind, expected) in table {
        assert_eq!(attempts(&guards(), call, || error(kind)).await, expected, "{call:?} {kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_names_a_time_is_not_asked_before_and_long_times_are_the_callers() {
    let began = Instant::now();
    let after = |seconds| move || error(ErrorKind::Throttled).with_retry(Retry::After(Duration::from_secs(seconds)));
    assert_eq!(attempts(&guards(), READ, after(3)).await, 3);
    assert_eq!(began.elapsed().as_secs(), 6);
    assert_eq!(attempts(&guards(), READ, after(60)).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_answer_is_left_alone_and_one_call_closes_its_breaker() {
    let guards = guards();
    assert_eq!(attempts(&guards, READ, || error(ErrorKind::Unavailable)).await, 3);
    // The fifth failure opens it in the middle.
    assert_eq!(attempts(&guards, READ, || error(ErrorKind::Unavailable)).await, 2);
    assert_eq!(attempts(&guards, READ, || error(ErrorKind::Unavailable)).await, 0);
    assert_eq!(guards.health().iter().map(|health| health.service).collect::<Vec<_>>(), ["run"]);
    assert!(guards.call(Call::freely("storage", "buckets.get"), || async { Ok(()) }).await.is_ok());
    tokio::time::advance(Duration::from_secs(31)).await;
    assert!(guards.call(READ, || async { Ok(()) }).await.is_ok());
    assert!(guards.health().is_empty());
}

#[tokio::test(start_paused = true)]
async fn throttling_opens_no_breaker() {
    let guards = guards();
    for _ in 0..4 {
        assert_eq!(attempts(&guards, READ, || error(ErrorKind::Throttled)).await, 3);
    }
    assert!(guards.health().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_may_have_happened() {
    let never = || std::future::pending::<Result<(), CloudError>>();
    let failed = guards().call(MAKE, never).await.unwrap_err();
    assert_eq!((failed.kind, failed.retry), (ErrorKind::Ambiguous, Retry::Look));
    let context = failed.context().unwrap();
    assert_eq!((context.cloud, context.service, context.operation), ("test", "run", "services.create"));
}
