//! Deployment events: numbered without gaps, whoever writes at the same time.

use domain::deployment::DeploymentStatus;
use store::{EventKey, Store};

use crate::fixture::{self, Tenant, write};

testkit::on_both_databases! {
    crate::common::open;

    async fn events_are_read_back_in_order_from_any_number(store: Store) {
        let tenant = Tenant::new(&store).await;
        let steps = [DeploymentStatus::Queued, DeploymentStatus::Building, DeploymentStatus::Failed];
        write(&store, async |tx| {
            for status in steps {
                tx.event_insert(tenant.key(), status, "said \u{1f600} with \"quotes\"").await?;
            }
            Ok(())
        })
        .await;
        let events = store.event_list(tenant.id(), tenant.deployment.id, 0, 100).await.unwrap();
        assert_eq!(events.iter().map(|event| (event.number, event.project_number)).collect::<Vec<_>>(), [(1, 1), (2, 2), (3, 3)]);
        assert_eq!(events.iter().map(|event| event.status).collect::<Vec<_>>(), steps);
        assert_eq!((events[0].project_id, events[0].environment_id), (tenant.project.id, tenant.environment.id));
        assert_eq!(events[0].message, "said \u{1f600} with \"quotes\"");
        assert_eq!(store.event_list(tenant.id(), tenant.deployment.id, 1, 1).await.unwrap(), events[1..2]);
        assert_eq!(store.event_list(tenant.id(), tenant.deployment.id, 3, 100).await.unwrap(), []);
        assert_eq!(store.project_event_list(tenant.id(), tenant.project.id, 0, 100).await.unwrap(), events);
        assert_eq!(store.project_event_list(tenant.id(), tenant.project.id, 2, 100).await.unwrap(), events[2..]);
        assert_eq!(store.project_event_count(tenant.id(), tenant.project.id).await.unwrap(), Some(3));
        assert_eq!(store.deployment_get(tenant.id(), tenant.deployment.id).await.unwrap().unwrap().event_count, 3);
    }

    async fn fifty_transactions_at_once_leave_no_gap(store: Store) {
        let tenant = Tenant::new(&store).await;
        let second = fixture::deployment(&tenant.environment, 2, DeploymentStatus::Queued);
        write(&store, async |tx| tx.deployment_insert(&second).await).await;
        let keys = [tenant.key(), EventKey::from(&second)];
        let writers: Vec<_> = (0..50)
            .map(|number| {
                let (store, key) = (store.clone(), keys[number % 2]);
                tokio::spawn(async move {
                    let mut tx = store.begin().await.unwrap();
                    tx.project_lock(key.team_id, key.project_id).await.unwrap();
                    tx.event_insert(key, DeploymentStatus::Queued, "one").await.unwrap();
                    tx.event_insert(key, DeploymentStatus::Queued, "two").await.unwrap();
                    // Every fifth gives up: its numbers are another's then.
                    if number % 5 != 4 {
                        tx.commit().await.unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        let all = store.project_event_list(tenant.id(), tenant.project.id, 0, 1000).await.unwrap();
        assert_eq!(all.iter().map(|event| event.project_number).collect::<Vec<_>>(), (1..=80).collect::<Vec<i64>>());
        assert!(all.chunks(2).all(|pair| pair[0].deployment_id == pair[1].deployment_id && pair[0].message == "one"));
        for key in keys {
            let events = store.event_list(tenant.id(), key.deployment_id, 0, 1000).await.unwrap();
            assert_eq!(events.iter().map(|event| event.number).collect::<Vec<_>>(), (1..=40).collect::<Vec<i64>>());
            let of_project: Vec<_> = all.iter().filter(|event| event.deployment_id == key.deployment_id).cloned().collect();
            assert_eq!(events, of_project, "both orders agree");
        }
    }
}
