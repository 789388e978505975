use std::sync::Arc;

use domain::access::Rights;
use domain::id::{SessionId, TeamId, UserId};

use super::*;

fn actor() -> Actor {
    let credential = Credential::Session(SessionId::new());
    Actor {
        user_id: UserId::new(),
        team_id: TeamId::new(),
        rights: Arc::new(Rights::of(Role::Developer)),
        scopes: None,
        credential,
        expires_at: None,
        origin: None,
    }
}

fn limits(per_user: u32) -> RateLimits {
    RateLimits { per_user, ..RateLimits::default() }
}

fn connect(server: &testkit::Redis) -> Redis {
    Redis::new(&server.url().parse().unwrap()).unwrap()
}

/// Returns the number of allowed requests out of so many.
async fn allowed(limiter: &RateLimiter, actor: &Actor, requests: usize) -> usize {
    let mut allowed = 0;
    for _ in 0..requests {
        allowed += usize::from(limiter.count(actor).await.unwrap().allowed);
    }
    allowed
}

#[tokio::test]
async fn exactly_the_limit_passes_and_the_next_one_is_told_when_to_come_back() {
    let limiter = RateLimiter::new(limits(1000), None);
    let (one, other) = (actor(), actor());
    let first = limiter.count(&one).await.unwrap();
    assert_eq!((first.limit, first.remaining, first.allowed), (1000, 999, true));
    assert_eq!(allowed(&limiter, &one, 999).await, 999);
    let refused = limiter.count(&one).await.unwrap();
    assert_eq!((refused.remaining, refused.allowed), (0, false));
    assert!((3590..=3600).contains(&refused.reset_seconds()), "{refused:?}");
    assert!(limiter.count(&other).await.unwrap().allowed);
}

#[tokio::test]
async fn roles_and_keys_have_limits_of_their_own_and_zero_is_none() {
    let (person, key) = (actor(), ApiKeyId::new());
    let by_key = Actor { credential: Credential::ApiKey(key), ..person.clone() };
    let by_another = Actor { credential: Credential::ApiKey(ApiKeyId::new()), ..person.clone() };
    let admin = Actor { rights: Arc::new(Rights::of(Role::Admin)), ..actor() };
    let limiter = RateLimiter::new(
        RateLimits { per_role: HashMap::from([(Role::Admin, 0)]), per_key: HashMap::from([(key, 5)]), ..limits(2) },
        None,
    );
    assert_eq!(allowed(&limiter, &by_key, 10).await, 5);
    assert_eq!(allowed(&limiter, &by_another, 1).await, 1, "a key without a limit of its own counts with its user");
    assert_eq!(allowed(&limiter, &person, 10).await, 1);
    assert_eq!(limiter.count(&admin).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_share_a_redis_share_the_limit() {
    let Some(server) = testkit::Redis::start() else { return };
    let actor = actor();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let (limiter, actor) = (Arc::new(RateLimiter::new(limits(100), Some(connect(&server)))), actor.clone());
            tokio::spawn(async move { allowed(&limiter, &actor, 50).await })
        })
        .collect();
    let mut all = 0;
    for task in tasks {
        all += task.await.unwrap();
    }
    assert_eq!(all, 100);
    let standing = RateLimiter::new(limits(100), Some(connect(&server))).count(&actor).await.unwrap();
    assert!(!standing.allowed && (3500..=3600).contains(&standing.reset_seconds()), "{standing:?}");
}

#[tokio::test]
async fn whoever_is_over_the_limit_costs_redis_nothing() {
    let Some(server) = testkit::Redis::start() else { return };
    let (actor, key) = (actor(), |actor: &Actor| format!("mikrocloud:rate:{}", actor.user_id));
    let limiter = RateLimiter::new(limits(3), Some(connect(&server)));
    assert_eq!(allowed(&limiter, &actor, 20).await, 3);
    assert_eq!(server.run(&["GET", &key(&actor)]), "3");
}

#[tokio::test]
async fn without_its_redis_a_process_limits_alone_and_shares_again_once_it_is_back() {
    let Some(mut server) = testkit::Redis::start() else { return };
    let (actor, limiter) = (actor(), RateLimiter::new(limits(10), Some(connect(&server))));
    assert_eq!(allowed(&limiter, &actor, 4).await, 4);
    server.kill();
    assert_eq!(allowed(&limiter, &actor, 20).await, 6, "what was counted before is not forgotten");
    server.restart();
    testkit::wait_until(Duration::from_secs(30), "requests in Redis", async || {
        assert!(limiter.count(&super::tests::actor()).await.unwrap().allowed, "somebody new");
        server.run(&["DBSIZE"]) != "0"
    })
    .await;
}
