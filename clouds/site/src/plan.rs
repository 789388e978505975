//! The objects of a site in a store that shows each under its name and knows no rules.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use walkdir::WalkDir;

use crate::content::{content_type, is_immutable};

/// Bytes that are read at once.
const PIECE: usize = 64 * 1024;

/// Files with rules, which are not part of the site.
const RULES: [&str; 4] = ["_redirects", "_headers", "netlify.toml", "vercel.json"];

/// The page for what does not exist.
pub const NOT_FOUND: &str = "404.html";

/// A site as objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SitePlan {
    /// Objects by their path, without a slash in front.
    pub objects: BTreeMap<String, SiteObject>,
    /// Path of the page for what does not exist: the site's own, or the first page of an application that has but one.
    pub not_found: Option<String>,
    /// Files with rules that such a store does not follow.
    pub rules: Vec<&'static str>,
}

/// One object of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteObject {
    /// The file it comes from.
    pub file: PathBuf,
    /// SHA-256 of its content, in hexadecimal digits.
    pub digest: String,
    /// Its size, in bytes.
    pub size: u64,
    /// Value of `Content-Type`.
    pub content_type: String,
    /// Value of `Cache-Control`.
    pub cache_control: &'static str,
}

impl SiteObject {
    /// It is a page, which names other files and is shown after them.
    pub fn is_page(&self) -> bool {
        self.content_type.starts_with("text/html")
    }
}

impl SitePlan {
    /// The plan of a directory. Blocks. Links out of the directory are not followed; hidden files are left out, but for `.well-known`.
    pub fn read(directory: &Path) -> io::Result<Self> {
        let mut plan = Self { objects: BTreeMap::new(), not_found: None, rules: Vec::new() };
        let is_shown = |entry: &walkdir::DirEntry| {
            let name = entry.file_name().to_string_lossy();
            entry.depth() == 0 || !name.starts_with('.') || name == ".well-known"
        };
        for entry in WalkDir::new(directory).sort_by_file_name().into_iter().filter_entry(is_shown) {
            let entry = entry?;
            if !entry.file_type().is_file() {
                continue;
            }
            let within = entry.path().strip_prefix(directory).map_err(io::Error::other)?;
            let Some(path) = within.to_str().map(str::to_owned) else { continue };
            if let Some(rules) = RULES.into_iter().find(|rules| *rules == path) {
                plan.rules.push(rules);
                continue;
            }
            let object = SiteObject::read(entry.path(), &path)?;
            plan.objects.insert(path, object);
        }
        plan.add_short_names();
        plan.not_found = plan.page_for_what_is_missing();
        Ok(plan)
    }

    /// `about` shows `about.html`, and `blog` shows `blog/index.html`, unless there is a file of that name.
    fn add_short_names(&mut self) {
        let short = |path: &str| {
            let name = path.strip_suffix("/index.html").or_else(|| path.strip_suffix(".html"))?;
            (!name.is_empty() && name != "index" && !name.ends_with("/index") && path != NOT_FOUND).then(|| name.to_owned())
        };
        let named: Vec<_> = self.objects.iter().filter_map(|(path, object)| Some((short(path)?, object.clone()))).collect();
        for (name, object) in named {
            self.objects.entry(name).or_insert(object);
        }
    }

    fn page_for_what_is_missing(&self) -> Option<String> {
        if self.objects.contains_key(NOT_FOUND) {
            return Some(NOT_FOUND.to_owned());
        }
        let mut pages = self.objects.iter().filter(|(_, object)| object.is_page());
        let (first, others) = (pages.next()?.0, pages.count());
        (first == "index.html" && others == 0).then(|| first.clone())
    }
}

impl SiteObject {
    fn read(file: &Path, path: &str) -> io::Result<Self> {
        let (mut hash, mut size) = (Sha256::new(), 0);
        let mut reader = BufReader::with_capacity(PIECE, File::open(file)?);
        loop {
            let piece = reader.fill_buf()?;
            let length = piece.len();
            if length == 0 {
                break;
            }
            hash.update(piece);
            size += length as u64;
            reader.consume(length);
        }
        Ok(Self {
            file: file.to_owned(),
            digest: hex::encode(hash.finalize()),
            size,
            content_type: content_type(path),
            cache_control: if is_immutable(path) {
                "public, max-age=31536000, immutable"
            } else {
                "public, max-age=0, must-revalidate"
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(files: &[&str]) -> SitePlan {
        let directory = tempfile::tempdir().unwrap();
        for file in files {
            let path = directory.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, file).unwrap();
        }
        SitePlan::read(directory.path()).unwrap()
    }

    fn paths(plan: &SitePlan) -> Vec<&str> {
        plan.objects.keys().map(String::as_str).collect()
    }

    #[test]
    fn pages_are_found_by_their_short_names() {
        let plan = plan(&["index.html", "about.html", "blog/index.html", "blog/first.html", "404.html", "_redirects", ".env"]);
        let expected =
            ["404.html", "about", "about.html", "blog", "blog/first", "blog/first.html", "blog/index.html", "index.html"];
        assert_eq!(paths(&plan), expected);
        assert_eq!((plan.not_found.as_deref(), plan.rules.as_slice()), (Some("404.html"), ["_redirects"].as_slice()));
        assert!(plan.objects["about"].is_page());
    }

    #[test]
    fn an_application_of_one_page_shows_it_for_what_is_missing() {
        let app = plan(&["index.html", "assets/index-B3k2a9Zq.js", ".well-known/security.txt"]);
        assert_eq!(app.not_found.as_deref(), Some("index.html"));
        assert_eq!(paths(&app), [".well-known/security.txt", "assets/index-B3k2a9Zq.js", "index.html"]);
        assert_eq!(app.objects["assets/index-B3k2a9Zq.js"].cache_control, "public, max-age=31536000, immutable");
        assert_eq!(plan(&["index.html", "about.html"]).not_found, None);
    }

    #[test]
    fn a_file_of_the_short_name_is_kept() {
        let plan = plan(&["about.html", "about"]);
        assert!(plan.objects["about"].file.ends_with("about"));
    }
}
