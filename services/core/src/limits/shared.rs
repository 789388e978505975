//! Windows of all processes together, in Redis.

use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jobs::Redis;
use redis::{RedisError, Script};
use tokio::time::timeout;

use super::windows::Window;

static COUNT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("count.lua")));

/// Time for which a request waits for Redis.
const PATIENCE: Duration = Duration::from_millis(250);

/// Pause after a failure of Redis.
const PAUSE: Duration = Duration::from_secs(1);

/// The counters in Redis. While it does not answer there are none.
pub(super) struct Shared {
    redis: Redis,
    /// Time until which Redis is not asked; `None` while it answers.
    failing: Mutex<Option<Instant>>,
}

impl Shared {
    pub fn new(redis: Redis) -> Self {
        Self { redis, failing: Mutex::new(None) }
    }

    /// Counts one more request of all processes; `None` when Redis does not answer, and each process is on its own.
    pub async fn count(&self, subject: &str, length: Duration) -> Option<Window> {
        if self.failing.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| until > Instant::now()) {
            return None;
        }
        let mut call = COUNT.key(format!("mikrocloud:rate:{subject}"));
        call.arg(length.as_millis().to_string());
        let answer = timeout(PATIENCE, self.redis.script::<(u64, u64)>(&call)).await;
        match answer {
            Ok(Ok((count, left))) => {
                self.answered();
                Some(Window { count, ends: Instant::now() + Duration::from_millis(left) })
            }
            Ok(Err(error)) => self.failed(Some(&error)),
            Err(_) => self.failed(None),
        }
    }

    fn answered(&self) {
        if self.failing.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            tracing::info!("Redis counts requests again");
        }
    }

    /// Says it once, however long it lasts.
    fn failed<T>(&self, error: Option<&RedisError>) -> Option<T> {
        let before = self.failing.lock().unwrap_or_else(PoisonError::into_inner).replace(Instant::now() + PAUSE);
        if before.is_none() {
            let reason = error.map_or_else(|| "no answer in time".to_owned(), ToString::to_string);
            tracing::warn!(reason, "Redis does not count requests: until it does, each process limits them on its own");
        }
        None
    }
}
