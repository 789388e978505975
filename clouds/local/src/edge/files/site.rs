//! A site: which file answers which request.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, StatusCode, Uri};

use super::asset::{Asset, MemoryBudget, Variant};
use super::content::{content_type, is_immutable};
use super::header_rules::HeaderRules;
use super::index::{FileRecord, Index, variant_file};
use super::path::decode;
use super::redirects::{MAX_RULES_BYTES, Redirects};

/// Files at the root that steer the site and are never served.
const CONTROL_FILES: [&str; 3] = ["_redirects", "_headers", "mikrocloud.toml"];

/// A site that can be served.
#[derive(Debug)]
pub(crate) struct Site {
    names: HashMap<Box<str>, Found>,
    pub(super) redirects: Redirects,
    pub(super) headers: HeaderRules,
    pub(super) budget: Arc<MemoryBudget>,
    /// Lines of `_redirects` and `_headers` that are no rules, for the site's owner.
    pub complaints: Vec<String>,
}

/// Target of a name. Names are request paths without their leading slash.
#[derive(Debug)]
enum Found {
    File(Arc<Asset>),
    /// A directory that was named without its slash.
    Directory,
    /// A page that was named as if it were a directory.
    Page,
}

/// Response to a request.
#[derive(Debug)]
pub(crate) enum Answer<'a> {
    File { asset: &'a Asset, status: StatusCode },
    Redirect { status: StatusCode, location: String },
    Nothing(StatusCode),
}

impl Site {
    /// The site whose files are under `root`, compressed copies under `cache`. Paths for which `hidden` holds are not served.
    pub fn new(
        index: &Index,
        root: &Path,
        cache: &Path,
        budget: Arc<MemoryBudget>,
        hidden: impl Fn(&str) -> bool,
    ) -> io::Result<Self> {
        let root = root.canonicalize()?;
        let mut names = HashMap::with_capacity(index.files.len() * 2);
        for (number, file) in index.files.iter().enumerate() {
            if CONTROL_FILES.contains(&file.path.as_str()) || hidden(&file.path) {
                continue;
            }
            names.insert(file.path.as_str().into(), Found::File(Arc::new(asset(file, number, &root, cache)?)));
        }
        add_directories(&mut names);
        add_clean_names(&mut names);
        let (redirects, mut complaints) = Redirects::parse(&rules_file(&root, "_redirects"));
        let (headers, more) = HeaderRules::parse(&rules_file(&root, "_headers"));
        complaints.extend(more);
        Ok(Self { names, redirects, headers, budget, complaints })
    }

    /// Returns the response to this request.
    pub fn answer(&self, uri: &Uri, headers: &HeaderMap) -> Answer<'_> {
        let raw = uri.path();
        let Some(name) = decode(raw) else { return Answer::Nothing(StatusCode::BAD_REQUEST) };
        let found = self.names.get(name.as_ref());
        if (found.is_none() || self.redirects.has_forced)
            && let Some(answer) = self.redirected(&name, uri.query(), found.is_some())
        {
            return answer;
        }
        match found {
            Some(Found::File(asset)) => Answer::File { asset, status: StatusCode::OK },
            Some(Found::Directory) => moved(&format!("{raw}/"), uri.query()),
            Some(Found::Page) => moved(raw.trim_end_matches('/'), uri.query()),
            None => self.fallback(&name, headers),
        }
    }

    fn redirected(&self, name: &str, query: Option<&str>, exists: bool) -> Option<Answer<'_>> {
        let (rule, captures) = self.redirects.find(&format!("/{name}"))?;
        if exists && !rule.forced {
            return None;
        }
        if rule.status.is_redirection() {
            return Some(Answer::Redirect { status: rule.status, location: rule.location(&captures, query) });
        }
        let target = rule.target(&captures);
        let asset = self.file(&target).or_else(|| (!rule.status.is_success()).then(|| self.not_found_page(name)).flatten());
        let missing = if rule.status.is_success() { StatusCode::NOT_FOUND } else { rule.status };
        Some(asset.map_or(Answer::Nothing(missing), |asset| Answer::File { asset, status: rule.status }))
    }

    /// The file for a path with its leading slash, with or without the slash of a directory.
    fn file(&self, path: &str) -> Option<&Asset> {
        let name = path.trim_start_matches('/');
        let candidates = [name.to_owned(), format!("{name}/"), name.trim_end_matches('/').to_owned()];
        candidates.iter().find_map(|name| self.exact(name))
    }

    fn exact(&self, name: &str) -> Option<&Asset> {
        match self.names.get(name)? {
            Found::File(asset) => Some(asset),
            Found::Directory | Found::Page => None,
        }
    }

    fn fallback(&self, name: &str, headers: &HeaderMap) -> Answer<'_> {
        if let Some(asset) = self.not_found_page(name) {
            return Answer::File { asset, status: StatusCode::NOT_FOUND };
        }
        let last = name.rsplit('/').next().unwrap_or(name);
        let app = self.exact("index.html").filter(|_| !self.names.contains_key("404.html") && !last.contains('.'));
        match app.filter(|_| accepts_html(headers)) {
            Some(asset) => Answer::File { asset, status: StatusCode::OK },
            None => Answer::Nothing(StatusCode::NOT_FOUND),
        }
    }

    /// The `404.html` of the nearest directory above.
    fn not_found_page(&self, name: &str) -> Option<&Asset> {
        let mut directory = name;
        while let Some((parent, _)) = directory.rsplit_once('/') {
            if let Some(asset) = self.exact(&format!("{parent}/404.html")) {
                return Some(asset);
            }
            directory = parent;
        }
        self.exact("404.html")
    }
}

