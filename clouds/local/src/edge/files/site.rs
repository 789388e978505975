//! A site: which file answers which request.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use http::header::{ACCEPT, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use tokio::sync::watch;
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use super::asset::{Asset, MemoryBudget, Variant};
use super::compress::{Progress, Task, is_worthwhile};
use super::copies::CopyStore;
use super::index::{FileRecord, Index};
use super::path::{MatchPath, decode};
use super::rules::Rules;
use super::stored::is_stored;
use clouds_site::content::{content_type, is_compressed, is_immutable};

/// The header by which browsers say what a request is for (Fetch Metadata, section 2.2).
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// The page of an application that answers its routes, where a site has it beside its home page.
const APPLICATION: &str = "200.html";

/// A site that can be served.
#[derive(Debug)]
pub(crate) struct Site {
    names: HashMap<Box<str>, Found>,
    pub(super) rules: Rules,
    pub(super) budget: Arc<MemoryBudget>,
    progress: watch::Sender<Progress>,
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
    /// The site whose files are under `root`, and what of it is to be compressed. Paths for which `hidden` holds are not served.
    pub fn new(
        index: &Index,
        root: &Path,
        store: &CopyStore,
        budget: Arc<MemoryBudget>,
        hidden: impl Fn(&str) -> bool,
    ) -> io::Result<(Self, Vec<Task>)> {
        let root = root.canonicalize()?;
        let rules = Rules::read(&root);
        let (mut names, mut tasks) = (HashMap::with_capacity(index.files.len() * 2), HashMap::new());
        for file in &index.files {
            // A link shows nothing that is not shown by its own name.
            let own = [Some(&file.path), file.real.as_ref()].into_iter().flatten();
            if own.into_iter().any(|path| Rules::is_control_file(path) || hidden(path)) {
                continue;
            }
            let asset = Arc::new(asset(file, &root, &rules)?);
            add_copies(&asset, file, store, &mut tasks);
            names.insert(file.path.as_str().into(), Found::File(asset));
        }
        add_composed(&mut names);
        add_directories(&mut names);
        add_clean_names(&mut names);
        let tasks: Vec<_> = tasks.into_values().collect();
        let progress = watch::Sender::new(Progress { files: index.files.len(), tasks: tasks.len(), ..Progress::default() });
        Ok((Self { names, rules, budget, progress }, tasks))
    }

    /// The progress of its compression.
    pub fn progress(&self) -> &watch::Sender<Progress> {
        &self.progress
    }

    /// Returns the response to this request.
    pub fn answer(&self, uri: &Uri, headers: &HeaderMap) -> Answer<'_> {
        let raw = uri.path();
        let Some(name) = decode(raw) else { return Answer::Nothing(StatusCode::BAD_REQUEST) };
        let found = self.find(&name);
        if (found.is_none() || self.rules.redirects.has_forced)
            && let Some(answer) = self.redirected(&name, uri, found.is_some())
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

