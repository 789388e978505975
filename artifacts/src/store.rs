//! The directory that holds the artifacts of one machine: `<first two digits>/<digest>`, and `tmp` for what is not whole yet.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use domain::artifact::Digest;
use tempfile::TempDir;

use crate::listing::{Item, Kind, Listing, content, list};
use crate::{ArtifactError, ArtifactLimits, KeptArtifact};

const TEMPORARY: &str = "tmp";

/// Puts a listed directory together aside, as `tree` in what it returns.
type BringIn = fn(&ArtifactStore, &Path, &[Item]) -> Result<TempDir, ArtifactError>;

/// Result of storing an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The digest of its content.
    pub digest: Digest,
    /// All files together, bytes.
    pub bytes: u64,
    /// Number of files and links.
    pub files: u64,
}

/// A directory that was looked through and can be stored: its digest is known before anything is kept of it.
#[derive(Debug)]
pub struct Prepared {
    directory: PathBuf,
    items: Vec<Item>,
    stored: Stored,
}

impl Prepared {
    /// Looks through a directory.
    pub async fn of(directory: &Path, limits: &ArtifactLimits) -> Result<Self, ArtifactError> {
        let (directory, limits) = (directory.to_owned(), *limits);
        blocking(move || {
            let items = list(&directory, &limits)?;
            let stored = hash_all(&directory, &items)?;
            Ok(Self { directory, items, stored })
        })
        .await
    }

    /// Returns the result that storing it will have.
    pub fn stored(&self) -> &Stored {
        &self.stored
    }
}

/// The artifacts of one machine. Cheap to clone. One process uses a directory at a time.
#[derive(Debug, Clone)]
pub struct ArtifactStore {
    root: PathBuf,
}

impl ArtifactStore {
    /// Opens the store in this directory, which is made when it is not there. What an earlier process left half-written is removed.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, ArtifactError> {
        let store = Self { root: root.into() };
        let temporary = store.root.join(TEMPORARY);
        match fs::remove_dir_all(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => fs::create_dir_all(&temporary)?,
        }
        Ok(store)
    }

    /// Stores a copy of a directory. What is stored already is not stored again.
    pub async fn put(&self, directory: &Path, limits: &ArtifactLimits) -> Result<Stored, ArtifactError> {
        let prepared = Prepared::of(directory, limits).await?;
        self.store(prepared, Self::copy_in).await
    }

    /// Stores a directory and moves it in where the file system can; nobody may use the directory afterwards.
    pub async fn take(&self, prepared: Prepared) -> Result<Stored, ArtifactError> {
        self.store(prepared, Self::move_in).await
    }

    /// Returns the directory of an artifact's files.
    pub fn path(&self, digest: &Digest) -> Option<PathBuf> {
        Some(self.place(digest)).filter(|place| place.is_dir())
    }

    /// Returns true if an artifact exists and every file of it is as it was stored.
    pub async fn verify(&self, digest: &Digest) -> Result<bool, ArtifactError> {
        let Some(place) = self.path(digest) else { return Ok(false) };
        let digest = digest.clone();
        let unlimited = ArtifactLimits { bytes: u64::MAX, files: u64::MAX };
        blocking(move || {
            let found = list(&place, &unlimited).and_then(|items| Ok(hash_all(&place, &items)?.digest == digest));
            match found {
                Err(ArtifactError::Empty | ArtifactError::Link(_) | ArtifactError::Unreadable { .. }) => Ok(false),
                found => found,
            }
        })
        .await
    }

    /// Removes an artifact. Removing what is not there is no error.
    pub async fn remove(&self, digest: &Digest) -> Result<(), ArtifactError> {
        let aside = self.set_aside(digest).await?;
        blocking(move || Ok(aside.close()?)).await
    }

    /// Removes an artifact at once, and not file by file: its files go when what is returned is dropped.
    pub(crate) async fn set_aside(&self, digest: &Digest) -> Result<TempDir, ArtifactError> {
        let (place, store) = (self.place(digest), self.clone());
        blocking(move || {
            let aside = store.aside()?;
            match fs::rename(&place, aside.path().join("removed")) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
                _ => Ok(aside),
            }
        })
        .await
    }

    /// Brings what was prepared into the form of an artifact, as `tree` in what is returned, without keeping it.
    pub(crate) async fn take_aside(&self, prepared: Prepared) -> Result<(Stored, TempDir), ArtifactError> {
        let store = self.clone();
        blocking(move || Ok((prepared.stored, store.move_in(&prepared.directory, &prepared.items)?))).await
    }

    /// Every artifact with the time at which it was put there.
    pub(crate) async fn list_with_age(&self) -> Result<Vec<KeptArtifact>, ArtifactError> {
        let digests = self.list().await?;
        let store = self.clone();
        blocking(move || {
            let kept = digests.into_iter().filter_map(|digest| {
                // Renaming changes this time, and nothing later does.
                let seconds = u64::try_from(fs::metadata(store.place(&digest)).ok()?.ctime()).ok()?;
                let changed_at = UNIX_EPOCH + Duration::from_secs(seconds);
                Some(KeptArtifact { digest, object_id: None, changed_at })
            });
            Ok(kept.collect())
        })
        .await
    }

    /// Every artifact, sorted.
    pub async fn list(&self) -> Result<Vec<Digest>, ArtifactError> {
        let root = self.root.clone();
        blocking(move || {
            let mut digests = Vec::new();
            for group in fs::read_dir(&root)? {
                let group = group?;
                if group.file_name().len() == 2 && group.file_type()?.is_dir() {
                    let names = fs::read_dir(group.path())?.map(|entry| Ok(entry?.file_name()));
                    let names = names.collect::<io::Result<Vec<_>>>()?;
                    digests.extend(names.iter().filter_map(|name| name.to_str()?.parse::<Digest>().ok()));
                }
            }
            digests.sort();
            Ok(digests)
        })
        .await
    }

    async fn store(&self, prepared: Prepared, bring_in: BringIn) -> Result<Stored, ArtifactError> {
        let store = self.clone();
        blocking(move || {
            let Prepared { directory, items, stored } = prepared;
            let place = store.place(&stored.digest);
            if !place.is_dir() {
                let aside = bring_in(&store, &directory, &items)?;
                publish(&aside.path().join("tree"), &place)?;
            }
            Ok(stored)
        })
        .await
    }

    fn copy_in(&self, directory: &Path, items: &[Item]) -> Result<TempDir, ArtifactError> {
        let aside = self.aside()?;
        let tree = aside.path().join("tree");
        fs::create_dir(&tree)?;
        items.iter().try_for_each(|item| copy(directory, &tree, item))?;
        Ok(aside)
    }

    fn move_in(&self, directory: &Path, items: &[Item]) -> Result<TempDir, ArtifactError> {
        let aside = self.aside()?;
        let tree = aside.path().join("tree");
        match fs::rename(directory, &tree) {
            Ok(()) => {
                items.iter().try_for_each(|item| settle(&tree, item))?;
                Ok(aside)
            }
            // Another file system.
            Err(_) => self.copy_in(directory, items),
        }
    }

    pub(crate) fn aside(&self) -> io::Result<TempDir> {
        TempDir::new_in(self.root.join(TEMPORARY))
    }

    fn place(&self, digest: &Digest) -> PathBuf {
        self.root.join(&digest.as_str()[..2]).join(digest.as_str())
    }
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ArtifactError> + Send + 'static,
) -> Result<T, ArtifactError> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::from)?
}

