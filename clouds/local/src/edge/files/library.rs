//! The sites this edge serves, each made once for all workloads that show the same files.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use clouds_contract::{CloudError, ErrorKind};
use domain::artifact::Digest;
use tokio::sync::Semaphore;

use super::asset::MemoryBudget;
use super::index::{clean, load_or_build};
use super::site::Site;
use crate::control::SharedControlPlane;

/// Memory limit of all sites together, bytes.
const MEMORY: u64 = 16 << 20;

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

/// All sites and their caches.
pub(crate) struct Library {
    directory: PathBuf,
    control: SharedControlPlane,
    budget: Arc<MemoryBudget>,
    open: Mutex<HashMap<SiteKey, Weak<Site>>>,
    /// Making an index reads and compresses every file: one at a time leaves the machine usable.
    building: Semaphore,
}

impl Library {
    /// A library whose caches are in this directory.
    pub fn new(directory: PathBuf, control: SharedControlPlane) -> Self {
        clean(&directory);
        Self { directory, control, budget: MemoryBudget::new(MEMORY), open: Mutex::default(), building: Semaphore::new(1) }
    }

    /// The site of this key; its index is made when there is none yet.
    pub async fn site(&self, key: &SiteKey) -> Result<Arc<Site>, CloudError> {
        let root = site_root(&self.control.artifact(&key.artifact).await?, &key.root)?;
        let _turn = self.building.acquire().await.map_err(|error| CloudError::internal("the edge is stopping", error))?;
        if let Some(site) = self.lock().get(key).and_then(Weak::upgrade) {
            return Ok(site);
        }
        let (cache, budget, wanted) = (self.cache(&key.artifact, &key.root), Arc::clone(&self.budget), key.clone());
        let build = move || {
            let index = load_or_build(&root, &cache)?;
            Site::new(&index, &root, &cache, budget, |path| wanted.hides(path))
        };
        let site = tokio::task::spawn_blocking(build)
            .await
            .map_err(|error| CloudError::internal("the index of the site's files could not be made", error))?
            .map_err(|error| {
                let message = format!("the site's files cannot be read or indexed: {error}");
                CloudError::new(ErrorKind::Unavailable, "INDEX_FAILED", message).caused_by(error)
            })?;
        let site = Arc::new(site);
        self.lock().insert(key.clone(), Arc::downgrade(&site));
        Ok(site)
    }

    /// Removes the caches of artifacts that are not wanted any more. No site is being opened meanwhile.
    pub async fn keep_only(&self, is_wanted: impl Fn(&Digest) -> bool) {
        let Ok(_turn) = self.building.acquire().await else { return };
        self.lock().retain(|_, site| site.strong_count() > 0);
        let Ok(entries) = std::fs::read_dir(&self.directory) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let digest = name.split('-').next().and_then(|digest| digest.parse::<Digest>().ok());
            if digest.is_some_and(|digest| !is_wanted(&digest)) {
                let _ = tokio::fs::remove_dir_all(entry.path()).await;
            }
        }
    }

    fn cache(&self, artifact: &Digest, root: &str) -> PathBuf {
        use sha2::Digest as _;
        let root = hex::encode(&sha2::Sha256::digest(root.as_bytes())[..6]);
        self.directory.join(format!("{artifact}-{root}"))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<SiteKey, Weak<Site>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
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
