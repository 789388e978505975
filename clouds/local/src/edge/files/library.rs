//! The sites this edge serves, each made once for all workloads that show the same files.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use clouds_contract::{CloudError, ErrorKind};
use domain::artifact::Digest;
use tokio::sync::Semaphore;

use super::asset::MemoryBudget;
use super::compress::{Task, compress};
use super::copies::CopyStore;
use super::index::{Index, TEMPORARY};
use super::site::Site;
use crate::control::SharedControlPlane;

/// Memory limit of all sites together, bytes.
const MEMORY: u64 = 16 << 20;

/// Limit of the disk space of the compressed copies of all sites together, bytes.
const DISK: u64 = 4 << 30;

/// Names the files of a site.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SiteKey {
    /// The artifact.
    pub artifact: Digest,
    /// Directory of the files within it.
    pub root: String,
    /// Paths relative to the root that are not served: source files of functions.
    pub hidden: Vec<String>,
}

impl SiteKey {
    fn hides(&self, path: &str) -> bool {
        self.hidden
            .iter()
            .any(|hidden| hidden == path || path.strip_prefix(hidden.as_str()).is_some_and(|rest| rest.starts_with('/')))
    }
}

/// All sites, their indexes, and the compressed copies of their files.
pub(crate) struct Library {
    indexes: PathBuf,
    copies: Arc<CopyStore>,
    control: SharedControlPlane,
    budget: Arc<MemoryBudget>,
    open: Mutex<HashMap<SiteKey, Weak<Site>>>,
    /// Making an index reads every file: one at a time leaves the machine usable.
    building: Semaphore,
    /// One site at a time is compressed, on all cores.
    compressing: Arc<Semaphore>,
}

impl Library {
    /// A library that keeps what it makes in this directory.
    pub fn new(directory: &Path, control: SharedControlPlane) -> Self {
        let indexes = directory.join("static");
        clean(&indexes);
        Self {
            indexes,
            copies: Arc::new(CopyStore::new(directory.join("copies"), DISK)),
            control,
            budget: MemoryBudget::new(MEMORY),
            open: Mutex::default(),
            building: Semaphore::new(1),
            compressing: Arc::new(Semaphore::new(1)),
        }
    }

    /// The site of this key; its index is made when there is none yet. What is not compressed yet is from now on, and served as it is
    /// until then.
    pub async fn site(&self, key: &SiteKey) -> Result<Arc<Site>, CloudError> {
        let root = site_root(&self.control.artifact(&key.artifact).await?, &key.root)?;
        let _turn = self.building.acquire().await.map_err(|error| CloudError::internal("the edge is stopping", error))?;
        if let Some(site) = self.lock().get(key).and_then(Weak::upgrade) {
            return Ok(site);
        }
        let (file, copies, budget) = (self.index(&key.artifact, &key.root), Arc::clone(&self.copies), Arc::clone(&self.budget));
        let wanted = key.clone();
        let build = move || {
            let index = Index::load_or_build(&root, &file)?;
            Site::new(&index, &root, &copies, budget, |path| wanted.hides(path))
        };
        let (site, tasks) = tokio::task::spawn_blocking(build)
            .await
            .map_err(|error| CloudError::internal("the index of the site's files could not be made", error))?
            .map_err(|error| {
                let message = format!("the site's files cannot be read or indexed: {error}");
                CloudError::new(ErrorKind::Unavailable, "INDEX_FAILED", message).caused_by(error)
            })?;
        let site = Arc::new(site);
        self.lock().insert(key.clone(), Arc::downgrade(&site));
        if !tasks.is_empty() {
            self.compress(&site, tasks);
        }
        Ok(site)
    }

    /// Compresses in a task of its own, once it is this site's turn.
    fn compress(&self, site: &Arc<Site>, tasks: Vec<Task>) {
        let (turns, copies) = (Arc::clone(&self.compressing), Arc::clone(&self.copies));
        let (site, progress) = (Arc::downgrade(site), site.progress().clone());
        progress.send_modify(|progress| progress.waits = turns.available_permits() == 0);
        tokio::spawn(async move {
            let Ok(_turn) = turns.acquire_owned().await else { return };
            let done = tokio::task::spawn_blocking(move || compress(&site, &tasks, &copies, &progress)).await;
            if let Err(error) = done {
                tracing::error!(%error, "the compression of a site's files ended early");
            }
        });
    }

    /// Removes what is kept of artifacts that are not wanted any more. No site is being opened meanwhile.
    pub async fn keep_only(&self, is_wanted: impl Fn(&Digest) -> bool) {
        let Ok(_turn) = self.building.acquire().await else { return };
        self.lock().retain(|_, site| site.strong_count() > 0);
        let Ok(entries) = std::fs::read_dir(&self.indexes) else { return };
        let (mut left, mut removed) = (Vec::new(), false);
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let digest = name.split('-').next().and_then(|digest| digest.parse::<Digest>().ok());
            if digest.is_some_and(|digest| !is_wanted(&digest)) {
                let _ = tokio::fs::remove_file(entry.path()).await;
                removed = true;
            } else {
                left.push(entry.path());
            }
        }
        let copies = Arc::clone(&self.copies);
        if removed || !copies.is_counted() {
            let collect =
                move || copies.keep_only(&left.iter().filter_map(|file| Index::load(file)).flat_map(Index::hashes).collect());
            if let Err(error) = tokio::task::spawn_blocking(collect).await {
                tracing::error!(%error, "compressed copies that nobody needs are not removed");
            }
        }
    }

    fn index(&self, artifact: &Digest, root: &str) -> PathBuf {
        use sha2::Digest as _;
        let root = hex::encode(&sha2::Sha256::digest(root.as_bytes())[..6]);
        self.indexes.join(format!("{artifact}-{root}.json"))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<SiteKey, Weak<Site>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes what a killed process left half-made, and the directories in which earlier versions kept an index with copies.
fn clean(indexes: &Path) {
    for entry in std::fs::read_dir(indexes).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let _ = std::fs::remove_dir_all(entry.path());
        } else if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// The directory of the site within its artifact. It must be there and must not lead out.
fn site_root(artifact: &Path, root: &str) -> Result<PathBuf, CloudError> {
    let missing = || {
        let message = format!("the artifact has no directory `{root}`: check `output` under [build]");
        CloudError::new(ErrorKind::Invalid, "ROOT_MISSING", message)
    };
    let artifact = artifact.canonicalize().map_err(|error| {
        CloudError::new(ErrorKind::Unavailable, "ARTIFACT_MISSING", "the artifact's files are not on this machine")
            .caused_by(error)
    })?;
    let directory = artifact.join(root.trim_start_matches('/')).canonicalize().map_err(|_| missing())?;
    (directory.starts_with(&artifact) && directory.is_dir()).then_some(directory).ok_or_else(missing)
}
