//! Working directories: each workload that runs has its own copy of its artifact, which it may change.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clouds_contract::{CloudError, ErrorKind};
use domain::id::DeploymentId;
use tokio::sync::Mutex;
use walkdir::WalkDir;

/// Half-made directories start with this.
const TEMPORARY: &str = ".new-";

/// The working directories of an edge.
pub(crate) struct Workdirs {
    directory: PathBuf,
    /// Held while a copy is made, so that the replicas of a server share one.
    copying: Mutex<()>,
}

impl Workdirs {
    /// Working directories below this one. What a killed process left half-made is removed.
    pub fn new(directory: PathBuf) -> Self {
        let workdirs = Self { directory, copying: Mutex::new(()) };
        workdirs.remove_where(|name| name.starts_with(TEMPORARY));
        workdirs
    }

    /// The directory of this deployment: what is there already, with what the workload wrote, or else a new copy of the artifact.
    pub async fn prepare(&self, id: DeploymentId, artifact: PathBuf) -> Result<PathBuf, CloudError> {
        let directory = self.directory.join(id.to_string());
        if directory.is_dir() {
            return Ok(directory);
        }
        let _turn = self.copying.lock().await;
        let target = directory.clone();
        let copied = tokio::task::spawn_blocking(move || copy(&artifact, &target))
            .await
            .map_err(|error| CloudError::internal("the artifact could not be copied", error))?;
        copied.map_err(|error| {
            let message = format!("the artifact could not be copied to where it runs: {error}");
            CloudError::new(ErrorKind::Unavailable, "COPY_FAILED", message).caused_by(error)
        })?;
        Ok(directory)
    }

    /// Removes the directory of this deployment.
    pub async fn remove(&self, id: DeploymentId) {
        let directory = self.directory.join(id.to_string());
        let removed = tokio::task::spawn_blocking(move || fs::remove_dir_all(directory)).await;
        if let Ok(Err(error)) = removed
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%id, %error, "a working directory could not be removed");
        }
    }

    /// Removes the directories of all other deployments.
    pub fn keep_only(&self, wanted: &HashSet<DeploymentId>) {
        self.remove_where(|name| name.parse().is_ok_and(|id: DeploymentId| !wanted.contains(&id)));
    }

    fn remove_where(&self, unwanted: impl Fn(&str) -> bool) {
        let Ok(entries) = fs::read_dir(&self.directory) else { return };
        for entry in entries.flatten() {
            if unwanted(&entry.file_name().to_string_lossy())
                && let Err(error) = fs::remove_dir_all(entry.path())
            {
                tracing::warn!(directory = %entry.path().display(), %error, "a working directory could not be removed");
            }
        }
    }
}

/// Copies a tree under a temporary name and gives it its own at the end. Symbolic links stay as they are.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if to.is_dir() {
        return Ok(());
    }
    let parent = to.parent().ok_or_else(|| io::Error::other("the working directory has no parent"))?;
    fs::create_dir_all(parent)?;
    let temporary = tempfile::Builder::new().prefix(TEMPORARY).tempdir_in(parent)?;
    let root = temporary.path().join("tree");
    for entry in WalkDir::new(from) {
        let entry = entry?;
        let Ok(relative) = entry.path().strip_prefix(from) else { continue };
        let target = if relative.as_os_str().is_empty() { root.clone() } else { root.join(relative) };
        if entry.file_type().is_dir() || entry.depth() == 0 {
            fs::create_dir(target)?;
        } else if entry.file_type().is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, target)?;
        } else if entry.file_type().is_file() {
            fs::copy(entry.path(), target)?;
        }
    }
    fs::rename(root, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_copy_is_its_own_and_kept_until_it_is_not_wanted() {
        let directory = tempfile::tempdir().unwrap();
        let artifact = directory.path().join("artifact");
        fs::create_dir_all(artifact.join("a")).unwrap();
        fs::write(artifact.join("a/b.txt"), "original").unwrap();
        std::os::unix::fs::symlink("b.txt", artifact.join("a/link")).unwrap();
        let run = directory.path().join("run");
        fs::create_dir_all(run.join(".new-x")).unwrap();
        let workdirs = Workdirs::new(run.clone());
        assert!(!run.join(".new-x").exists());

        let id = DeploymentId::new();
        let copy = workdirs.prepare(id, artifact.clone()).await.unwrap();
        assert_eq!(fs::read_link(copy.join("a/link")).unwrap(), Path::new("b.txt"));
        fs::write(copy.join("a/b.txt"), "changed").unwrap();
        workdirs.prepare(id, artifact.clone()).await.unwrap();
        assert_eq!(fs::read_to_string(copy.join("a/b.txt")).unwrap(), "changed");
        assert_eq!(fs::read_to_string(artifact.join("a/b.txt")).unwrap(), "original");
        workdirs.keep_only(&HashSet::from([id]));
        assert!(copy.exists());
        workdirs.keep_only(&HashSet::new());
        assert!(!copy.exists());
        assert_eq!(fs::read_dir(&run).unwrap().count(), 0);
    }
}
