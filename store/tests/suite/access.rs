//! Users, teams, keys, sessions and facts about the installation.

use chrono::TimeDelta;
use domain::access::{Permission, Permissions, Rights, Role, RoleRef};
use domain::id::{ApiKeyId, SessionId, TeamId, UserId};
use domain::session::Session;
use domain::team::{Member, Membership, User};
use domain::time::{Timestamp, now};
use store::{NewApiKey, Store, StoreError};

use crate::fixture::{self, refused, session_of, write};

async fn user(store: &Store) -> User {
    let user = fixture::user();
    write(store, async |tx| tx.user_insert(&user).await).await;
    user
}

async fn team_of(store: &Store, members: &[(UserId, Role)]) -> TeamId {
    let team = fixture::team();
    write(store, async |tx| {
        tx.team_insert(&team).await?;
        for (user_id, role) in members {
            tx.membership_put(&Membership { team_id: team.id, user_id: *user_id, role: RoleRef::BuiltIn(*role) }).await?;
        }
        Ok(())
    })
    .await;
    team.id
}

fn member(user: &User, role: Role) -> Member {
    Member { user: user.clone(), created_by: None, rights: Rights::of(role) }
}

fn key(team_id: TeamId, user_id: UserId, hash: &str, expires_at: Option<Timestamp>) -> NewApiKey<'_> {
    let scopes = Permissions::of(&[Permission::ProjectRead, Permission::DeploymentWrite, Permission::DeploymentApprove]);
    NewApiKey { id: ApiKeyId::new(), team_id, user_id, name: "ci", prefix: "mk_abcdef", hash, scopes, expires_at }
}

