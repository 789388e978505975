//! Commits that nobody waits for any more, on both databases.

use std::time::Duration;

use domain::id::{JobId, TeamId};
use domain::team::Team;
use domain::time::now;
use jobs::Topic;
use store::Store;
use testkit::wait_until;
use tokio::sync::oneshot;

use crate::house::{TestHouse, drop_after, open};

testkit::on_both_databases! {
    open;

    async fn a_commit_is_published_though_its_client_hangs_up(store: Store) {
        let house = TestHouse::new(store.clone()).await;
        for polls in 1.. {
            let team = Team { id: TeamId::new(), name: "acme".to_owned(), created_at: now() };
            let topic = Topic::Job(JobId::new());
            let mut hints = house.services.subscribe(topic);
            let (guard, freed) = oneshot::channel::<()>();
            let mut tx = house.services.begin().await.unwrap();
            tx.team_insert(&team).await.unwrap();
            tx.publish(topic);
            tx.hold(guard);
            let ended = drop_after(polls, tx.commit()).await;
            freed.await.unwrap_err();
            assert!(store.team_get(team.id).await.unwrap().is_some(), "the guard went before the commit");
            wait_until(Duration::from_secs(20), "the hint", async || hints.version() == 1).await;
            if ended {
                break;
            }
        }
    }
}