fn hash_all(directory: &Path, items: &[Item]) -> Result<Stored, ArtifactError> {
    let mut listing = Listing::new();
    let (mut bytes, mut files) = (0, 0);
    for item in items {
        let (hash, length) = content(directory, item)?;
        listing.add(item, &hash);
        bytes += length;
        files += u64::from(!matches!(item.kind, Kind::Directory));
    }
    Ok(Stored { digest: listing.digest(), bytes, files })
}

fn copy(directory: &Path, tree: &Path, item: &Item) -> Result<(), ArtifactError> {
    let (from, to) = (directory.join(&item.path), tree.join(&item.path));
    match &item.kind {
        Kind::Directory => fs::create_dir(to)?,
        Kind::Link { target } => symlink(target, to)?,
        Kind::File { executable, .. } => {
            let mut source = File::open(from).map_err(|error| ArtifactError::unreadable(&item.path, &error))?;
            let mut copy = OpenOptions::new().write(true).create_new(true).mode(mode(*executable)).open(to)?;
            io::copy(&mut source, &mut copy)?;
        }
    }
    Ok(())
}

/// Brings what was moved in into the form in which copies are: permissions, and a file of its own where the build had a hard
/// link, such as into a package manager's cache, through which the artifact could change later.
fn settle(tree: &Path, item: &Item) -> Result<(), ArtifactError> {
    let path = tree.join(&item.path);
    match &item.kind {
        Kind::Link { .. } => {}
        Kind::Directory => fs::set_permissions(path, Permissions::from_mode(0o755))?,
        Kind::File { executable, shared, .. } => {
            if *shared {
                let mut own = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(tree))?;
                io::copy(&mut File::open(&path)?, own.as_file_mut())?;
                own.persist(&path).map_err(|error| error.error)?;
            }
            fs::set_permissions(path, Permissions::from_mode(mode(*executable)))?;
        }
    }
    Ok(())
}

fn mode(executable: bool) -> u32 {
    if executable { 0o755 } else { 0o644 }
}

fn publish(tree: &Path, place: &Path) -> io::Result<()> {
    if let Some(group) = place.parent() {
        fs::create_dir_all(group)?;
    }
    match fs::rename(tree, place) {
        // Somebody else stored the same in the meantime.
        Err(_) if place.is_dir() => Ok(()),
        renamed => renamed,
    }
}
