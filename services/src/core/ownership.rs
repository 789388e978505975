//! Ownership of the files in the object store and of the artifacts. Files that a database does not name are removed only by the
//! installation that made them.

use domain::time::Timestamp;
use store::{Store, StoreError};
use uuid::Uuid;

use crate::core::alerts::raise;
use crate::{Result, ServiceError, Services};

/// The fact that names the installation, and the object that says whose the store is.
const ID: &str = "installation_id";
const OBJECT: &str = "installation";
/// The kind of the alert about a store of another installation, and its subject.
const ALERT: (&str, &str) = ("foreign_objects", "objects");

impl Services {
    /// Returns true if the object store belongs to this installation. A store without an owner is claimed: it is new, or of an
    /// earlier version.
    pub(crate) async fn owns_objects(&self) -> Result<bool> {
        let id = installation_id(self.store()).await?;
        let objects = &self.inner.objects;
        let recorded = objects.read(OBJECT).await.map_err(ServiceError::internal)?;
        let owned = match &recorded {
            None => {
                objects.write(OBJECT, id.clone().into_bytes()).await.map_err(ServiceError::internal)?;
                true
            }
            Some(owner) => owner.trim_ascii() == id.as_bytes(),
        };
        let mut tx = self.begin().await?;
        if owned {
            tx.alert_resolve(ALERT.0, ALERT.1).await?;
        } else {
            let message = format!(
                "the object store is that of another installation: nothing is removed from it. Give each installation a bucket or prefix of \
                 its own; if the store is this one's, replace what the object `{OBJECT}` in it says by {id}"
            );
            raise(&mut tx, None, ALERT.0, ALERT.1, message).await?;
        }
        tx.commit().await?;
        Ok(owned)
    }

    /// Returns the time at which this installation was set up: older files are not its own.
    pub(crate) async fn began(&self) -> Result<Option<Timestamp>> {
        Ok(self.store().installation_began().await?)
    }
}

/// Returns the id that distinguishes this installation from all others. It is part of the database, and thus of backups.
async fn installation_id(store: &Store) -> Result<String, StoreError> {
    if let Some(id) = store.installation_get(ID).await? {
        return Ok(id);
    }
    let id = Uuid::new_v4().to_string();
    let mut tx = store.begin().await?;
    match tx.installation_insert(ID, &id).await {
        Ok(()) => {
            tx.commit().await?;
            Ok(id)
        }
        // Another process was quicker.
        Err(StoreError::Exists) => {
            drop(tx);
            Ok(store.installation_get(ID).await?.unwrap_or(id))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::SystemTime;

    use chrono::TimeDelta;
    use domain::time::now;
    use store::Store;

    use super::*;
    use crate::test_house::{TestHouse, open};

    /// Leaves a file that no row names, made so many hours from now.
    fn leave(directory: &Path, name: &str, hours: i64) {
        let path = directory.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "x").unwrap();
        let at = SystemTime::from(now() + TimeDelta::hours(hours));
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
    }

    const UPLOAD: &str = "objects/uploads/stray.tar.gz";
    const LOG: &str = "objects/logs/stray.jsonl.gz";

    /// Returns the files that remain after everything that nothing refers to was removed.
    async fn left(house: &TestHouse, after_hours: i64) -> Vec<&'static str> {
        let at = now() + TimeDelta::hours(after_hours);
        crate::Housekeeper(house.services.clone()).remove_unused_uploads(at).await.unwrap();
        house.services.logs().archive(at).await.unwrap();
        house.services.artifacts().collect(at).await.unwrap();
        [UPLOAD, LOG].into_iter().filter(|name| house.directory.path().join(name).exists()).collect()
    }

    async fn is_alerted(house: &TestHouse) -> bool {
        house.services.store().alert_open_counts().await.unwrap().iter().any(|(kind, _)| kind == ALERT.0)
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
}
