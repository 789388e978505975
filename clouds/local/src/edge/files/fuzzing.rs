//! Entry points of the fuzz targets: a site on disk whose rules change.

use std::io;
use std::path::{Path, PathBuf};

use http::{HeaderMap, StatusCode, Uri};

use super::asset::MemoryBudget;
use super::header_rules::HeaderRules;
use super::index::load_or_build;
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
        let index = load_or_build(root, cache)?;
        Site::new(&index, root, cache, MemoryBudget::new(1 << 20), |_| false).map(Self)
    }

    /// Takes these rules in place of those it had.
    pub fn set_redirects(&mut self, text: &str) {
        (self.0.redirects, self.0.complaints) = Redirects::parse(text);
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
    rules.apply(path, headers);
    complaints.len()
}
