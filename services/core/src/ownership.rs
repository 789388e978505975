//! Ownership of the files in the object store and of the artifacts. Files that a database does not name are removed only by the
//! installation that made them.

use domain::time::Timestamp;
use store::{Store, StoreError};
use uuid::Uuid;

use crate::alerts::raise;
use crate::{Context, Result, ServiceError};

/// The fact that names the installation, and the object that says whose the store is.
const ID: &str = "installation_id";
const OBJECT: &str = "installation";
/// The kind of the alert about a store of another installation, and its subject.
const ALERT: (&str, &str) = ("foreign_objects", "objects");

impl Context {
    /// Returns true if the object store belongs to this installation. A store without an owner is claimed: it is new, or of an
    /// earlier version.
    pub async fn owns_objects(&self) -> Result<bool> {
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
    pub async fn began(&self) -> Result<Option<Timestamp>> {
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