fn moved(path: &str, query: Option<&str>) -> Answer<'static> {
    let location = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    Answer::Redirect { status: StatusCode::PERMANENT_REDIRECT, location }
}

/// No `Accept` at all accepts everything.
fn accepts_html(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(ACCEPT).iter().peekable();
    values.peek().is_none()
        || values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|item| matches!(item.split(';').next().unwrap_or(item).trim(), "text/html" | "text/*" | "*/*"))
}

/// `docs/index.html` answers `docs/`, and `docs` leads there.
fn add_directories(names: &mut HashMap<Box<str>, Found>) {
    for (name, asset) in ending_in(names, "index.html") {
        let Some(directory) = name.strip_suffix("index.html").filter(|rest| rest.is_empty() || rest.ends_with('/')) else {
            continue;
        };
        names.insert(directory.into(), Found::File(asset));
        if let Some(bare) = directory.strip_suffix('/') {
            names.entry(bare.into()).or_insert(Found::Directory);
        }
    }
}

/// `about.html` answers `about`, also beside a directory of that name, and `about/` leads there.
fn add_clean_names(names: &mut HashMap<Box<str>, Found>) {
    for (name, asset) in ending_in(names, ".html") {
        let Some(clean) = name.strip_suffix(".html").filter(|clean| !clean.is_empty() && !clean.ends_with('/')) else { continue };
        if !matches!(names.get(clean), Some(Found::File(_))) {
            names.insert(clean.into(), Found::File(asset));
            names.entry(format!("{clean}/").into()).or_insert(Found::Page);
        }
    }
}

fn ending_in(names: &HashMap<Box<str>, Found>, ending: &str) -> Vec<(String, Arc<Asset>)> {
    let files = names.iter().filter_map(|(name, found)| match found {
        Found::File(asset) => Some((name.to_string(), Arc::clone(asset))),
        Found::Directory | Found::Page => None,
    });
    files.filter(|(name, _)| name.ends_with(ending)).collect()
}

fn asset(file: &FileRecord, number: usize, root: &Path, cache: &Path) -> io::Result<Asset> {
    let etag = |ending: &str| HeaderValue::from_str(&format!("\"{}{ending}\"", file.hash)).map_err(io::Error::other);
    let variant = |size: Option<u64>, ending: &str| -> io::Result<Option<Variant>> {
        let Some(size) = size else { return Ok(None) };
        Ok(Some(Variant::new(variant_file(cache, number, ending), size, etag(&format!("-{ending}"))?)))
    };
    Ok(Asset {
        content_type: HeaderValue::from_str(&content_type(&file.path)).map_err(io::Error::other)?,
        immutable: is_immutable(&file.path),
        identity: Variant::new(root.join(&file.path), file.size, etag("")?),
        brotli: variant(file.brotli, "br")?,
        gzip: variant(file.gzip, "gz")?,
    })
}

fn rules_file(root: &Path, name: &str) -> String {
    let file = root.join(name);
    let small = fs::symlink_metadata(&file).is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_RULES_BYTES);
    let bytes = if small { fs::read(file).unwrap_or_default() } else { Vec::new() };
    String::from_utf8_lossy(&bytes).trim_start_matches('\u{feff}').to_owned()
}
