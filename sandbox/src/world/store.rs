//! The state behind one lock, and its snapshot.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::{Blobs, State};

/// Name of the snapshot in the data directory.
const SNAPSHOT: &str = "world.json";

/// The state behind one lock, and its snapshot.
#[derive(Debug)]
pub(crate) struct World {
    state: Mutex<State>,
    blobs: Blobs,
    snapshot: Option<PathBuf>,
    /// Something may have changed: the snapshot and what is derived are to be made anew.
    changed: Arc<Notify>,
}

impl World {
    /// The world in this directory, read from its snapshot when `keep` is set.
    pub fn open(directory: &Path, keep: bool) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let snapshot = keep.then(|| directory.join(SNAPSHOT));
        let state = match &snapshot {
            Some(path) if path.exists() => serde_json::from_slice(&fs::read(path)?).map_err(io::Error::other)?,
            _ => State::default(),
        };
        let blobs = Blobs::new(directory.join("blobs"))?;
        Ok(Self { state: Mutex::new(state), blobs, snapshot, changed: Arc::default() })
    }

    /// The state, for as long as the guard lives.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Says that something may have changed.
    pub fn touch(&self) {
        self.changed.notify_one();
    }

    /// Waits until something may have changed since the last call.
    pub async fn wait_changed(&self) {
        self.changed.notified().await;
    }

    /// Writes the snapshot, if there is to be one.
    pub fn save(&self) -> io::Result<()> {
        let Some(path) = &self.snapshot else { return Ok(()) };
        let text = serde_json::to_vec(&*self.lock()).map_err(io::Error::other)?;
        let directory = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        io::Write::write_all(&mut file, &text)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::world::Object;

    #[test]
    fn a_world_is_the_same_after_a_restart_only_if_it_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let world = World::open(directory.path(), true).unwrap();
        world.lock().google.insert("run/a", Object::new("run.services", json!({"name": "a"})));
        let key = world.lock().token_key.clone();
        world.save().unwrap();
        drop(world);
        let again = World::open(directory.path(), true).unwrap();
        assert_eq!(again.lock().google.get("run/a").unwrap().text("/name"), "a");
        assert_eq!(again.lock().token_key, key);
        assert!(World::open(directory.path(), false).unwrap().lock().google.get("run/a").is_none());
    }
}
