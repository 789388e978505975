//! Giving artifacts up and getting them back.

use chrono::TimeDelta;
use domain::artifact::Digest;
use domain::deployment::{Deployment, DeploymentStatus};
use domain::id::{DeploymentId, TeamId};
use domain::retention::GivenUp;
use domain::time::now;
use domain::workload::{StaticSite, WorkloadSpec};
use store::{ArtifactUsage, RemovedArtifact, Store};

use crate::fixture::{self, Tenant, digest, write};

/// Records that a deployment has this artifact of ten bytes.
async fn built(store: &Store, team: TeamId, deployment: DeploymentId, digest: &Digest) {
    write(store, async |tx| {
        tx.artifact_put(digest, 10, 1).await?;
        tx.deployment_set_artifact(team, deployment, digest, &WorkloadSpec::Static(StaticSite::default())).await
    })
    .await;
}

async fn superseded(store: &Store, digest: &Digest) -> Tenant {
    let tenant = Tenant::with_status(store, DeploymentStatus::Superseded).await;
    built(store, tenant.id(), tenant.deployment.id, digest).await;
    tenant
}

async fn give_up(store: &Store, tenant: &Tenant, digest: &Digest) -> bool {
    let given_up = GivenUp { digest: digest.clone(), deployments: vec![tenant.deployment.id], bytes: 10 };
    write(store, async |tx| tx.artifact_give_up(tenant.id(), &given_up, now()).await).await
}

async fn removed(store: &Store) -> Vec<RemovedArtifact> {
    store.artifact_list_removed(now()).await.unwrap()
}

async fn hold(store: &Store, tenant: &Tenant) -> bool {
    write(store, async |tx| tx.artifact_hold(tenant.id(), tenant.deployment.id).await).await
}

