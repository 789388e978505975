use std::time::{Duration, Instant};

/// The first pause between two checks, and the longest: most conditions hold at once, and some cost a request.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(25));

/// Waits until the condition holds, checking it again every few milliseconds.
///
/// # Panics
/// When it does not hold within the deadline; the message says what was waited for.
pub async fn wait_until(deadline: Duration, what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let (mut pause, longest) = PAUSES;
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < deadline, "waited {deadline:?} for: {what}");
        tokio::time::sleep(pause).await;
        pause = longest.min(pause * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_returns_once_the_condition_holds() {
        let mut looks = 0;
        wait_until(Duration::from_mins(1), "the third look", async || {
            looks += 1;
            looks == 3
        })
        .await;
        assert_eq!(looks, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "for: something that never comes")]
    async fn it_says_what_did_not_come() {
        wait_until(Duration::from_millis(1), "something that never comes", async || false).await;
    }
}
