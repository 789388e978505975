//! Opens the store that jobs are kept in.

use store::Store;
use testkit::Database;

/// A migrated store.
pub async fn open(database: &Database) -> Store {
    let store = match database {
        Database::Sqlite { file, .. } => Store::sqlite(file).await.unwrap(),
        Database::Postgres(url) => Store::postgres(url, 10).await.unwrap(),
    };
    store.migrate().await.unwrap();
    store
}