testkit::on_both_databases! {
    crate::common::open;

    async fn an_artifact_goes_once_no_team_holds_it(store: Store) {
        let (one, two) = (superseded(&store, &digest(1)).await, superseded(&store, &digest(1)).await);
        let mut teams = store.artifact_team_list().await.unwrap();
        teams.sort();
        assert_eq!(teams, [one.id(), two.id()]);
        let holdings = write(&store, async |tx| tx.artifact_holdings(one.id()).await).await;
        assert!(holdings.len() == 1 && holdings[0].is_production && holdings[0].bytes == 10 && holdings[0].digest == digest(1));
        for (tenant, left) in [(&one, 0), (&two, 1)] {
            assert!(hold(&store, tenant).await);
            assert!(give_up(&store, tenant, &digest(1)).await);
            assert!(!give_up(&store, tenant, &digest(1)).await, "once");
            assert!(!hold(&store, tenant).await);
            assert_eq!(store.artifact_list_unheld().await.unwrap().len(), left);
            assert_eq!(store.artifact_usage(tenant.id()).await.unwrap(), ArtifactUsage::default());
        }
        assert_eq!(removed(&store).await, []);
        assert!(write(&store, async |tx| tx.artifact_remove(&digest(1), now()).await).await);
        assert!(!write(&store, async |tx| tx.artifact_remove(&digest(1), now()).await).await, "once");
        assert_eq!(store.artifact_list_removed(now() - TimeDelta::hours(1)).await.unwrap(), [], "it was given up just now");
        let gone = removed(&store).await;
        assert_eq!(gone, [RemovedArtifact { digest: digest(1), object_id: None, size_bytes: 10 }]);
        assert!(write(&store, async |tx| tx.artifact_set_deleted(&gone[0], now()).await).await);
        assert_eq!((removed(&store).await, store.artifact_object_list().await.unwrap()), (vec![], vec![]));
        let kept = store.deployment_get(one.id(), one.deployment.id).await.unwrap().unwrap();
        assert!(!kept.is_rollback_target() && kept.artifact_digest == Some(digest(1)), "what it was is still said");
    }

    async fn what_another_deployment_uses_since_is_not_given_up(store: Store) {
        let tenant = superseded(&store, &digest(1)).await;
        let rollback = Deployment {
            artifact_digest: Some(digest(1)),
            ..fixture::deployment(&tenant.environment, 2, DeploymentStatus::Queued)
        };
        write(&store, async |tx| {
            assert!(tx.artifact_hold(tenant.id(), tenant.deployment.id).await?);
            tx.deployment_insert(&rollback).await
        })
        .await;
        assert!(!give_up(&store, &tenant, &digest(1)).await);
        assert!(!write(&store, async |tx| tx.artifact_remove(&digest(1), now()).await).await);
        assert_eq!(store.artifact_usage(tenant.id()).await.unwrap(), ArtifactUsage { count: 1, bytes: 10 });
    }

    async fn whoever_uses_an_artifact_and_whoever_gives_it_up_wait_for_each_other(store: Store) {
        let tenant = superseded(&store, &digest(1)).await;
        let mut using = store.begin().await.unwrap();
        assert!(using.artifact_hold(tenant.id(), tenant.deployment.id).await.unwrap());
        let (other, team, id) = (store.clone(), tenant.id(), tenant.deployment.id);
        let giving_up = tokio::spawn(async move {
            let given_up = GivenUp { digest: digest(1), deployments: vec![id], bytes: 10 };
            write(&other, async |tx| tx.artifact_give_up(team, &given_up, now()).await).await
        });
        let rollback = Deployment {
            artifact_digest: Some(digest(1)),
            ..fixture::deployment(&tenant.environment, 2, DeploymentStatus::Queued)
        };
        using.deployment_insert(&rollback).await.unwrap();
        using.commit().await.unwrap();
        assert!(!giving_up.await.unwrap(), "the deployment that uses it was seen");
    }

    async fn content_that_comes_back_gets_another_object(store: Store) {
        let tenant = superseded(&store, &digest(1)).await;
        assert!(give_up(&store, &tenant, &digest(1)).await);
        write(&store, async |tx| tx.artifact_remove(&digest(1), now()).await).await;
        let before = removed(&store).await;
        built(&store, tenant.id(), tenant.deployment.id, &digest(1)).await;
        assert_eq!(removed(&store).await, []);
        assert!(!write(&store, async |tx| tx.artifact_set_deleted(&before[0], now()).await).await, "it came back");
        let object = store.artifact_object_list().await.unwrap()[0].1;
        assert!(object.is_some());
        assert_eq!(write(&store, async |tx| tx.artifact_put(&digest(1), 10, 1).await).await, object, "the same again changes nothing");
        assert!(hold(&store, &tenant).await, "all that had it have it again");
        // The late deletion of the object of before is no deletion of this one.
        assert!(give_up(&store, &tenant, &digest(1)).await);
        write(&store, async |tx| tx.artifact_remove(&digest(1), now()).await).await;
        assert!(!write(&store, async |tx| tx.artifact_set_deleted(&before[0], now()).await).await);
        assert_eq!(removed(&store).await[0].object_id, object);
    }

    async fn an_object_without_a_row_becomes_one_that_was_removed(store: Store) {
        let tenant = superseded(&store, &digest(1)).await;
        for (byte, is_orphan) in [(1, false), (2, true)] {
            assert_eq!(write(&store, async |tx| tx.artifact_put_orphan(&digest(byte), now()).await).await, is_orphan);
        }
        assert_eq!(removed(&store).await.len(), 1);
        let object = write(&store, async |tx| tx.artifact_put(&digest(2), 20, 1).await).await;
        assert!(object.is_some(), "whoever deletes the orphan at this moment does not reach the new object");
        assert!(give_up(&store, &tenant, &digest(1)).await);
        assert_eq!(store.artifact_usage_of_all().await.unwrap(), ArtifactUsage { count: 2, bytes: 30 });
    }

    async fn rows_of_what_is_long_gone_go_unless_a_deployment_names_them(store: Store) {
        let (named, project) = (superseded(&store, &digest(1)).await, superseded(&store, &digest(2)).await);
        for (tenant, digest) in [(&named, digest(1)), (&project, digest(2))] {
            assert!(give_up(&store, tenant, &digest).await);
            write(&store, async |tx| tx.artifact_remove(&digest, now()).await).await;
        }
        for gone in removed(&store).await {
            write(&store, async |tx| tx.artifact_set_deleted(&gone, now()).await).await;
        }
        write(&store, async |tx| tx.project_delete(project.id(), project.project.id).await).await;
        let later = now() + TimeDelta::seconds(1);
        write(&store, async |tx| tx.artifact_purge(later).await).await;
        let first = write(&store, async |tx| tx.artifact_put(&digest(2), 10, 1).await).await;
        let again = write(&store, async |tx| tx.artifact_put(&digest(1), 10, 1).await).await;
        assert!(first.is_none() && again.is_some());
    }

    async fn a_mark_beside_a_deployment_that_holds_the_artifact_is_taken_off(store: Store) {
        let tenant = superseded(&store, &digest(1)).await;
        assert!(give_up(&store, &tenant, &digest(1)).await);
        write(&store, async |tx| tx.artifact_remove(&digest(1), now()).await).await;
        // As a program of before the mark writes it.
        let rollback = Deployment {
            artifact_digest: Some(digest(1)),
            ..fixture::deployment(&tenant.environment, 2, DeploymentStatus::Live)
        };
        write(&store, async |tx| {
            tx.deployment_insert(&rollback).await?;
            tx.artifact_restore_held().await
        })
        .await;
        assert_eq!(removed(&store).await, []);
    }
}
