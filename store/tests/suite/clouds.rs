//! Artifacts, uploads, the inventory, and the state of the local cloud.

use chrono::TimeDelta;
use domain::deployment::{Deployment, DeploymentStatus};
use domain::id::{DeploymentId, ResourceId, TeamId};
use domain::resource::Resource;
use domain::source::Source;
use domain::time::now;
use serde_json::json;
use store::{Store, StoreError};

use crate::fixture::{self, Tenant, digest, refused, write};

/// A tenant none of whose deployments waits for an upload.
async fn live(store: &Store) -> Tenant {
    Tenant::with_status(store, DeploymentStatus::Live).await
}

testkit::on_both_databases! {
    crate::common::open;

    async fn an_upload_is_the_teams_that_made_it_until_it_is_old(store: Store) {
        let (one, two) = (live(&store).await, live(&store).await);
        write(&store, async |tx| {
            tx.upload_put(one.id(), &digest(1), 10).await?;
            tx.upload_put(one.id(), &digest(1), 10).await?;
            tx.upload_put(two.id(), &digest(1), 10).await?;
            tx.upload_put(two.id(), &digest(2), 10).await
        })
        .await;
        assert!(store.upload_exists(one.id(), &digest(1)).await.unwrap());
        assert!(!store.upload_exists(one.id(), &digest(2)).await.unwrap());
        let mut digests = store.upload_digests().await.unwrap();
        digests.sort();
        assert_eq!(digests, [digest(1), digest(2)]);
        write(&store, async |tx| tx.upload_purge(now() - TimeDelta::hours(1)).await).await;
        assert!(store.upload_exists(one.id(), &digest(1)).await.unwrap());
        write(&store, async |tx| tx.upload_purge(now() + TimeDelta::hours(1)).await).await;
        assert_eq!(store.upload_digests().await.unwrap(), []);
        let error = refused(&store, async |tx| tx.upload_put(TeamId::new(), &digest(1), 1).await).await;
        assert!(matches!(error, StoreError::Database(_)), "{error:?}");
    }

    async fn an_upload_is_kept_while_a_deployment_waits_for_it(store: Store) {
        let (tenant, other) = (live(&store).await, live(&store).await);
        let of = |digest| Source::Upload { digest, directory: None };
        let waiting = Deployment { source: of(digest(1)), ..fixture::deployment(&tenant.environment, 2, DeploymentStatus::Queued) };
        let ended = Deployment { source: of(digest(2)), ..fixture::deployment(&tenant.environment, 3, DeploymentStatus::Failed) };
        write(&store, async |tx| {
            for (team, digest) in [(&tenant, digest(1)), (&tenant, digest(2)), (&other, digest(1))] {
                tx.upload_put(team.id(), &digest, 10).await?;
            }
            tx.deployment_insert(&waiting).await?;
            tx.deployment_insert(&ended).await?;
            tx.upload_purge(now() + TimeDelta::hours(1)).await
        })
        .await;
        assert!(store.upload_exists(tenant.id(), &digest(1)).await.unwrap());
        assert!(!store.upload_exists(tenant.id(), &digest(2)).await.unwrap(), "what is built needs it no more");
        assert!(!store.upload_exists(other.id(), &digest(1)).await.unwrap(), "another team's");
    }

    async fn the_inventory_lists_what_was_recorded_once(store: Store) {
        let tenant = Tenant::new(&store).await;
        let team = tenant.id();
        let (first, second) = (fixture::resource(&tenant.deployment), fixture::resource(&tenant.deployment));
        let of_project = Resource { deployment_id: None, ..fixture::resource(&tenant.deployment) };
        write(&store, async |tx| {
            for resource in [&first, &second, &of_project, &Resource { id: ResourceId::new(), ..first.clone() }] {
                tx.resource_put(resource).await?;
            }
            Ok(())
        })
        .await;
        let all = store.resource_list(team, tenant.project.id).await.unwrap();
        assert_eq!(all, [first.clone(), second.clone(), of_project.clone()]);
        let of_deployment = store.resource_list_of_deployment(team, tenant.deployment.id).await.unwrap();
        assert_eq!(of_deployment, [first.clone(), second.clone()]);
        write(&store, async |tx| tx.resource_delete(&first).await).await;
        assert_eq!(store.resource_list(team, tenant.project.id).await.unwrap(), [second, of_project]);
        let strange = Resource { project_id: domain::id::ProjectId::new(), ..first };
        let error = refused(&store, async |tx| tx.resource_put(&strange).await).await;
        assert!(matches!(error, StoreError::Database(_)), "{error:?}");
    }

    async fn a_workload_starts_unobserved_and_an_equal_wish_changes_nothing(store: Store) {
        let tenant = Tenant::new(&store).await;
        let deployment = tenant.deployment.id;
        let owner = (tenant.id(), tenant.project.id, deployment);
        let (wish, unseen, seen) = (json!({ "replicas": 1, "cpu": 0.1 }), json!({}), json!({ "running": 1, "note": "\u{1f600}" }));
        write(&store, async |tx| tx.resource_put(&fixture::resource(&tenant.deployment)).await).await;
        assert!(write(&store, async |tx| tx.local_workload_put(owner, &wish, &unseen).await).await);
        write(&store, async |tx| tx.local_workload_observe(deployment, &seen).await).await;
        assert!(write(&store, async |tx| tx.local_workload_put(owner, &wish, &unseen).await).await);
        let kept = store.local_workload_get(deployment).await.unwrap().unwrap();
        assert_eq!((kept.deployment_id, kept.desired, kept.observed), (deployment, wish, seen));

        let changed = json!({ "replicas": 2 });
        assert!(write(&store, async |tx| tx.local_workload_put(owner, &changed, &unseen).await).await);
        let all = store.local_workload_list().await.unwrap();
        assert_eq!((all.len(), &all[0].desired, &all[0].observed), (1, &changed, &unseen));
        write(&store, async |tx| tx.local_workload_delete(deployment).await).await;
        assert!(store.local_workload_get(deployment).await.unwrap().is_none());
    }

    async fn a_workload_that_the_inventory_does_not_list_stays_away(store: Store) {
        let tenant = Tenant::new(&store).await;
        let owner = (tenant.id(), tenant.project.id, tenant.deployment.id);
        assert!(!write(&store, async |tx| tx.local_workload_put(owner, &json!({}), &json!({})).await).await);
        assert!(store.local_workload_list().await.unwrap().is_empty());
    }

    async fn a_route_shows_the_deployment_it_was_given_last(store: Store) {
        let tenant = Tenant::with_status(&store, DeploymentStatus::Live).await;
        let owner = (tenant.id(), tenant.project.id, tenant.environment.id);
        let next = DeploymentId::new();
        write(&store, async |tx| {
            tx.local_route_put("site", owner, tenant.deployment.id).await?;
            tx.local_route_put("site--preview", owner, tenant.deployment.id).await?;
            tx.local_route_put("site", owner, next).await
        })
        .await;
        let mut routes = store.local_route_list().await.unwrap();
        routes.sort();
        assert_eq!(routes, [("site".to_owned(), next), ("site--preview".to_owned(), tenant.deployment.id)]);
        write(&store, async |tx| {
            tx.local_route_delete((owner.0, owner.1), "site").await?;
            tx.local_route_delete((owner.0, owner.1), "unknown").await
        })
        .await;
        assert_eq!(store.local_route_list().await.unwrap(), [("site--preview".to_owned(), tenant.deployment.id)]);
    }
}
