//! Uploads under way.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Uploads under way, by id. They are not in snapshots: a restarted registry forgets them, as clients have to expect.
#[derive(Debug, Default)]
pub(crate) struct Uploads {
    parts: Mutex<HashMap<String, Vec<u8>>>,
}

impl Uploads {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<u8>>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an upload and returns its id.
    pub fn begin(&self) -> String {
        let id = uuid::Uuid::new_v4().to_string();
        self.lock().insert(id.clone(), Vec::new());
        id
    }

    /// Adds bytes and returns how many there are; `None` if there is no such upload.
    pub fn add(&self, id: &str, bytes: &[u8]) -> Option<usize> {
        let mut parts = self.lock();
        let content = parts.get_mut(id)?;
        content.extend_from_slice(bytes);
        Some(content.len())
    }

    /// Ends an upload and returns its bytes.
    pub fn take(&self, id: &str) -> Option<Vec<u8>> {
        self.lock().remove(id)
    }
}
