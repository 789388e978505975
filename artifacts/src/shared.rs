//! The artifacts as the whole installation sees them: on one machine in a directory, else in an object store with a cache on each machine.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use domain::artifact::Digest;
use domain::id::ObjectId;
use tempfile::TempDir;

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

    /// Keeps what was prepared, in this object where there is an object store; nobody may use the prepared directory afterwards. Record
    /// digest and object first: what nobody refers to may be removed at any moment.
    pub async fn keep(&self, prepared: Prepared, object: Option<ObjectId>) -> Result<Stored, ArtifactError> {
        let Some(objects) = &self.shared else { return self.here.take(prepared).await };
        let name = name(&prepared.stored().digest, object);
        if objects.exists(&name).await? {
            return Ok(prepared.stored().clone());
        }
        // Not by way of what this machine keeps, from which another may remove it.
        let (stored, aside) = self.here.take_aside(prepared).await?;
        let (tree, archive) = (aside.path().join("tree"), aside.path().join("archive"));
        let packed = archive.clone();
        blocking(move || Ok(pack(&tree, &packed)?)).await?;
        objects.put(&name, &archive).await?;
        Ok(stored)
    }

    /// A directory on this machine that holds the artifact's files; fetched, and checked against the digest, when it is elsewhere.
    pub async fn fetch(&self, digest: &Digest) -> Result<PathBuf, ArtifactError> {
        if let Some(place) = self.here.path(digest) {
            return Ok(place);
        }
        let Some(objects) = &self.shared else { return Err(ArtifactError::Gone) };
        let mut reason = ArtifactError::Gone;
        for name in names(objects, digest).await? {
            match self.fetch_object(objects, &name, digest).await {
                Ok(place) => return Ok(place),
                // Another object may hold the same.
                Err(error @ (ArtifactError::Damaged | ArtifactError::Gone)) => reason = error,
                Err(error) => return Err(error),
            }
        }
        Err(reason)
    }

    async fn fetch_object(&self, objects: &Objects, name: &str, digest: &Digest) -> Result<PathBuf, ArtifactError> {
        let aside = self.here.aside()?;
        let (archive, tree) = (aside.path().join("archive"), aside.path().join("tree"));
        match objects.get(name, &archive).await {
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

    /// Returns true if the artifact exists.
    pub async fn is_there(&self, digest: &Digest) -> Result<bool, ArtifactError> {
        match &self.shared {
            _ if self.here.path(digest).is_some() => Ok(true),
            None => Ok(false),
            Some(objects) => Ok(!names(objects, digest).await?.is_empty()),
        }
    }

    /// Returns true if a removal needs the database's lock against concurrent storing of the same content: that is so where no
    /// objects of different names can hold it.
    pub fn removes_by_digest(&self) -> bool {
        self.shared.is_none()
    }

    /// Removes an artifact: from this machine, or the object that holds it. What other machines fetched of it, they forget themselves.
    /// Removing what is not there is no error. The files go once what is returned is dropped.
    pub async fn remove(&self, digest: &Digest, object: Option<ObjectId>) -> Result<Option<TempDir>, ArtifactError> {
        match &self.shared {
            Some(objects) => {
                objects.remove(&name(digest, object)).await?;
                Ok(None)
            }
            None => self.here.set_aside(digest).await.map(Some),
        }
    }

    /// Everything that is kept, whether anything refers to it or not.
    pub async fn list(&self) -> Result<Vec<KeptArtifact>, ArtifactError> {
        let Some(objects) = &self.shared else { return self.here.list_with_age().await };
        let found = objects.list(FOLDER).await?;
        Ok(found.into_iter().filter_map(|(name, changed_at)| KeptArtifact::named(&name, changed_at)).collect())
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

/// An artifact as it is found where artifacts are kept.
#[derive(Debug, Clone)]
pub struct KeptArtifact {
    /// Its digest.
    pub digest: Digest,
    /// The object that holds it; `None` for one that is named by its digest alone.
    pub object_id: Option<ObjectId>,
    /// Time at which it was stored.
    pub changed_at: SystemTime,
}

impl KeptArtifact {
    fn named(name: &str, changed_at: SystemTime) -> Option<Self> {
        let mut parts = name.strip_suffix(".tar.gz")?.split('/').skip(2);
        let digest = parts.next()?.parse().ok()?;
        let object_id = parts.next().map(str::parse).transpose().ok()?;
        Some(Self { digest, object_id, changed_at })
    }
}

const FOLDER: &str = "artifacts";

fn name(digest: &Digest, object: Option<ObjectId>) -> String {
    let group = &digest.as_str()[..2];
    match object {
        None => format!("{FOLDER}/{group}/{digest}.tar.gz"),
        Some(object) => format!("{FOLDER}/{group}/{digest}/{object}.tar.gz"),
    }
}

/// The objects that hold an artifact.
async fn names(objects: &Objects, digest: &Digest) -> Result<Vec<String>, ObjectError> {
    let first = name(digest, None);
    if objects.exists(&first).await? {
        return Ok(vec![first]);
    }
    let found = objects.list(&format!("{FOLDER}/{}/{digest}", &digest.as_str()[..2])).await?;
    Ok(found.into_iter().map(|(name, _)| name).collect())
}
