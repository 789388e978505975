//! Opens the store that a test is about.

use store::Store;
use testkit::Database;

/// A migrated store.
pub async fn open(database: &Database) -> Store {
    let store = match database {
        Database::Sqlite { file, .. } => Store::sqlite(file).await.unwrap(),
        Database::Postgres(url) => Store::postgres(url, 16).await.unwrap(),
    };
    store.migrate().await.unwrap();
    store
}
