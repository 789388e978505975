//! Sessions, what stands before them, and what is told of them.

use chrono::TimeDelta;
use domain::access::{Role, RoleRef};
use domain::id::{InvitationId, SecurityEventId, UserId};
use domain::session::{SecurityEvent, SecurityEventKind, Session};
use domain::team::Membership;
use domain::time::{Timestamp, now};
use store::{Attempts, DeviceLogin, Identity, Invitation, LetIn, SignInFlow, SigningKey, Store, StoreError};

use crate::fixture::{self, Tenant, refused, session_of, write};

async fn user(store: &Store) -> UserId {
    let user = fixture::user();
    write(store, async |tx| tx.user_insert(&user).await).await;
    user.id
}

async fn session(store: &Store, user_id: UserId, at: Timestamp) -> Session {
    let session = session_of(user_id, at);
    write(store, async |tx| {
        tx.session_insert(&session).await?;
        tx.refresh_token_insert(&session.id.to_string(), session.id, at + TimeDelta::days(30)).await
    })
    .await;
    session
}

fn device(name: &str, user_code: &str) -> DeviceLogin {
    DeviceLogin {
        hash: name.to_owned(),
        user_code: user_code.to_owned(),
        name: name.to_owned(),
        address: "203.0.113.7".to_owned(),
        expires_at: now() + TimeDelta::minutes(15),
        polled_at: None,
        decided_at: None,
        user_id: None,
        team_id: None,
        session_ends_at: None,
    }
}