    fn redirected(&self, name: &str, uri: &Uri, exists: bool) -> Option<Answer<'_>> {
        let (rule, captures) = self.rules.redirects.find(&MatchPath::new(uri.path())?)?;
        if exists && !rule.forced {
            return None;
        }
        if rule.status.is_redirection() {
            return Some(Answer::Redirect { status: rule.status, location: rule.location(&captures, uri.query()) });
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

    /// The target of a name, however its letters are composed.
    fn find(&self, name: &str) -> Option<&Found> {
        self.names.get(name).or_else(|| if name.is_ascii() { None } else { self.names.get(composed(name)?.as_ref()) })
    }

    fn exact(&self, name: &str) -> Option<&Asset> {
        match self.find(name)? {
            Found::File(asset) => Some(asset),
            Found::Directory | Found::Page => None,
        }
    }

    fn fallback(&self, name: &str, headers: &HeaderMap) -> Answer<'_> {
        let wants_page = wants_page(name, headers);
        if let Some(asset) = self.exact(APPLICATION).filter(|_| wants_page) {
            return Answer::File { asset, status: StatusCode::OK };
        }
        if let Some(asset) = self.not_found_page(name) {
            return Answer::File { asset, status: StatusCode::NOT_FOUND };
        }
        match self.exact("index.html").filter(|_| wants_page) {
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

/// Returns true if who asks for something that is not there wants a page: accepts HTML by name, or navigates. Who says nothing of the
/// kind, as programs that preview links do, wants one by a name without an extension.
fn wants_page(name: &str, headers: &HeaderMap) -> bool {
    let types = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let types: Vec<_> = types.map(|item| item.split(';').next().unwrap_or(item).trim().to_ascii_lowercase()).collect();
    if types.iter().any(|essence| matches!(essence.as_str(), "text/html" | "application/xhtml+xml")) {
        return true;
    }
    if let Some(mode) = headers.get(SEC_FETCH_MODE) {
        return mode == "navigate";
    }
    let last = name.rsplit('/').next().unwrap_or(name);
    (types.is_empty() || types.iter().any(|essence| essence == "*/*")) && !last.contains('.')
}

/// The name with its letters composed (NFC); `None` when they are.
fn composed(name: &str) -> Option<Cow<'static, str>> {
    (!is_nfc(name)).then(|| Cow::Owned(name.nfc().collect()))
}

/// A name that a file system keeps with its letters taken apart is found by the composed one too, which browsers send.
fn add_composed(names: &mut HashMap<Box<str>, Found>) {
    for (name, asset) in ending_in(names, "") {
        if let Some(composed) = composed(&name) {
            names.entry(composed.into()).or_insert(Found::File(asset));
        }
    }
}

/// `docs/index.html` answers `docs/`, and `docs` leads there.
fn add_directories(names: &mut HashMap<Box<str>, Found>) {
    for (name, asset) in ending_in(names, "index.html") {
        let directory = &name[..name.len() - "index.html".len()];
        if !directory.is_empty() && !directory.ends_with('/') {
            continue;
        }
        if name.ends_with("index.html") {
            names.insert(directory.into(), Found::File(asset));
        } else {
            names.entry(directory.into()).or_insert(Found::File(asset));
        }
        if let Some(bare) = directory.strip_suffix('/') {
            names.entry(bare.into()).or_insert(Found::Directory);
        }
    }
}

/// `about.html` answers `about`, also beside a directory of that name, and `about/` leads there.
fn add_clean_names(names: &mut HashMap<Box<str>, Found>) {
    for (name, asset) in ending_in(names, ".html") {
        let clean = &name[..name.len() - ".html".len()];
        if !clean.is_empty() && !clean.ends_with('/') && !matches!(names.get(clean), Some(Found::File(_))) {
            names.insert(clean.into(), Found::File(asset));
            names.entry(format!("{clean}/").into()).or_insert(Found::Page);
        }
    }
}

/// The files whose name ends so, in letters of either case; those in small letters come last.
fn ending_in(names: &HashMap<Box<str>, Found>, ending: &str) -> Vec<(String, Arc<Asset>)> {
    let ends = |name: &str| {
        let at = name.len().checked_sub(ending.len());
        at.and_then(|at| name.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
    };
    let files = names.iter().filter(|(name, _)| ends(name)).filter_map(|(name, found)| match found {
        Found::File(asset) => Some((name.to_string(), Arc::clone(asset))),
        Found::Directory | Found::Page => None,
    });
    let mut files: Vec<_> = files.collect();
    files.sort_by(|(one, _), (other, _)| one.cmp(other));
    files
}

fn asset(file: &FileRecord, root: &Path, rules: &Rules) -> io::Result<Asset> {
    let etag = HeaderValue::from_str(&format!("\"{}\"", file.hash)).map_err(io::Error::other)?;
    let identity = Variant::new(root.join(&file.path), file.size, etag);
    let address = address(&file.path);
    let stored =
        MatchPath::new(&address).and_then(|path| rules.headers.codings(&path).find(|coding| is_stored(&identity.file, *coding)));
    let content_type = HeaderValue::from_str(&content_type(&file.path)).map_err(io::Error::other)?;
    Ok(Asset::new(content_type, is_immutable(&file.path), stored, identity))
}

/// The request path of a file.
pub(super) fn address(path: &str) -> String {
    format!("/{}", path.replace('%', "%25"))
}

/// Gives a file the copies that are kept of its content, or notes that it is to be compressed.
fn add_copies(asset: &Arc<Asset>, file: &FileRecord, store: &CopyStore, tasks: &mut HashMap<String, Task>) {
    let stays = asset.stored.is_some() || asset.content_type.to_str().is_ok_and(is_compressed);
    if stays || !is_worthwhile(file.size) {
        asset.set_no_copies();
    } else if let Some(copies) = store.find(&file.hash) {
        asset.set_copies(copies, &store.file(&file.hash), &file.hash);
    } else {
        let task = || Task { hash: file.hash.clone(), assets: Vec::new() };
        tasks.entry(file.hash.clone()).or_insert_with(task).assets.push(Arc::clone(asset));
    }
}
