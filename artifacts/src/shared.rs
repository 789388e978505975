//! The artifacts as the whole installation sees them: on one machine in a directory, else in an object store with a cache on each machine.

use std::path::{Path, PathBuf};

use domain::artifact::Digest;

use crate::archive::{pack, unpack};
use crate::objects::{ObjectError, Objects};
use crate::store::blocking;
use crate::{ArtifactError, ArtifactLimits, ArtifactStore, Prepared, Stored};

/// The most that is unpacked of one artifact, bytes: what a build may leave is limited long before.
const UNPACKED: u64 = 64 << 30;

/// Every artifact of the installation. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Artifacts {
    /// On one machine the artifacts themselves, else those that this machine uses.
    here: ArtifactStore,
    shared: Option<Objects>,
}

impl Artifacts {
    /// Kept on this machine, by this process alone.
    pub fn on_one_machine(store: ArtifactStore) -> Self {
        Self { here: store, shared: None }
    }

    /// Kept in an object store; the directory holds what this machine uses of them.
    pub fn shared(cache: ArtifactStore, objects: Objects) -> Self {
        Self { here: cache, shared: Some(objects) }
    }

    /// Keeps what was prepared; nobody may use its directory afterwards. Record the digest first: what nobody refers to may be removed
    /// at any moment.
    pub async fn keep(&self, prepared: Prepared) -> Result<Stored, ArtifactError> {
        let stored = self.here.take(prepared).await?;
        if let Some(objects) = &self.shared {
            let name = name(&stored.digest);
            if !objects.exists(&name).await? {
                self.send(objects, &stored.digest, &name).await?;
            }
        }
        Ok(stored)
    }

    async fn send(&self, objects: &Objects, digest: &Digest, name: &str) -> Result<(), ArtifactError> {
        let tree = self.here.path(digest).ok_or(ArtifactError::Gone)?;
        let aside = self.here.aside()?;
        let archive = aside.path().join("archive");
        let packed = archive.clone();
        blocking(move || Ok(pack(&tree, &packed)?)).await?;
        Ok(objects.put(name, &archive).await?)
    }

    /// A directory on this machine that holds the artifact's files; fetched, and checked against the digest, when it is elsewhere.
    pub async fn fetch(&self, digest: &Digest) -> Result<PathBuf, ArtifactError> {
        if let Some(place) = self.here.path(digest) {
            return Ok(place);
        }
        let Some(objects) = &self.shared else { return Err(ArtifactError::Gone) };
        let aside = self.here.aside()?;
        let (archive, tree) = (aside.path().join("archive"), aside.path().join("tree"));
        match objects.get(&name(digest), &archive).await {
            Err(ObjectError::Missing) => return Err(ArtifactError::Gone),
            fetched => fetched?,
        }
        let unpacked = tree.clone();
        let whole = blocking(move || {
            std::fs::create_dir(&unpacked)?;
            Ok(unpack(&archive, &unpacked, UNPACKED).is_ok())
        });
        if !whole.await? {
            return Err(ArtifactError::Damaged);
        }
        self.adopt(digest, &tree).await
    }

    /// Takes a fetched tree if it is what was asked for.
    async fn adopt(&self, digest: &Digest, tree: &Path) -> Result<PathBuf, ArtifactError> {
        let unlimited = ArtifactLimits { bytes: u64::MAX, files: u64::MAX };
        let prepared = Prepared::of(tree, &unlimited).await.map_err(|error| match error {
            ArtifactError::Io(error) => ArtifactError::Io(error),
            _ => ArtifactError::Damaged,
        })?;
        if prepared.stored().digest != *digest {
            return Err(ArtifactError::Damaged);
        }
        self.here.take(prepared).await?;
        self.here.path(digest).ok_or(ArtifactError::Gone)
    }

    /// Whether the artifact is there.
    pub async fn is_there(&self, digest: &Digest) -> Result<bool, ArtifactError> {
        match &self.shared {
            _ if self.here.path(digest).is_some() => Ok(true),
            None => Ok(false),
            Some(objects) => Ok(objects.exists(&name(digest)).await?),
        }
    }

    /// Removes an artifact everywhere but from the caches of other machines. Removing what is not there is no error.
    pub async fn remove(&self, digest: &Digest) -> Result<(), ArtifactError> {
        if let Some(objects) = &self.shared {
            objects.remove(&name(digest)).await?;
        }
        self.here.remove(digest).await
    }

    /// Removes from this machine what it does not use, where the artifacts themselves are elsewhere.
    pub async fn forget_unused(&self, is_used: impl Fn(&Digest) -> bool) -> Result<(), ArtifactError> {
        if self.shared.is_some() {
            for digest in self.here.list().await?.iter().filter(|digest| !is_used(digest)) {
                self.here.remove(digest).await?;
            }
        }
        Ok(())
    }
}

fn name(digest: &Digest) -> String {
    format!("artifacts/{}/{digest}.tar.gz", &digest.as_str()[..2])
}
