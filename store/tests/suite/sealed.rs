//! Tests of sealed values, and of resealing them when keys change.

use domain::time::now;
use store::sealed::{ENDED_BY_ROTATION, KeyKind, SEALED, SealedBy};
use store::{KeyRotation, Store, StoreError};
use testkit::Database;
use uuid::Uuid;

use crate::fixture::{self, Tenant, refused, write};

fn rotation(old: &str) -> KeyRotation {
    KeyRotation {
        id: Uuid::now_v7(),
        old_fingerprint: old.to_owned(),
        new_fingerprint: "new".to_owned(),
        sealed_new: Some(vec![1]),
        sealed_old: Some(vec![2]),
        runner: Uuid::new_v4(),
        runner_until: now(),
        started_at: now(),
        finished_at: None,
    }
}

testkit::on_both_databases! {
    crate::common::open;

    async fn every_column_that_is_named_as_sealed_is_sealed_anew(_store: Store, database: &Database) {
        let sql = match database {
            Database::Sqlite { .. } => "SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c
                WHERE m.type = 'table' AND c.name LIKE 'sealed%'",
            Database::Postgres(_) => "SELECT table_name || '.' || column_name FROM information_schema.columns
                WHERE table_schema = 'public' AND column_name LIKE 'sealed%'",
        };
        let known: Vec<_> = SEALED
            .iter()
            .map(|column| (column.table, column.column))
            .chain(ENDED_BY_ROTATION.iter().copied())
            .map(|(table, column)| format!("{table}.{column}"))
            .collect();
        for column in database.texts(sql).await {
            assert!(known.contains(&column), "{column} is not in `store::sealed::SEALED`: a change of the master key would lose it");
        }
    }

    async fn each_listed_column_is_there_and_its_rows_are_told_apart(store: Store) {
        for column in SEALED {
            let columns = columns_of(&store, column.table).await;
            for name in column.key.iter().map(|(name, _)| *name).chain([column.column]) {
                assert!(columns.iter().any(|known| known == name), "{}.{name}", column.table);
            }
            assert!(store.sealed_rows(column).await.unwrap().is_empty(), "{}", column.table);
        }
    }

    async fn a_sealed_value_is_replaced_only_as_it_was_seen(store: Store) {
        let tenant = Tenant::new(&store).await;
        let variable = fixture::variable("KEY", b"old");
        write(&store, async |tx| tx.variable_insert(tenant.id(), tenant.environment.id, &variable, 1).await).await;
        let column = SEALED.iter().find(|column| column.table == "environment_variables").unwrap();
        let rows = store.sealed_rows(column).await.unwrap();
        assert_eq!((rows.len(), rows[0].team, column.identity(&rows[0])), (1, Some(tenant.id()), variable.id.to_string()));
        write(&store, async |tx| {
            assert!(!tx.sealed_put(column, &rows[0], b"other", b"lost").await?);
            assert!(tx.sealed_put(column, &rows[0], b"old", b"new").await?);
            assert_eq!(tx.sealed_get(column, &rows[0]).await?.as_deref(), Some(&b"new"[..]));
            Ok(())
        })
        .await;
    }

    async fn one_change_of_the_master_key_is_under_way_at_most(store: Store) {
        let first = rotation("old");
        write(&store, async |tx| tx.key_rotation_insert(&first).await).await;
        let second = rotation("old");
        assert!(matches!(refused(&store, async |tx| tx.key_rotation_insert(&second).await).await, StoreError::Exists));
        let (runner, later) = (Uuid::new_v4(), now() + chrono::TimeDelta::minutes(1));
        write(&store, async |tx| {
            assert!(tx.key_rotation_take(first.id, runner, later).await?, "its runner is dead");
            assert!(!tx.key_rotation_take(first.id, Uuid::new_v4(), later).await?, "its runner lives");
            assert!(!tx.key_rotation_renew(first.id, first.runner, later).await?, "it is another's now");
            assert!(tx.key_rotation_renew(first.id, runner, later).await?);
            tx.key_rotation_finish(first.id, now()).await?;
            assert!(!tx.key_rotation_renew(first.id, runner, later).await?, "it is over");
            Ok(())
        })
        .await;
        let ended = store.key_rotation_latest().await.unwrap().unwrap();
        assert_eq!((ended.sealed_new, ended.sealed_old), (None, Some(vec![2])));
        store.key_rotation_forget(now() + chrono::TimeDelta::minutes(1)).await.unwrap();
        assert_eq!(store.key_rotation_latest().await.unwrap().unwrap().sealed_old, None);
        write(&store, async |tx| tx.key_rotation_insert(&rotation("new")).await).await;
    }

    async fn the_last_two_data_keys_of_a_team_stay(store: Store) {
        let tenant = Tenant::new(&store).await;
        write(&store, async |tx| {
            for version in 1..=4 {
                tx.team_key_insert(tenant.id(), version, &[1]).await?;
            }
            assert!(tx.team_key_versions().await?.contains(&(tenant.id(), 4)));
            tx.team_key_delete_outdated().await
        })
        .await;
        let left: Vec<_> = store.team_key_list(tenant.id()).await.unwrap().into_iter().map(|(version, _)| version).collect();
        assert_eq!(left, [3, 4]);
    }
}

async fn columns_of(store: &Store, table: &str) -> Vec<String> {
    let columns = store.snapshot().await.unwrap().columns(table).await.unwrap();
    columns.into_iter().map(|column| column.name).collect()
}

#[test]
fn what_a_team_seals_is_bound_to_its_row() {
    for column in SEALED.iter().filter(|column| column.by == SealedBy::TeamKey) {
        assert!(column.key.iter().any(|(_, kind)| *kind != KeyKind::Version), "{}", column.table);
    }
}