testkit::on_both_databases! {
    crate::common::open;

    async fn a_session_ends_at_its_time_however_much_it_is_used(store: Store) {
        let user = user(&store).await;
        for (ends, stands) in [(None, true), (Some(now() + TimeDelta::hours(1)), true), (Some(now() - TimeDelta::seconds(1)), false)] {
            let session = Session { ends_at: ends, ..session_of(user, now()) };
            write(&store, async |tx| {
                tx.session_insert(&session).await?;
                tx.refresh_token_insert(&session.id.to_string(), session.id, now() + TimeDelta::days(30)).await
            })
            .await;
            assert_eq!(store.session_is_valid(session.id).await.unwrap(), stands, "{ends:?}");
            assert_eq!(store.session_get(session.id).await.unwrap(), stands.then(|| session.clone()), "{ends:?}");
            let token = store.refresh_token_look_up(&session.id.to_string()).await.unwrap().unwrap();
            assert_eq!(token.ends_at, ends);
        }
    }

    async fn sessions_are_listed_until_they_end_and_all_but_one_end_at_once(store: Store) {
        let user = user(&store).await;
        let first = session(&store, user, now() - TimeDelta::hours(2)).await;
        let second = session(&store, user, now() - TimeDelta::hours(1)).await;
        let other = session(&store, self::user(&store).await, now()).await;
        let listed = async |user| store.session_list(user, now()).await.unwrap();
        assert_eq!(listed(user).await, [second.clone(), first.clone()]);
        write(&store, async |tx| tx.session_touch(first.id, "2001:db8::1").await).await;
        let touched = store.session_get(first.id).await.unwrap().unwrap();
        assert_eq!((touched.address.as_deref(), touched.used_at > first.used_at), (Some("2001:db8::1"), true));
        assert_eq!(write(&store, async |tx| tx.session_revoke_all(user, Some(second.id)).await).await, 1);
        assert_eq!(listed(user).await, std::slice::from_ref(&second));
        assert!(write(&store, async |tx| tx.session_revoke(second.id).await).await);
        assert!(!write(&store, async |tx| tx.session_revoke(second.id).await).await, "it had ended");
        assert_eq!(store.session_get(second.id).await.unwrap(), None);
        let third = session(&store, user, now()).await;
        assert_eq!(write(&store, async |tx| tx.session_revoke_all(user, None).await).await, 1);
        assert!(!store.session_is_valid(third.id).await.unwrap());
        assert_eq!(listed(other.user_id).await, [other], "somebody else's");
        let found = store.refresh_token_look_up(&third.id.to_string()).await.unwrap().unwrap();
        assert!(found.revoked_at.is_some() && found.used_at.is_none());
    }

    async fn of_two_attempts_that_read_the_same_one_counts(store: Store) {
        let at = now();
        let put = async |read, attempts| write(&store, async |tx| tx.attempts_put("somebody", read, attempts).await).await;
        let first = Attempts { failures: 1, failed_at: at };
        assert!(put(None, first).await);
        assert!(!put(None, first).await, "somebody else was first");
        let second = Attempts { failures: 2, failed_at: at + TimeDelta::seconds(1) };
        assert!(put(Some(first), second).await);
        assert!(!put(Some(first), second).await);
        assert_eq!(store.attempts_get("somebody").await.unwrap(), Some(second));
        write(&store, async |tx| tx.attempts_forget("somebody").await).await;
        assert_eq!(store.attempts_get("somebody").await.unwrap(), None);
    }

    async fn a_flow_is_read_until_it_is_used_or_late_and_only_as_what_it_is(store: Store) {
        let flow = |hash, expires_at| SignInFlow { hash, kind: "provider", sealed: &[0, 255], expires_at };
        write(&store, async |tx| {
            tx.sign_in_flow_insert(&flow("fresh", now() + TimeDelta::minutes(1))).await?;
            tx.sign_in_flow_insert(&flow("late", now() - TimeDelta::seconds(1))).await
        })
        .await;
        assert_eq!(store.sign_in_flow_get("fresh", "provider").await.unwrap(), Some(vec![0, 255]));
        assert_eq!(store.sign_in_flow_get("fresh", "second-factor").await.unwrap(), None);
        assert_eq!(store.sign_in_flow_get("late", "provider").await.unwrap(), None);
        for (hash, kind, expected) in
            [("late", "provider", false), ("fresh", "second-factor", false), ("fresh", "provider", true), ("fresh", "provider", false)]
        {
            assert_eq!(write(&store, async |tx| tx.sign_in_flow_use(hash, kind).await).await, expected, "{hash} {kind}");
        }
        write(&store, async |tx| tx.sign_in_purge(now(), now()).await).await;
        assert!(!write(&store, async |tx| tx.sign_in_flow_use("late", "provider").await).await);
    }

    async fn a_second_factor_takes_each_step_once_and_stays_once_it_is_confirmed(store: Store) {
        let user = user(&store).await;
        assert!(write(&store, async |tx| tx.second_factor_put(user, &[1]).await).await);
        assert!(write(&store, async |tx| tx.second_factor_put(user, &[2]).await).await, "not confirmed yet");
        let take = async |step| write(&store, async |tx| tx.second_factor_use(user, step).await).await;
        assert!(take(100).await && !take(100).await && !take(99).await && take(101).await);
        let factor = store.second_factor_get(user).await.unwrap().unwrap();
        assert_eq!((factor.sealed, factor.confirmed_at.is_some(), factor.last_step), (vec![2], true, 101));
        assert!(!write(&store, async |tx| tx.second_factor_put(user, &[3]).await).await, "confirmed");
        let codes = ["a".to_owned(), "b".to_owned()];
        write(&store, async |tx| tx.recovery_codes_put(user, &codes).await).await;
        let take = async |code| write(&store, async |tx| tx.recovery_code_use(user, code).await).await;
        assert!(take("a").await && !take("a").await && !take("c").await);
        assert_eq!(store.recovery_code_count(user).await.unwrap(), 1);
        write(&store, async |tx| tx.recovery_codes_put(user, &codes[1..]).await).await;
        assert_eq!(store.recovery_code_count(user).await.unwrap(), 1);
        write(&store, async |tx| tx.second_factor_delete(user).await).await;
        assert!(store.second_factor_get(user).await.unwrap().is_none());
        assert_eq!(store.recovery_code_count(user).await.unwrap(), 0);
    }

    async fn signing_keys_come_in_the_order_in_which_they_sign(store: Store) {
        let key = |id: &str, active_from| SigningKey { id: id.to_owned(), public_key: vec![4, 1], sealed: vec![7], active_from };
        let at = now();
        write(&store, async |tx| {
            tx.signing_key_insert(&key("b", at + TimeDelta::days(30))).await?;
            tx.signing_key_insert(&key("c", at)).await?;
            assert_eq!(tx.signing_keys().await?.len(), 2);
            Ok(())
        })
        .await;
        let ids = async || store.signing_key_list().await.unwrap().into_iter().map(|key| key.id).collect::<Vec<_>>();
        assert_eq!(ids().await, ["c", "b"]);
        write(&store, async |tx| tx.signing_key_delete("c").await).await;
        assert_eq!(ids().await, ["b"]);
    }

    async fn a_device_is_decided_on_once_and_found_by_its_code_until_then(store: Store) {
        let tenant = Tenant::new(&store).await;
        let user = user(&store).await;
        write(&store, async |tx| tx.device_insert(&device("laptop", "BCDFGHJK")).await).await;
        let error = refused(&store, async |tx| tx.device_insert(&device("another", "BCDFGHJK")).await).await;
        assert!(matches!(error, StoreError::Exists), "{error:?}");
        assert_eq!(store.device_count(now()).await.unwrap(), 1);
        assert_eq!(store.device_by_user_code("BCDFGHJK", now()).await.unwrap().unwrap().name, "laptop");
        assert!(store.device_by_user_code("BCDFGHJK", now() + TimeDelta::hours(1)).await.unwrap().is_none(), "late");
        write(&store, async |tx| tx.device_polled("laptop").await).await;
        let decide = async |allowed| write(&store, async |tx| tx.device_decide("BCDFGHJK", allowed).await).await;
        let ends = now() + TimeDelta::hours(1);
        let let_in = LetIn { user, team: tenant.id(), session_ends_at: Some(ends) };
        assert!(decide(Some(let_in)).await && !decide(None).await);
        assert!(store.device_by_user_code("BCDFGHJK", now()).await.unwrap().is_none());
        let decided = write(&store, async |tx| tx.device_find("laptop").await).await.unwrap();
        assert_eq!(decided.session_ends_at, Some(ends));
        assert_eq!((decided.user_id, decided.team_id, decided.polled_at.is_some()), (Some(user), Some(tenant.id()), true));
        assert!(write(&store, async |tx| tx.device_delete("laptop").await).await);
        assert!(!write(&store, async |tx| tx.device_delete("laptop").await).await);
        write(&store, async |tx| {
            tx.device_insert(&device("tablet", "BCDFGHJL")).await?;
            tx.device_decide("BCDFGHJL", Some(let_in)).await?;
            tx.device_forget(user).await
        })
        .await;
        assert!(write(&store, async |tx| tx.device_find("tablet").await).await.is_none());
    }

    async fn an_identity_signs_one_user_in(store: Store) {
        let (user, other) = (user(&store).await, self::user(&store).await);
        let at = now();
        let identity = |user_id| Identity {
            provider: "corp".to_owned(),
            subject: "1815".to_owned(),
            user_id,
            email: "ada@example.org".to_owned(),
            created_at: at,
            used_at: at,
        };
        write(&store, async |tx| tx.identity_insert(&identity(user)).await).await;
        let error = refused(&store, async |tx| tx.identity_insert(&identity(other)).await).await;
        assert!(matches!(error, StoreError::Exists), "{error:?}");
        assert_eq!(write(&store, async |tx| tx.identity_user("corp", "1815").await).await, Some(user));
        assert_eq!(write(&store, async |tx| tx.identity_user("github", "1815").await).await, None);
        write(&store, async |tx| tx.identity_touch("corp", "1815", "new@example.org").await).await;
        let listed = store.identity_list(user).await.unwrap();
        assert_eq!((listed.len(), &*listed[0].email), (1, "new@example.org"));
        assert!(!write(&store, async |tx| tx.identity_delete(other, "corp").await).await);
        assert!(write(&store, async |tx| tx.identity_delete(user, "corp").await).await);
    }

    async fn an_invitation_replaces_the_one_before_it(store: Store) {
        let tenant = Tenant::new(&store).await;
        let (user_id, invited_by) = (user(&store).await, user(&store).await);
        let invitation = |role| Invitation {
            id: InvitationId::new(),
            team_id: tenant.id(),
            user_id,
            role: RoleRef::BuiltIn(role),
            invited_by,
            expires_at: now() + TimeDelta::days(7),
        };
        let (first, second) = (invitation(Role::Viewer), invitation(Role::Admin));
        write(&store, async |tx| tx.invitation_put(&first, "one").await).await;
        assert_eq!(store.invitation_get("one", now()).await.unwrap().as_ref(), Some(&first));
        write(&store, async |tx| tx.invitation_put(&second, "two").await).await;
        assert_eq!(store.invitation_get("one", now()).await.unwrap(), None);
        assert_eq!(store.invitation_list(tenant.id(), now()).await.unwrap(), std::slice::from_ref(&second));
        assert_eq!(store.invitation_get("two", now() + TimeDelta::days(8)).await.unwrap(), None, "late");
        assert!(write(&store, async |tx| tx.invitation_delete(tenant.id(), second.id).await).await);
        assert_eq!(store.invitation_list(tenant.id(), now()).await.unwrap(), []);
    }

    async fn a_membership_that_a_person_changes_is_a_provider_s_no_longer(store: Store) {
        let tenant = Tenant::new(&store).await;
        let user_id = user(&store).await;
        let put = async |role| {
            let membership = Membership { team_id: tenant.id(), user_id, role: RoleRef::BuiltIn(role) };
            write(&store, async |tx| tx.membership_put(&membership).await).await;
        };
        put(Role::Viewer).await;
        write(&store, async |tx| tx.membership_of_provider(tenant.id(), user_id, "corp").await).await;
        let of = async |provider| write(&store, async |tx| tx.membership_by_provider(user_id, provider).await).await;
        assert_eq!((of("corp").await, of("github").await), (vec![tenant.id()], vec![]));
        assert_eq!(write(&store, async |tx| tx.membership_count(user_id).await).await, 1);
        put(Role::Admin).await;
        assert_eq!(of("corp").await, []);
    }

    async fn security_events_are_the_user_s_own_the_newest_first(store: Store) {
        let user_id = user(&store).await;
        let event = |kind| SecurityEvent {
            id: SecurityEventId::new(),
            user_id,
            kind,
            address: Some("203.0.113.7".to_owned()),
            agent: None,
            created_at: now(),
            seen_at: None,
        };
        let (first, second) = (event(SecurityEventKind::PasswordChanged), event(SecurityEventKind::TokenReused));
        write(&store, async |tx| {
            tx.security_event_insert(&first).await?;
            tx.security_event_insert(&second).await
        })
        .await;
        assert_eq!(store.security_event_list(user_id, 10).await.unwrap(), [second.clone(), first]);
        assert_eq!(store.security_event_list(user_id, 1).await.unwrap(), [second]);
        assert_eq!(store.security_event_list(user(&store).await, 10).await.unwrap(), []);
        write(&store, async |tx| tx.security_events_seen(user_id).await).await;
        assert!(store.security_event_list(user_id, 10).await.unwrap().iter().all(|event| event.seen_at.is_some()));
        write(&store, async |tx| tx.security_event_purge(now() + TimeDelta::seconds(1)).await).await;
        assert_eq!(store.security_event_list(user_id, 10).await.unwrap(), []);
    }

    async fn who_ever_signed_in_is_told_from_who_was_only_added(store: Store) {
        let user = user(&store).await;
        let was_in = async || write(&store, async |tx| tx.user_was_in(user).await).await;
        assert!(!was_in().await);
        write(&store, async |tx| tx.user_set_password(user, "hash").await).await;
        assert!(was_in().await);
        let email = store.user_get(user).await.unwrap().unwrap().email;
        assert_eq!(write(&store, async |tx| tx.user_by_email(&email).await).await.unwrap().id, user);
        let hash = "link";
        write(&store, async |tx| tx.signin_link_insert(hash, user, now() + TimeDelta::hours(1)).await).await;
        assert_eq!(store.signin_link_user(hash, now()).await.unwrap(), Some(user));
        write(&store, async |tx| tx.signin_link_use_all(user).await).await;
        assert_eq!(store.signin_link_user(hash, now()).await.unwrap(), None);
    }
}
