//! A static site as a workload.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use clouds_contract::ErrorKind;
use tokio::time::{Instant, timeout};

use super::files::{Progress, Site, SiteKey};
use super::page::Page;
use super::shared::Place;

/// Time for which a release waits until the site's files are compressed. After it, what is not is served as it is.
const COMPRESSION_PATIENCE: Duration = Duration::from_secs(20);

/// A static site as a workload: opened when it is first needed, closed when nobody asked for long.
pub(crate) struct StaticRuntime {
    place: Arc<Place>,
    key: SiteKey,
    open: RwLock<Option<Arc<Site>>>,
    used: Mutex<Instant>,
}

/// Reason for which a site cannot be opened.
pub(crate) struct OpenError {
    /// Indicates that a retry can succeed.
    pub is_retryable: bool,
    pub code: &'static str,
    pub message: String,
}

impl StaticRuntime {
    /// The site of this place.
    pub fn new(place: Arc<Place>, root: &str, hidden: Vec<String>) -> Self {
        let key = SiteKey { artifact: place.desired.artifact.clone(), root: root.to_owned(), hidden };
        Self { place, key, open: RwLock::default(), used: Mutex::new(Instant::now()) }
    }

    /// The site, when it is open.
    pub fn opened(&self) -> Option<Arc<Site>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The site, opened if need be.
    pub async fn site(&self) -> Result<Arc<Site>, OpenError> {
        if let Some(site) = self.opened() {
            return Ok(site);
        }
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let site = self.place.shared.library.site(&self.key).await.map_err(|error| OpenError {
            is_retryable: !matches!(error.kind, ErrorKind::Invalid | ErrorKind::NotFound),
            code: error.code,
            message: error.message,
        })?;
        *self.open.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&site));
        Ok(site)
    }

    /// As [`Self::site`], the reason as a page.
    pub async fn site_or_page(&self) -> Result<Arc<Site>, Page> {
        self.site().await.map_err(|error| Page::unavailable(error.message, 5))
    }

    /// Lets go of a site that no route shows and that was opened long ago; it is opened again when somebody asks.
    pub fn rest(&self) {
        let used = *self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.elapsed() > self.place.shared.config.idle_after {
            *self.open.write().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// Opens the site, and waits a while for its files to be compressed. The log says how many are, and how far that came.
    pub async fn prepare(&self) -> Result<Arc<Site>, OpenError> {
        let site = self.site().await?;
        let mut progress = site.progress().subscribe();
        let Progress { files, tasks, waits, .. } = progress.borrow_and_update().clone();
        if tasks == 0 {
            return Ok(site);
        }
        let logs = &self.place.logs;
        logs.system(format!("Compressing {tasks} of {files} files"));
        let patience = if waits { Duration::ZERO } else { COMPRESSION_PATIENCE };
        let ended = timeout(patience, progress.wait_for(Progress::is_over)).await;
        let Progress { done, problem, .. } = site.progress().borrow().clone();
        match (problem, ended) {
            (Some(problem), _) => logs.system(format!("{} files stay uncompressed: {problem}", tasks - done)),
            (None, Ok(_)) => {}
            (None, Err(_)) => logs.system(format!("{done} are compressed, the others will be while the site is served")),
        }
        // Said before it is live, not after.
        logs.flush(Duration::from_secs(1)).await;
        Ok(site)
    }

    /// Opens the site and observes how that went.
    pub async fn check(&self) {
        match self.prepare().await {
            Ok(_) => self.place.ready(),
            Err(error) if error.is_retryable => self.place.status.pending(error.message),
            Err(error) => self.place.status.failed(error.code, error.message),
        }
    }
}
