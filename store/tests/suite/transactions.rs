//! All or nothing, and many writers at once.

use domain::project::Project;
use domain::team::Team;
use store::{Store, StoreError};

use crate::common::open;
use crate::fixture::{self, Tenant, refused, write};

testkit::on_both_databases! {
    crate::common::open;

    async fn a_dropped_transaction_leaves_nothing(store: Store) {
        let tenant = Tenant::new(&store).await;
        let added = fixture::project(tenant.id());
        let mut tx = store.begin().await.unwrap();
        tx.project_insert(&added).await.unwrap();
        tx.project_delete(tenant.id(), tenant.project.id).await.unwrap();
        drop(tx);
        // The next writer waits for the one before, so what it reads is settled.
        write(&store, async |tx| {
            assert_eq!(tx.project_lock(tenant.id(), added.id).await?, None);
            assert_eq!(tx.project_lock(tenant.id(), tenant.project.id).await?.as_ref(), Some(&tenant.project));
            Ok(())
        })
        .await;
    }

    async fn a_failed_statement_leaves_nothing_of_its_transaction(store: Store) {
        let tenant = Tenant::new(&store).await;
        let added = fixture::project(tenant.id());
        let error = refused(&store, async |tx| {
            tx.project_insert(&added).await?;
            tx.project_insert(&Project { id: domain::id::ProjectId::new(), ..added.clone() }).await
        })
        .await;
        assert!(matches!(error, StoreError::Exists), "{error:?}");
        assert_eq!(store.project_get(tenant.id(), added.id).await.unwrap(), None);
    }

    async fn what_is_not_committed_is_not_seen(store: Store) {
        let team = fixture::team();
        let mut tx = store.begin().await.unwrap();
        tx.team_insert(&team).await.unwrap();
        assert_eq!(store.team_get(team.id).await.unwrap(), None);
        tx.commit().await.unwrap();
        assert_eq!(store.team_get(team.id).await.unwrap(), Some(team));
    }

    async fn two_hundred_writers_all_get_their_turn(store: Store, database: &Database) {
        // A second pool on the same database stands for a second process.
        let other = open(database).await;
        let tenant = Tenant::new(&store).await;
        let writers: Vec<_> = (0..200)
            .map(|number| {
                let (store, team, project) = (if number % 2 == 0 { &store } else { &other }.clone(), tenant.id(), tenant.project.id);
                tokio::spawn(async move {
                    let mut tx = store.begin().await?;
                    let number = tx.project_next_deployment(team, project).await?;
                    tx.team_insert(&Team { name: number.to_string(), ..fixture::team() }).await?;
                    tx.commit().await?;
                    Ok::<_, StoreError>(number)
                })
            })
            .collect();
        let mut numbers = Vec::new();
        for writer in writers {
            numbers.push(writer.await.unwrap().unwrap());
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (2..=201).collect::<Vec<i64>>());
    }

    async fn readers_do_not_wait_for_a_writer(store: Store) {
        let tenant = Tenant::new(&store).await;
        let mut tx = store.begin().await.unwrap();
        tx.project_next_deployment(tenant.id(), tenant.project.id).await.unwrap();
        let reads = (0..20).map(|_| store.project_get(tenant.id(), tenant.project.id));
        for read in reads {
            assert!(read.await.unwrap().is_some());
        }
        tx.commit().await.unwrap();
    }
}
