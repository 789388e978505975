//! Clients that hang up and ask again, on both databases.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::secret::Secret;
use services::idempotency::{Attempt, OnceOnly};
use store::Store;
use testkit::wait_until;

use crate::house::{TestHouse, drop_after, open};

testkit::on_both_databases! {
    open;

    async fn a_request_is_done_once_wherever_its_client_hangs_up(store: Store) {
        let house = TestHouse::new(store).await;
        for polls in 0.. {
            let (key, done) = (format!("key-{polls}"), Arc::new(AtomicUsize::new(0)));
            let request = || {
                let done = Arc::clone(&done);
                house.services.once(&house.owner, &key, &[b"request"], async move |once: OnceOnly| {
                    done.fetch_add(1, Ordering::SeqCst);
                    once.finish(&Secret::new("answer".to_owned()), false).await
                })
            };
            let ended = drop_after(polls, request()).await;
            // Far sooner than the lease ends.
            wait_until(Duration::from_secs(20), "an answer", async || {
                matches!(request().await.unwrap(), Attempt::Done(Ok(())) | Attempt::Answered(_))
            })
            .await;
            assert_eq!(done.load(Ordering::SeqCst), 1, "dropped after {polls} polls");
            if ended {
                break;
            }
        }
    }
}
