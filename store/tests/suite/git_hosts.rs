//! Connections to Git hosts, what those told, previews, and what hosts were told.

use chrono::TimeDelta;
use domain::git_host::{HostEvent, InstallationAction, InstallationChange, WebhookDeliveryState};
use domain::time::{Timestamp, now};
use store::{GitConnectionChange, NewWebhookDelivery, Store, StoreError, WebhookDeliveryOutcome};

use crate::fixture::{self, Tenant, refused, write};

/// A delivery of something that happened then.
fn at(connection: &domain::git_host::GitConnection, at: Timestamp) -> NewWebhookDelivery {
    let delivery = fixture::git_delivery(connection);
    NewWebhookDelivery { event: HostEvent { at: Some(at), ..delivery.event }, ..delivery }
}

fn done() -> WebhookDeliveryOutcome {
    WebhookDeliveryOutcome { state: WebhookDeliveryState::Done, outcome: "deployed".to_owned(), deployment_id: None }
}

testkit::on_both_databases! {
    crate::common::open;

    async fn a_connection_is_read_back_changed_and_one_of_its_project(store: Store) {
        let tenant = Tenant::new(&store).await;
        let (connection, team) = (fixture::git_connection(&tenant.project), tenant.id());
        write(&store, async |tx| tx.git_connection_insert(&connection, &fixture::git_secrets()).await).await;
        assert_eq!(store.git_connection_of(team, tenant.project.id).await.unwrap().as_ref(), Some(&connection));
        assert_eq!(store.git_connection_named(connection.id).await.unwrap().as_ref(), Some(&connection));
        let second = fixture::git_connection(&tenant.project);
        let error = refused(&store, async |tx| tx.git_connection_insert(&second, &fixture::git_secrets()).await).await;
        assert!(matches!(error, StoreError::Exists), "{error:?}");
        let change = GitConnectionChange {
            branches: Some(Vec::new()),
            sealed_token: Some(vec![9]),
            preview_hours: Some(3),
            ..GitConnectionChange::default()
        };
        assert!(write(&store, async |tx| tx.git_connection_update(team, connection.id, &change).await).await);
        let changed = store.git_connection_get(team, connection.id).await.unwrap().unwrap();
        assert!(changed.branches.is_empty() && changed.previews && changed.preview_hours == 3);
        let secrets = store.git_secrets(team, connection.id).await.unwrap().unwrap();
        assert_eq!((secrets.sealed_secret, secrets.sealed_token), (vec![1, 0, 255], Some(vec![9])));
        assert!(write(&store, async |tx| tx.git_connection_delete(team, connection.id).await).await);
        assert!(store.git_connection_of(team, tenant.project.id).await.unwrap().is_none());
    }

    async fn a_message_is_taken_once_by_its_id_and_by_its_words(store: Store) {
        let tenant = Tenant::new(&store).await;
        let (connection, team) = (fixture::git_connection(&tenant.project), tenant.id());
        write(&store, async |tx| tx.git_connection_insert(&connection, &fixture::git_secrets()).await).await;
        let delivery = fixture::git_delivery(&connection);
        assert!(write(&store, async |tx| tx.git_delivery_insert(&delivery).await).await);
        assert!(!write(&store, async |tx| tx.git_delivery_insert(&delivery).await).await);
        let mut renamed = fixture::git_delivery(&connection);
        renamed.digest.clone_from(&delivery.digest);
        assert!(!write(&store, async |tx| tx.git_delivery_insert(&renamed).await).await, "the same words");
        let mut reworded = fixture::git_delivery(&connection);
        reworded.row.delivery.clone_from(&delivery.row.delivery);
        assert!(!write(&store, async |tx| tx.git_delivery_insert(&reworded).await).await, "the same id");
        assert_eq!(store.git_delivery_get(team, delivery.row.id).await.unwrap().as_ref(), Some(&delivery.row));
        assert_eq!(store.git_delivery_event(team, delivery.row.id).await.unwrap(), Some(delivery.event));
        write(&store, async |tx| tx.git_delivery_end(team, delivery.row.id, &done()).await).await;
        let page = store.git_delivery_list(team, connection.id, None, 10).await.unwrap();
        assert_eq!((page.items[0].state, page.items[0].outcome.as_deref()), (WebhookDeliveryState::Done, Some("deployed")));
        write(&store, async |tx| tx.git_delivery_purge(now() + TimeDelta::seconds(1)).await).await;
        assert!(store.git_delivery_list(team, connection.id, None, 10).await.unwrap().items.is_empty());
    }

    async fn what_happened_later_and_was_done_overtakes(store: Store) {
        let tenant = Tenant::new(&store).await;
        let (connection, team, moment) = (fixture::git_connection(&tenant.project), tenant.id(), now());
        write(&store, async |tx| tx.git_connection_insert(&connection, &fixture::git_secrets()).await).await;
        let (late, same, later) = (at(&connection, moment), at(&connection, moment), at(&connection, moment + TimeDelta::seconds(1)));
        let mut other = at(&connection, moment + TimeDelta::days(1));
        other.subject = Some("branch other".to_owned());
        for delivery in [&late, &same, &later, &other] {
            assert!(write(&store, async |tx| tx.git_delivery_insert(delivery).await).await);
        }
        let overtaken = async |delivery: &NewWebhookDelivery| {
            write(&store, async |tx| tx.git_delivery_is_overtaken(team, delivery.row.id).await).await
        };
        write(&store, async |tx| tx.git_delivery_end(team, other.row.id, &done()).await).await;
        assert!(!overtaken(&late).await, "nothing later was done to that branch");
        write(&store, async |tx| tx.git_delivery_end(team, same.row.id, &done()).await).await;
        assert!(overtaken(&late).await, "of two of the same second the one that came last is later");
        assert!(!overtaken(&same).await && !overtaken(&later).await);
        write(&store, async |tx| tx.git_delivery_end(team, later.row.id, &done()).await).await;
        assert!(overtaken(&same).await && !overtaken(&later).await);
    }

    async fn a_preview_is_made_closed_and_made_again(store: Store) {
        let tenant = Tenant::new(&store).await;
        let (connection, team) = (fixture::git_connection(&tenant.project), tenant.id());
        let mut preview = fixture::preview(&connection, &tenant.environment);
        preview.expires_at = now() - TimeDelta::seconds(1);
        write(&store, async |tx| {
            tx.git_connection_insert(&connection, &fixture::git_secrets()).await?;
            tx.preview_put(&preview).await
        })
        .await;
        let expired = async || store.preview_list_expired(now()).await.unwrap().into_iter().map(|found| found.id).collect::<Vec<_>>();
        assert_eq!(expired().await, [preview.id]);
        write(&store, async |tx| tx.preview_set_comment(team, preview.id, 77).await).await;
        assert!(write(&store, async |tx| tx.preview_close(team, preview.id, "closed").await).await);
        assert!(!write(&store, async |tx| tx.preview_close(team, preview.id, "again").await).await);
        assert!(expired().await.is_empty());
        // The environment goes: what is known of the preview stays, and is not listed.
        write(&store, async |tx| tx.environment_delete(team, tenant.environment.id).await).await;
        let known = store.preview_get(team, preview.id).await.unwrap().unwrap();
        assert_eq!((known.environment_id, known.comment_id, known.closed_because.as_deref()), (None, Some(77), Some("closed")));
        assert!(store.preview_list(team, tenant.project.id).await.unwrap().is_empty());
        let environment = fixture::environment(&tenant.project, "pr-2");
        preview.environment_id = Some(environment.id);
        write(&store, async |tx| {
            tx.environment_insert(&environment).await?;
            tx.preview_put(&preview).await
        })
        .await;
        let again = write(&store, async |tx| tx.preview_find(team, connection.id, 2).await).await.unwrap();
        assert_eq!((again.id, again.comment_id, again.closed_because), (preview.id, Some(77), None), "the comment is known still");
        write(&store, async |tx| tx.environment_delete(team, environment.id).await).await;
        write(&store, async |tx| tx.preview_purge(now()).await).await;
        assert!(store.preview_get(team, preview.id).await.unwrap().is_none());
    }

    async fn an_installation_is_what_was_heard_of_it_last(store: Store) {
        let (team, moment, id) = (Tenant::new(&store).await.id(), now(), 4711);
        let heard = async |action, at| {
            let change = InstallationChange { action, ..fixture::installation(id) };
            write(&store, async |tx| tx.git_installation_put(&change, at).await).await;
        };
        heard(InstallationAction::Present, moment).await;
        assert!(store.git_installation_on(team, "octo").await.unwrap().is_none(), "it is no team's yet");
        assert!(write(&store, async |tx| tx.git_installation_assign(id, Some(team)).await).await);
        assert!(!write(&store, async |tx| tx.git_installation_assign(id + 1, Some(team)).await).await);
        heard(InstallationAction::Suspended, moment + TimeDelta::seconds(2)).await;
        heard(InstallationAction::Present, moment + TimeDelta::seconds(1)).await;
        let found = store.git_installation_on(team, "Octo").await.unwrap().unwrap();
        assert!(found.suspended && found.team_id == Some(team), "what comes late does not count: {found:?}");
        assert_eq!(store.git_installation_get(id).await.unwrap(), Some(found));
        heard(InstallationAction::Deleted, moment + TimeDelta::seconds(3)).await;
        assert!(store.git_installation_list().await.unwrap().is_empty());
    }
}