testkit::on_both_databases! {
    crate::common::open;

    async fn a_user_is_read_back_as_written(store: Store) {
        assert_eq!(store.user_count().await.unwrap(), 0);
        let ada = user(&store).await;
        assert_eq!(store.user_get(ada.id).await.unwrap().as_ref(), Some(&ada));
        assert_eq!(store.user_count().await.unwrap(), 1);
        assert_eq!(store.user_get(UserId::new()).await.unwrap(), None);
    }

    async fn an_address_belongs_to_one_user(store: Store) {
        let ada = user(&store).await;
        let error = refused(&store, async |tx| tx.user_insert(&User { id: UserId::new(), ..ada }).await).await;
        assert!(matches!(error, StoreError::Exists), "{error:?}");
    }

    async fn a_password_is_set_for_a_user_that_is_there(store: Store) {
        let ada = user(&store).await;
        let before = store.credentials_get(&ada.email).await.unwrap().unwrap();
        assert_eq!((before.id, before.password_hash), (ada.id, None));
        write(&store, async |tx| tx.user_set_password(ada.id, "$argon2id$...").await).await;
        let after = store.credentials_get(&ada.email).await.unwrap().unwrap();
        assert_eq!(after.password_hash.as_deref(), Some("$argon2id$..."));
        assert!(store.credentials_get("nobody@example.org").await.unwrap().is_none());
        let error = refused(&store, async |tx| tx.user_set_password(UserId::new(), "x").await).await;
        assert!(matches!(error, StoreError::Changed), "{error:?}");
    }

    async fn memberships_give_roles_and_can_be_changed(store: Store) {
        let (ada, bob) = (user(&store).await, user(&store).await);
        let first = team_of(&store, &[(ada.id, Role::Owner)]).await;
        let second = team_of(&store, &[(bob.id, Role::Owner), (ada.id, Role::Viewer)]).await;
        let roles: Vec<_> = store.standing_list(ada.id).await.unwrap().into_iter().map(|m| (m.team_id, m.rights)).collect();
        assert_eq!(roles, [(first, Rights::of(Role::Owner)), (second, Rights::of(Role::Viewer))]);
        assert_eq!(store.standing_get(second, ada.id).await.unwrap().unwrap().rights, Rights::of(Role::Viewer));
        assert_eq!(store.standing_get(first, bob.id).await.unwrap(), None);

        let admin = Membership { team_id: second, user_id: ada.id, role: RoleRef::BuiltIn(Role::Admin) };
        write(&store, async |tx| tx.membership_put(&admin).await).await;
        assert_eq!(store.member_list(second).await.unwrap(), [member(&bob, Role::Owner), member(&ada, Role::Admin)]);

        assert!(write(&store, async |tx| tx.membership_delete(second, ada.id).await).await);
        assert!(!write(&store, async |tx| tx.membership_delete(second, ada.id).await).await);
        assert_eq!(store.member_list(second).await.unwrap(), [member(&bob, Role::Owner)]);
    }

    async fn owners_are_counted_and_the_first_is_found(store: Store) {
        assert_eq!(store.owner_get().await.unwrap(), None);
        let (ada, bob) = (user(&store).await, user(&store).await);
        let team = team_of(&store, &[(ada.id, Role::Owner)]).await;
        team_of(&store, &[(bob.id, Role::Owner)]).await;
        assert_eq!(store.owner_get().await.unwrap(), Some(ada.id));
        assert_eq!(write(&store, async |tx| tx.owner_count(team).await).await, 1);
        assert_eq!(write(&store, async |tx| tx.owner_count(TeamId::new()).await).await, 0);
    }

    async fn a_membership_needs_its_team_and_its_user(store: Store) {
        let ada = user(&store).await;
        let strange = Membership { team_id: TeamId::new(), user_id: ada.id, role: RoleRef::BuiltIn(Role::Viewer) };
        let error = refused(&store, async |tx| tx.membership_put(&strange).await).await;
        assert!(matches!(error, StoreError::Database(_)), "{error:?}");
    }

    async fn an_api_key_is_read_back_as_written(store: Store) {
        let ada = user(&store).await;
        let team = team_of(&store, &[(ada.id, Role::Owner)]).await;
        let expires_at = Some(now() + TimeDelta::days(1));
        let new = key(team, ada.id, "digest", expires_at);
        write(&store, async |tx| tx.api_key_insert(&new).await).await;
        let (kept, standing) = store.api_key_get("digest").await.unwrap().unwrap();
        assert_eq!(standing.unwrap().rights, Rights::of(Role::Owner));
        assert_eq!((kept.id, kept.team_id, kept.user_id), (new.id, team, ada.id));
        assert_eq!((kept.name.as_str(), kept.prefix.as_str()), ("ci", "mk_abcdef"));
        assert_eq!(kept.scopes, new.scopes, "also those that stand in a column of their own");
        assert_eq!((kept.expires_at, kept.revoked_at), (expires_at, None));
        assert!(store.api_key_get("another").await.unwrap().is_none());
        assert_eq!(store.api_key_list(team).await.unwrap(), [kept]);
        write(&store, async |tx| tx.membership_delete(team, ada.id).await).await;
        let (_, standing) = store.api_key_get("digest").await.unwrap().unwrap();
        assert_eq!(standing, None, "who left the team has no role in it");
        let error = refused(&store, async |tx| tx.api_key_insert(&key(team, ada.id, "digest", None)).await).await;
        assert!(matches!(error, StoreError::Exists), "{error:?}");
    }

    async fn a_key_is_valid_until_it_expires_or_is_revoked(store: Store) {
        let ada = user(&store).await;
        let team = team_of(&store, &[(ada.id, Role::Owner)]).await;
        let at = now();
        let (expiring, lasting) = (key(team, ada.id, "one", Some(at)), key(team, ada.id, "two", None));
        write(&store, async |tx| {
            tx.api_key_insert(&expiring).await?;
            tx.api_key_insert(&lasting).await
        })
        .await;
        assert!(store.api_key_is_valid(team, expiring.id, at - TimeDelta::microseconds(1)).await.unwrap());
        assert!(!store.api_key_is_valid(team, expiring.id, at).await.unwrap());
        assert!(store.api_key_is_valid(team, lasting.id, at).await.unwrap());
        assert!(write(&store, async |tx| tx.api_key_revoke(team, lasting.id).await).await);
        assert!(!write(&store, async |tx| tx.api_key_revoke(team, lasting.id).await).await);
        assert!(!store.api_key_is_valid(team, lasting.id, at).await.unwrap());
        let newest_first: Vec<_> = store.api_key_list(team).await.unwrap().into_iter().map(|key| key.id).collect();
        assert_eq!(newest_first, [lasting.id, expiring.id]);
    }

    async fn a_refresh_token_is_used_once(store: Store) {
        let ada = user(&store).await;
        let (session, expires_at) = (SessionId::new(), now() + TimeDelta::days(30));
        write(&store, async |tx| {
            tx.session_insert(&Session { id: session, ..session_of(ada.id, now()) }).await?;
            tx.refresh_token_insert("digest", session, expires_at).await
        })
        .await;
        let token = write(&store, async |tx| tx.refresh_token_get("digest").await).await.unwrap();
        assert_eq!((token.session_id, token.user_id, token.expires_at), (session, ada.id, expires_at));
        assert_eq!((token.used_at, token.revoked_at), (None, None));

        let uses: Vec<_> = (0..10)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { write(&store, async |tx| tx.refresh_token_use("digest").await).await })
            })
            .collect();
        let mut successes = 0;
        for used in uses {
            successes += usize::from(used.await.unwrap());
        }
        assert_eq!(successes, 1);
        let token = write(&store, async |tx| tx.refresh_token_get("digest").await).await.unwrap();
        assert!(token.used_at.is_some());
        assert!(!write(&store, async |tx| tx.refresh_token_use("another").await).await);
        assert!(write(&store, async |tx| tx.refresh_token_get("another").await).await.is_none());
    }

    async fn a_revoked_session_stays_revoked(store: Store) {
        let (ada, session) = (user(&store).await, SessionId::new());
        assert!(!store.session_is_valid(session).await.unwrap());
        write(&store, async |tx| {
            tx.session_insert(&Session { id: session, ..session_of(ada.id, now()) }).await?;
            tx.refresh_token_insert("digest", session, now()).await
        })
        .await;
        assert!(store.session_is_valid(session).await.unwrap());
        write(&store, async |tx| tx.session_revoke(session).await).await;
        assert!(!store.session_is_valid(session).await.unwrap());
        let revoked_at = write(&store, async |tx| tx.refresh_token_get("digest").await).await.unwrap().revoked_at;
        assert!(revoked_at.is_some());
        write(&store, async |tx| tx.session_revoke(session).await).await;
        let again = write(&store, async |tx| tx.refresh_token_get("digest").await).await.unwrap().revoked_at;
        assert_eq!(again, revoked_at, "the moment it was revoked first stands");
    }

    async fn a_sign_in_link_works_once_and_in_time(store: Store) {
        let ada = user(&store).await;
        write(&store, async |tx| {
            tx.signin_link_insert("good", ada.id, now() + TimeDelta::hours(1)).await?;
            tx.signin_link_insert("late", ada.id, now() - TimeDelta::seconds(1)).await
        })
        .await;
        assert_eq!(write(&store, async |tx| tx.signin_link_use("good").await).await, Some(ada.id));
        assert_eq!(write(&store, async |tx| tx.signin_link_use("good").await).await, None);
        assert_eq!(write(&store, async |tx| tx.signin_link_use("late").await).await, None);
        assert_eq!(write(&store, async |tx| tx.signin_link_use("unknown").await).await, None);
    }

    async fn ended_sessions_and_links_are_purged(store: Store) {
        let ada = user(&store).await;
        let (ended, standing) = (SessionId::new(), SessionId::new());
        let later = now() + TimeDelta::days(2);
        write(&store, async |tx| {
            for (session, hash, expires_at) in [(ended, "ended", now()), (standing, "standing", later + TimeDelta::days(1))] {
                tx.session_insert(&Session { id: session, ..session_of(ada.id, now()) }).await?;
                tx.refresh_token_insert(hash, session, expires_at).await?;
            }
            tx.signin_link_insert("link", ada.id, later + TimeDelta::days(1)).await?;
            tx.session_purge(later).await
        })
        .await;
        assert!(!store.session_is_valid(ended).await.unwrap());
        assert!(store.session_is_valid(standing).await.unwrap());
        assert!(write(&store, async |tx| tx.refresh_token_get("ended").await).await.is_none());
        assert_eq!(write(&store, async |tx| tx.signin_link_use("link").await).await, Some(ada.id));
    }

    async fn a_fact_about_the_installation_is_recorded_once(store: Store) {
        assert_eq!(store.installation_get("key").await.unwrap(), None);
        write(&store, async |tx| tx.installation_insert("key", "value").await).await;
        assert_eq!(store.installation_get("key").await.unwrap().as_deref(), Some("value"));
        let error = refused(&store, async |tx| tx.installation_insert("key", "other").await).await;
        assert!(matches!(error, StoreError::Exists), "{error:?}");
    }

    async fn the_newest_key_of_a_team_is_found(store: Store) {
        let team = team_of(&store, &[]).await;
        assert_eq!(store.team_key_get(team).await.unwrap(), None);
        let every_byte: Vec<u8> = (0..=255).collect();
        write(&store, async |tx| {
            tx.team_key_insert(team, 2, &every_byte).await?;
            tx.team_key_insert(team, 1, b"old").await
        })
        .await;
        assert_eq!(store.team_key_get(team).await.unwrap(), Some((2, every_byte)));
        let error = refused(&store, async |tx| tx.team_key_insert(team, 2, b"again").await).await;
        assert!(matches!(error, StoreError::Exists), "{error:?}");
    }
}
