//! Entry points of the fuzz targets: a site on disk whose rules change.

use std::io;
use std::path::{Path, PathBuf};

use http::{HeaderMap, StatusCode, Uri};

use super::asset::MemoryBudget;
use super::copies::CopyStore;
use super::header_rules::HeaderRules;
use super::index::Index;
use super::redirects::Redirects;
use super::site::{Answer, Site};

/// A site whose rules can be set anew.
#[derive(Debug)]
pub struct RuledSite(Site);

/// Response to a request.
#[derive(Debug)]
pub enum Outcome {
    /// This file.
    File(PathBuf),
    /// The browser is sent there.
    Redirect(StatusCode, String),
    /// An error.
    Nothing(StatusCode),
}

impl RuledSite {
    /// The site of the files under `root`, with a cache beside it.
    pub fn new(root: &Path, cache: &Path) -> io::Result<Self> {
        let index = Index::load_or_build(root, &cache.join("index.json"))?;
        let store = CopyStore::new(cache.join("copies"), 1 << 20);
        let (site, _) = Site::new(&index, root, &store, MemoryBudget::new(1 << 20), |_| false)?;
        Ok(Self(site))
    }

    /// Takes these rules in place of those it had.
    pub fn set_redirects(&mut self, text: &str) {
        (self.0.rules.redirects, self.0.rules.complaints) = Redirects::parse(text);
    }

    /// Response to a request.
    pub fn answer(&self, uri: &Uri) -> Outcome {
        match self.0.answer(uri, &HeaderMap::new()) {
            Answer::File { asset, .. } => Outcome::File(asset.identity.file.clone()),
            Answer::Redirect { status, location } => Outcome::Redirect(status, location),
            Answer::Nothing(status) => Outcome::Nothing(status),
        }
    }
}

/// Changes the headers of an answer by the rules of a `_headers` file; answers how many lines were no rules.
pub fn apply_headers(rules: &str, path: &str, headers: &mut HeaderMap) -> usize {
    let (rules, complaints) = HeaderRules::parse(rules);
    rules.apply(path, None, headers);
    complaints.len()
}
