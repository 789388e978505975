//! All rows out of one database and into another.

use std::collections::BTreeMap;

use domain::deployment::DeploymentStatus;
use serde_json::{Value, json};
use store::dump::{Column, Row, TABLES};
use store::{SchemaState, Store};
use testkit::Database;

use crate::common::open;
use crate::fixture::{Tenant, job, resource, user, variable, write};

type Tables = BTreeMap<&'static str, (Vec<Column>, Vec<String>)>;

/// One of everything, with the values that databases treat differently.
async fn filled(store: &Store) -> Tenant {
    let tenant = Tenant::with_status(store, DeploymentStatus::Live).await;
    let user = user();
    write(store, async |tx| {
        tx.user_insert(&user).await?;
        tx.installation_insert(&user.email, "it's \"ö\" \\ \n").await?;
        tx.team_key_insert(tenant.id(), 1, &[0, 255, 7]).await?;
        tx.job_insert(&job(tenant.id())).await?;
        tx.resource_put(&resource(&tenant.deployment)).await?;
        tx.variable_insert(tenant.id(), tenant.environment.id, &variable("NAME", &[0, 1]), 1).await
    })
    .await;
    crate::audit::chain(store, 3, &[2]).await;
    tenant
}

async fn dumped(store: &Store) -> Tables {
    let mut snapshot = store.snapshot().await.unwrap();
    let mut tables = Tables::new();
    for table in TABLES {
        let columns = snapshot.columns(table).await.unwrap();
        let mut rows = Vec::new();
        let take = |row: Row| {
            rows.push(Value::Array(row).to_string());
            Ok::<_, store::StoreError>(())
        };
        snapshot.rows(table, &columns, take).await.unwrap();
        rows.sort();
        tables.insert(table, (columns, rows));
    }
    tables
}

async fn loaded(store: &Store, tables: &Tables) {
    let mut loading = store.load(store::newest_schema()).await.unwrap();
    for table in TABLES {
        let (columns, rows) = &tables[table];
        assert_eq!(&loading.columns(table).await.unwrap(), columns, "{table}");
        let rows: Vec<Row> = rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
        loading.insert(table, columns, &rows).await.unwrap();
    }
    loading.finish("restored").await.unwrap();
}

testkit::on_both_databases! {
    crate::common::open;

    async fn every_table_is_dumped_with_every_column(store: Store, database: &Database) {
        filled(&store).await;
        let tables = dumped(&store).await;
        assert!(tables.values().all(|(columns, _)| !columns.is_empty()), "a table is not there: {tables:?}");
        let sql = match database {
            Database::Sqlite { .. } => "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            Database::Postgres(_) => "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'",
        };
        let mut there = database.texts(sql).await;
        there.retain(|name| name != "_sqlx_migrations");
        there.sort();
        let mut known: Vec<_> = TABLES.to_vec();
        known.sort_unstable();
        assert_eq!(there, known, "every table that a migration makes is in `TABLES`");
    }

    async fn a_dump_loads_into_either_database(store: Store) {
        filled(&store).await;
        filled(&store).await;
        let tables = dumped(&store).await;
        let mut targets = vec![Database::sqlite()];
        targets.extend(Database::postgres().await);
        for target in &targets {
            let target = open(target).await;
            filled(&target).await;
            loaded(&target, &tables).await;
            assert_eq!(dumped(&target).await, tables);
            // And it works: what is written now fits beside what was loaded.
            filled_more(&target).await;
        }
    }

    async fn a_load_that_is_given_up_leaves_everything_as_it_was(store: Store) {
        filled(&store).await;
        let before = dumped(&store).await;
        let mut loading = store.load(store::newest_schema()).await.unwrap();
        let (columns, _) = &before["installation"];
        loading.insert("installation", columns, &[vec![json!("a"), json!("b")]]).await.unwrap();
        assert!(loading.insert("installation", columns, &[vec![json!("a"), json!(7)]]).await.is_err());
        drop(loading);
        assert_eq!(dumped(&store).await, before);
    }

    async fn a_dump_of_an_older_schema_is_migrated(store: Store) {
        let mut loading = store.load(20_261_123_000_001).await.unwrap();
        let columns = loading.columns("users").await.unwrap();
        assert!(columns.iter().all(|column| column.name != "operator"), "{columns:?}");
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let row = vec![json!(id), json!("a@example.org"), json!("Ada"), Value::Null, json!("2026-11-23T10:00:00.000001Z")];
        loading.insert("users", &columns, &[row]).await.unwrap();
        loading.finish("restored").await.unwrap();
        assert_eq!(store.schema_state().await.unwrap(), SchemaState::Current);
        let (columns, rows) = dumped(&store).await.remove("users").unwrap();
        let row: Row = serde_json::from_str(&rows[0]).unwrap();
        let operator = columns.iter().position(|column| column.name == "operator").unwrap();
        assert_eq!((row.len(), &row[operator]), (columns.len(), &json!(true)), "the first user runs the installation");
    }

    async fn a_snapshot_does_not_see_what_is_written_after_it(store: Store) {
        filled(&store).await;
        let mut snapshot = store.snapshot().await.unwrap();
        let columns = snapshot.columns("projects").await.unwrap();
        let mut counts = Vec::new();
        for _ in 0..2 {
            let mut count = 0;
            let counted = snapshot.rows("projects", &columns, |_| { count += 1; Ok::<_, store::StoreError>(()) });
            counted.await.unwrap();
            counts.push(count);
            Tenant::new(&store).await;
        }
        assert_eq!(counts, [1, 1]);
    }
}

async fn filled_more(store: &Store) {
    Tenant::new(store).await;
    assert_eq!(store.schema_state().await.unwrap(), SchemaState::Current);
    store.migrate().await.unwrap();
}
