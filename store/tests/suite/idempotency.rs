//! Requests that are done once.

use std::time::Duration;

use chrono::TimeDelta;
use domain::id::{ProjectId, TeamId, UserId};
use domain::time::now;
use store::idempotency::{IdempotencyKey, KeyClaim, Lease, apart, once};
use store::{Store, StoreError};

use crate::fixture::{self, Tenant, write};

const KEPT: TimeDelta = TimeDelta::hours(24);

async fn user(store: &Store) -> UserId {
    let user = fixture::user();
    write(store, async |tx| tx.user_insert(&user).await).await;
    user.id
}

fn key(team_id: TeamId, user_id: UserId) -> IdempotencyKey {
    IdempotencyKey { team_id, user_id, name: "a-key".to_owned() }
}

async fn claim(store: &Store, key: &IdempotencyKey, digest: &str, lease: TimeDelta) -> KeyClaim {
    store.idempotency_claim(key.clone(), digest, now() + lease, now() + KEPT).await.unwrap()
}

async fn leased(store: &Store, key: &IdempotencyKey, lease: TimeDelta) -> Lease {
    match claim(store, key, "digest", lease).await {
        KeyClaim::Leased(lease) => lease,
        other => panic!("{other:?}"),
    }
}

/// Something that a request does: it makes a project.
async fn work(store: &Store, tenant: &Tenant) -> Result<ProjectId, StoreError> {
    let project = fixture::project(tenant.id());
    let mut tx = store.begin().await?;
    tx.project_insert(&project).await?;
    tx.commit().await?;
    Ok(project.id)
}

testkit::on_both_databases! {
    crate::common::open;

    async fn a_key_is_one_request_of_one_user_in_one_team(store: Store) {
        let (tenant, other) = (Tenant::new(&store).await, Tenant::new(&store).await);
        let (ada, bob) = (user(&store).await, user(&store).await);
        let ours = key(tenant.id(), ada);
        let lease = leased(&store, &ours, TimeDelta::minutes(1)).await;
        assert!(matches!(claim(&store, &ours, "digest", TimeDelta::minutes(1)).await, KeyClaim::UnderWay));
        assert!(matches!(claim(&store, &ours, "another", TimeDelta::minutes(1)).await, KeyClaim::OtherRequest));
        for elsewhere in [key(tenant.id(), bob), key(other.id(), ada)] {
            assert!(matches!(claim(&store, &elsewhere, "digest", TimeDelta::minutes(1)).await, KeyClaim::Leased(_)));
        }
        write(&store, async |tx| tx.idempotency_answer(&lease, b"answer").await).await;
        match claim(&store, &ours, "digest", TimeDelta::minutes(1)).await {
            KeyClaim::Answered(answer) => assert_eq!(answer, b"answer"),
            other => panic!("{other:?}"),
        }
        assert!(matches!(claim(&store, &ours, "another", TimeDelta::minutes(1)).await, KeyClaim::OtherRequest));
    }

    async fn a_request_whose_process_died_before_it_did_anything_is_done_by_another(store: Store) {
        let tenant = Tenant::new(&store).await;
        let key = key(tenant.id(), user(&store).await);
        let dead = leased(&store, &key, TimeDelta::seconds(-1)).await;
        let next = leased(&store, &key, TimeDelta::minutes(1)).await;
        // It was only asleep: whatever it does now is refused.
        let before = store.project_count(tenant.id()).await.unwrap();
        let late = once(dead.clone(), work(&store, &tenant)).await;
        assert!(matches!(late, Err(StoreError::LeaseLost)), "{late:?}");
        assert_eq!(store.project_count(tenant.id()).await.unwrap(), before);
        let mut tx = store.begin().await.unwrap();
        assert!(matches!(tx.idempotency_answer(&dead, b"late").await, Err(StoreError::LeaseLost)));
        drop(tx);
        assert!(!write(&store, async |tx| tx.idempotency_release(&dead).await).await);
        once(next, work(&store, &tenant)).await.unwrap();
        assert_eq!(store.project_count(tenant.id()).await.unwrap(), before + 1);
    }

    async fn what_was_done_is_not_done_again_though_its_answer_is_lost(store: Store) {
        let tenant = Tenant::new(&store).await;
        let key = key(tenant.id(), user(&store).await);
        let dead = leased(&store, &key, TimeDelta::seconds(-1)).await;
        let project = once(dead.clone(), work(&store, &tenant)).await.unwrap();
        match claim(&store, &key, "digest", TimeDelta::minutes(1)).await {
            KeyClaim::AnswerLost(made) => assert_eq!(made, Some(project.to_string())),
            other => panic!("{other:?}"),
        }
        assert!(!write(&store, async |tx| tx.idempotency_release(&dead).await).await, "what was done is not given back");
    }

    async fn a_key_whose_request_was_refused_can_be_used_again(store: Store) {
        let tenant = Tenant::new(&store).await;
        let key = key(tenant.id(), user(&store).await);
        let lease = leased(&store, &key, TimeDelta::minutes(1)).await;
        // Nothing is committed; keeping books is no work.
        let release = write(&store, async |tx| tx.idempotency_release(&lease).await);
        assert!(Box::pin(once(lease.clone(), apart(release))).await);
        assert!(matches!(claim(&store, &key, "another", TimeDelta::minutes(1)).await, KeyClaim::Leased(_)));
    }

    async fn keys_are_forgotten_after_their_time(store: Store) {
        let tenant = Tenant::new(&store).await;
        let key = key(tenant.id(), user(&store).await);
        let claimed = store.idempotency_claim(key.clone(), "digest", now() + TimeDelta::minutes(1), now()).await.unwrap();
        let KeyClaim::Leased(old) = claimed else { panic!("{claimed:?}") };
        assert!(matches!(claim(&store, &key, "another", TimeDelta::minutes(1)).await, KeyClaim::Leased(_)), "it is too old");
        write(&store, async |tx| tx.idempotency_purge().await).await;
        assert!(matches!(claim(&store, &key, "another", TimeDelta::minutes(1)).await, KeyClaim::UnderWay), "a young one stays");
        assert!(!write(&store, async |tx| tx.idempotency_release(&old).await).await);
    }

    async fn of_many_at_once_one_is_first(store: Store) {
        let tenant = Tenant::new(&store).await;
        let key = key(tenant.id(), user(&store).await);
        let claims = (0..8).map(|_| claim(&store, &key, "digest", TimeDelta::minutes(1)));
        let claims = tokio::time::timeout(Duration::from_mins(1), futures::future::join_all(claims)).await.unwrap();
        let first = claims.iter().filter(|claim| matches!(claim, KeyClaim::Leased(_))).count();
        assert_eq!(first, 1, "{claims:?}");
        assert!(claims.iter().all(|claim| matches!(claim, KeyClaim::Leased(_) | KeyClaim::UnderWay)), "{claims:?}");
    }
}
