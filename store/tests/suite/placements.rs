//! Accounts at vendors of clouds, environments' places in them, and the journal.

use chrono::TimeDelta;
use domain::cloud::{CloudAccount, CloudAccountState, CloudBaseState, PlacementState, TargetState};
use domain::id::{DeploymentId, PlacementId};
use domain::time::now;
use domain::workload::WorkloadKind;
use serde_json::json;
use store::{Store, StoreError};

use crate::fixture::{self, Tenant, refused, write};

async fn connected(store: &Store, tenant: &Tenant, name: &str) -> CloudAccount {
    let account = fixture::cloud_account(tenant.id(), name);
    write(store, async |tx| tx.cloud_account_insert(&account, b"sealed").await).await;
    account
}

testkit::on_both_databases! {
    crate::common::open;

    async fn an_account_is_read_back_and_has_its_name_alone(store: Store) {
        let tenant = Tenant::new(&store).await;
        let account = connected(&store, &tenant, "main").await;
        assert_eq!(store.cloud_account_get(tenant.id(), account.id).await.unwrap(), Some(account.clone()));
        assert_eq!(store.cloud_account_credential(tenant.id(), account.id).await.unwrap(), Some(b"sealed".to_vec()));
        let twice = fixture::cloud_account(tenant.id(), "main");
        let error = refused(&store, async |tx| tx.cloud_account_insert(&twice, b"x").await).await;
        assert!(matches!(error, StoreError::Exists), "{error:?}");
        let due = store.cloud_account_list_due(now() + TimeDelta::seconds(1)).await.unwrap();
        assert_eq!(due, [account]);
    }

    async fn one_account_of_a_cloud_is_the_default(store: Store) {
        let tenant = Tenant::new(&store).await;
        let (one, two) = (connected(&store, &tenant, "one").await, connected(&store, &tenant, "two").await);
        for id in [one.id, two.id] {
            write(&store, async |tx| tx.cloud_account_make_default(tenant.id(), "gcp", id).await).await;
        }
        let accounts = store.cloud_account_list(tenant.id()).await.unwrap();
        assert_eq!(accounts.iter().map(|account| account.is_default).collect::<Vec<_>>(), [false, true]);
    }

    async fn a_look_at_an_older_credential_changes_nothing(store: Store) {
        let tenant = Tenant::new(&store).await;
        let mut account = connected(&store, &tenant, "main").await;
        let renew = async |tx: &mut store::Tx| tx.cloud_account_put_credential(tenant.id(), account.id, "google_key", b"new").await;
        write(&store, renew).await;
        account.state = CloudAccountState::Reconnect;
        let error = refused(&store, async |tx| tx.cloud_account_checked(&account).await).await;
        assert!(matches!(error, StoreError::Changed), "{error:?}");
        account.credential_version = 2;
        write(&store, async |tx| tx.cloud_account_checked(&account).await).await;
        let kept = store.cloud_account_get(tenant.id(), account.id).await.unwrap().unwrap();
        assert_eq!((kept.state, kept.credential_version), (CloudAccountState::Reconnect, 2));
        write(&store, async |tx| tx.cloud_account_pause_all("restored").await).await;
        let kept = store.cloud_account_get(tenant.id(), account.id).await.unwrap().unwrap();
        assert_eq!((kept.state, kept.problem.as_deref(), kept.next_check_at), (CloudAccountState::Paused, Some("restored"), None));
    }

    async fn a_base_is_opened_once(store: Store) {
        let tenant = Tenant::new(&store).await;
        let account = connected(&store, &tenant, "main").await;
        let open = async |tx: &mut store::Tx| tx.cloud_base_open(tenant.id(), account.id, "europe-west1", "containers").await;
        let (mut base, first) = write(&store, open).await;
        let (same, second) = write(&store, open).await;
        assert_eq!((base.id, first, second), (same.id, true, false));
        base.state = CloudBaseState::Ready;
        base.outputs.insert("repository".to_owned(), "mc".to_owned());
        write(&store, async |tx| tx.cloud_base_put(&base).await).await;
        let kept = store.cloud_base_get(tenant.id(), base.id).await.unwrap().unwrap();
        assert!(kept.changed_at >= base.changed_at);
        base.changed_at = kept.changed_at;
        assert_eq!(kept, base);
        write(&store, async |tx| tx.cloud_base_delete(tenant.id(), base.id).await).await;
        assert_eq!(store.cloud_base_list(tenant.id(), account.id).await.unwrap(), []);
    }

    async fn a_placement_is_one_per_environment_account_and_region(store: Store) {
        let tenant = Tenant::new(&store).await;
        let account = connected(&store, &tenant, "main").await;
        let wanted = fixture::placement(&tenant.environment, account.id);
        let first = write(&store, async |tx| tx.placement_open(&wanted).await).await;
        assert_eq!(first, wanted);
        assert!(write(&store, async |tx| tx.placement_leave(tenant.id(), first.id).await).await);
        assert!(!write(&store, async |tx| tx.placement_leave(tenant.id(), first.id).await).await);
        assert_eq!(store.placement_list_going().await.unwrap().len(), 1);
        // Somebody deploys there again before it is gone.
        let again = fixture::placement(&tenant.environment, account.id);
        let kept = write(&store, async |tx| tx.placement_open(&again).await).await;
        assert_eq!((kept.id, kept.state), (first.id, PlacementState::Used));
        assert!(!write(&store, async |tx| tx.placement_empty(tenant.id(), first.id).await).await);
        let shown = (tenant.deployment.id, WorkloadKind::Server);
        write(&store, async |tx| tx.placement_show(tenant.id(), first.id, shown, "https://shop.example.org/").await).await;
        let kept = store.placement_get(tenant.id(), first.id).await.unwrap().unwrap();
        assert_eq!((kept.shown_deployment_id, kept.shown_kind), (Some(shown.0), Some(shown.1)));
        assert_eq!(store.placement_list_of_account(tenant.id(), account.id).await.unwrap(), [kept]);
    }

    async fn a_place_is_kept_for_what_is_on_its_way(store: Store) {
        let tenant = Tenant::new(&store).await;
        let account = connected(&store, &tenant, "main").await;
        let (team, id) = (tenant.id(), tenant.deployment.id);
        let wanted = fixture::placement(&tenant.environment, account.id);
        let placement = write(&store, async |tx| tx.placement_open(&wanted).await).await;
        write(&store, async |tx| tx.deployment_target_put(team, id, placement.id).await).await;
        assert!(!write(&store, async |tx| tx.placement_leave_unused(team, placement.id).await).await);
        assert!(write(&store, async |tx| tx.placement_leave(team, placement.id).await).await);
        assert!(!write(&store, async |tx| tx.placement_empty(team, placement.id).await).await);
        write(&store, async |tx| tx.placement_use(team, placement.id).await).await;
        write(&store, async |tx| tx.deployment_target_delete(team, id).await).await;
        assert!(write(&store, async |tx| tx.placement_leave_unused(team, placement.id).await).await);
        assert!(write(&store, async |tx| tx.placement_empty(team, placement.id).await).await);
    }

    async fn a_target_keeps_its_address_while_its_state_changes(store: Store) {
        let tenant = Tenant::new(&store).await;
        let account = connected(&store, &tenant, "main").await;
        let (team, id) = (tenant.id(), tenant.deployment.id);
        let placement = write(&store, async |tx| tx.placement_open(&fixture::placement(&tenant.environment, account.id)).await).await;
        write(&store, async |tx| {
            tx.deployment_target_put(team, id, placement.id).await?;
            tx.deployment_target_change(team, id, TargetState::Ready, Some("answers"), Some("https://one.example.org/")).await?;
            tx.deployment_target_change(team, id, TargetState::Shown, None, None).await
        })
        .await;
        let target = store.deployment_target_get(team, id).await.unwrap().unwrap();
        assert_eq!((target.state, target.detail, target.url.as_deref()), (TargetState::Shown, None, Some("https://one.example.org/")));
        assert_eq!(store.deployment_target_list(team, placement.id).await.unwrap().len(), 1);
        let error = refused(&store, async |tx| tx.deployment_target_put(team, DeploymentId::new(), PlacementId::new()).await).await;
        assert!(matches!(error, StoreError::Exists), "{error:?}");
    }

    async fn an_entry_is_written_by_who_read_it_last(store: Store) {
        let tenant = Tenant::new(&store).await;
        let account = connected(&store, &tenant, "main").await;
        let placement = write(&store, async |tx| tx.placement_open(&fixture::placement(&tenant.environment, account.id)).await).await;
        let wanted = fixture::cloud_resource(&placement, tenant.deployment.id);
        let mut entry = write(&store, async |tx| tx.cloud_resource_open(&wanted).await).await;
        assert_eq!(entry, wanted);
        let other = fixture::cloud_resource(&placement, tenant.deployment.id);
        assert_eq!(write(&store, async |tx| tx.cloud_resource_open(&other).await).await.id, entry.id);
        "asked".clone_into(&mut entry.state);
        entry.operation = Some(json!({"url": "https://run.example.org/operations/1"}));
        entry.outputs.insert("uri".to_owned(), "https://shop.example.org".to_owned());
        write(&store, async |tx| tx.cloud_resource_put(&entry).await).await;
        let error = refused(&store, async |tx| tx.cloud_resource_put(&entry).await).await;
        assert!(matches!(error, StoreError::Changed), "{error:?}");
        let kept = store.cloud_resource_list(tenant.id(), account.id, None, 10).await.unwrap().items.remove(0);
        assert_eq!((kept.revision, &kept.operation, &kept.outputs), (1, &entry.operation, &entry.outputs));
        assert_eq!(store.cloud_account_uses(tenant.id(), account.id).await.unwrap(), 2);
        write(&store, async |tx| tx.cloud_resource_delete(&kept).await).await;
        assert_eq!(store.cloud_resource_list(tenant.id(), account.id, None, 10).await.unwrap().items, []);
    }
}
