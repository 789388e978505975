//! Directories into which jobs fetch sources.

use std::path::{Path, PathBuf};

use jobs::JobError;

/// The directory of one job that fetches a source, below `builds/`. It is removed at its end; what a killed process left there goes when
/// the next one starts.
pub(super) struct Workspace(PathBuf);

impl Workspace {
    /// An empty directory. What an interrupted job left there is removed first.
    pub async fn create(directory: &Path, name: &str) -> Result<Self, JobError> {
        let path = directory.join("builds").join(name);
        let created = Self::create_at(path).await;
        created.map_err(|error| JobError::Retry(format!("the directory for the source: {error}")))
    }

    async fn create_at(path: PathBuf) -> std::io::Result<Self> {
        match tokio::fs::remove_dir_all(&path).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        tokio::fs::create_dir_all(&path).await?;
        Ok(Self(path))
    }

    /// Returns the directory of the source.
    pub fn source(&self) -> PathBuf {
        self.0.join("source")
    }

    /// Removes it.
    pub async fn remove(self) {
        let path = self.0.clone();
        // Thousands of files: not on the async threads.
        let _ = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(path)).await;
    }
}
