//! The same rows for many at once: ten thousand subscribers that hear one hint want one query, not ten thousand.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};

/// Time for which a read serves later callers. Its key identifies its content, so it cannot be stale: only memory is at stake.
const KEPT: Duration = Duration::from_secs(1);
/// Number of stored reads from which old ones are dropped.
const MANY: usize = 64;

type Read<T> = Shared<BoxFuture<'static, Option<Arc<T>>>>;

/// Reads under way or just done, by what they read.
pub struct SharedReads<K, T>(Mutex<HashMap<K, (Read<T>, Instant)>>);

impl<K, T> Default for SharedReads<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, T: Send + Sync + 'static> SharedReads<K, T> {
    /// Returns the result of the read for this key, whichever caller began it; `None` if it failed, in which case each caller
    /// reads for itself.
    pub async fn get(&self, key: K, read: impl FnOnce() -> BoxFuture<'static, Option<T>>) -> Option<Arc<T>> {
        let reading = {
            let mut reads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if reads.len() >= MANY {
                reads.retain(|_, (_, since)| since.elapsed() < KEPT);
            }
            // A task of its own: when nobody waits any more it still has to end, or it would keep its connection to the database.
            let begin = || {
                let reading = tokio::spawn(read()).map(|found| found.ok().flatten().map(Arc::new));
                (reading.boxed().shared(), Instant::now())
            };
            reads.entry(key).or_insert_with(begin).0.clone()
        };
        reading.await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_read_ends_although_nobody_waits_any_more() {
        let (reads, ended) = (SharedReads::<u64, u64>::default(), Arc::new(tokio::sync::Notify::new()));
        let (gate, telling) = (Arc::new(tokio::sync::Notify::new()), Arc::clone(&ended));
        let waits_for = Arc::clone(&gate);
        let read = reads.get(1, move || {
            async move {
                waits_for.notified().await;
                telling.notify_one();
                Some(1)
            }
            .boxed()
        });
        assert!(tokio::time::timeout(Duration::from_millis(1), read).await.is_err());
        gate.notify_one();
        tokio::time::timeout(Duration::from_mins(1), ended.notified()).await.unwrap();
    }

    #[tokio::test]
    async fn many_who_want_the_same_cost_one_read() {
        let (reads, count) = (SharedReads::default(), Arc::new(AtomicUsize::new(0)));
        let read = |key: u64| {
            let count = Arc::clone(&count);
            reads.get(key, move || {
                async move {
                    count.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    (key != 7).then_some(key * 2)
                }
                .boxed()
            })
        };
        let found = futures::future::join_all((0..1000).map(|number| read(number % 2))).await;
        assert!(found.iter().enumerate().all(|(number, found)| found.as_deref() == Some(&(number as u64 % 2 * 2))));
        assert_eq!((count.load(Ordering::SeqCst), read(7).await), (2, None));
    }
}
