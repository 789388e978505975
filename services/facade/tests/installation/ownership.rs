//! Files that belong to nobody, or to another installation, on both databases.

use std::path::Path;
use std::time::SystemTime;

use chrono::TimeDelta;
use domain::time::now;
use store::Store;
use uuid::Uuid;

use crate::house::{TestHouse, open};

/// Leaves a file that no row names, made so many hours from now.
fn leave(directory: &Path, name: &str, hours: i64) {
    let path = directory.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "x").unwrap();
    let at = SystemTime::from(now() + TimeDelta::hours(hours));
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
}

/// The object that says whose the store is.
const OBJECT: &str = "installation";
const UPLOAD: &str = "objects/uploads/stray.tar.gz";
const LOG: &str = "objects/logs/stray.jsonl.gz";

/// Returns the files that remain after everything that nothing refers to was removed.
async fn left(house: &TestHouse, after_hours: i64) -> Vec<&'static str> {
    let at = now() + TimeDelta::hours(after_hours);
    house.services.uploads().remove_unused(at).await.unwrap();
    house.services.logs().archive(at).await.unwrap();
    house.services.artifacts().collect(at).await.unwrap();
    [UPLOAD, LOG].into_iter().filter(|name| house.directory.path().join(name).exists()).collect()
}

async fn is_alerted(house: &TestHouse) -> bool {
    house.services.store().alert_open_counts().await.unwrap().iter().any(|(kind, _)| kind == "foreign_objects")
}

testkit::on_both_databases! {
    open;

    async fn nothing_is_removed_that_is_older_than_the_installation(store: Store) {
        let house = TestHouse::new(store).await;
        for (name, hours) in [(UPLOAD, -48), (LOG, -48)] {
            leave(house.directory.path(), name, hours);
        }
        assert_eq!(left(&house, 30).await, [UPLOAD, LOG], "of whoever was here before");
        for name in [UPLOAD, LOG] {
            leave(house.directory.path(), name, 1);
        }
        assert_eq!(left(&house, 20).await, [LOG], "it may be on its way to its row");
        leave(house.directory.path(), UPLOAD, 1);
        assert_eq!(left(&house, 30).await, [""; 0], "our own goes");
        assert!(house.directory.path().join("objects").join(OBJECT).exists(), "the store says whose it is");
    }

    async fn nothing_is_removed_from_the_store_of_another_installation(store: Store) {
        let house = TestHouse::new(store).await;
        assert!(house.services.owns_objects().await.unwrap(), "a store that says nothing is taken");
        let id = std::fs::read(house.directory.path().join("objects").join(OBJECT)).unwrap();
        std::fs::write(house.directory.path().join("objects").join(OBJECT), Uuid::new_v4().to_string()).unwrap();
        for name in [UPLOAD, LOG] {
            leave(house.directory.path(), name, 1);
        }
        assert_eq!(left(&house, 30).await, [UPLOAD, LOG]);
        assert!(is_alerted(&house).await, "it is told of");
        std::fs::write(house.directory.path().join("objects").join(OBJECT), [&id[..], b"\n"].concat()).unwrap();
        assert_eq!(left(&house, 30).await, [""; 0], "as the alert says");
        assert!(!is_alerted(&house).await);
    }
}
