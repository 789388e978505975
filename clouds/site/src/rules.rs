//! The rules of a site: its own `_redirects` and `_headers`, and what other hosts' files say in the same sense.

use std::fs;
use std::path::Path;

use crate::header_rules::{HeaderRule, HeaderRules};
use crate::redirects::{Redirects, Rule as Redirect};
use crate::{netlify, vercel};

/// The longest file of rules that is read, bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Files at the root that steer the site and are never served.
const OWN: [&str; 2] = ["_redirects", "_headers"];

/// The files of other hosts that are read.
pub const OTHERS: [&str; 2] = [netlify::FILE, vercel::FILE];

/// Files of this and of other hosts that are not read with the site, and are of no interest to its visitors.
const UNREAD: [&str; 15] = [
    "mikrocloud.toml",
    "now.json",
    "wrangler.toml",
    "wrangler.json",
    "wrangler.jsonc",
    "_routes.json",
    "_worker.js",
    "firebase.json",
    "staticwebapp.config.json",
    "amplify.yml",
    "render.yaml",
    "fly.toml",
    "railway.json",
    "railway.toml",
    "app.yaml",
];

/// The rules by which a site is served.
#[derive(Debug, Default)]
pub struct Rules {
    /// Redirects, in order.
    pub redirects: Redirects,
    /// Headers, in order.
    pub headers: HeaderRules,
    /// The `trailingSlash` of a `vercel.json`: it says which addresses redirect to the others.
    pub trailing_slash: Option<bool>,
    /// Parts of these files that are not followed, for the site's owner.
    pub complaints: Vec<String>,
}

impl Rules {
    /// The rules that the files in a site's directory say. Those of `_redirects` and `_headers` win over other hosts'.
    pub fn read(root: &Path) -> Self {
        let mut rules = Self::default();
        if let Some(text) = rules.text(root, "_redirects") {
            let (redirects, complaints) = Redirects::parse(&text);
            rules.redirects = redirects;
            rules.complaints.extend(complaints);
        }
        for (file, parse) in [(netlify::FILE, netlify::parse as fn(&str) -> Self), (vercel::FILE, vercel::parse)] {
            if let Some(text) = rules.text(root, file) {
                rules.join(parse(&text));
            }
        }
        if let Some(text) = rules.text(root, "_headers") {
            let (headers, complaints) = HeaderRules::parse(&text);
            rules.headers.extend(headers);
            rules.complaints.extend(complaints);
        }
        let unread: Vec<_> =
            UNREAD[1..].iter().filter(|file| root.join(file).is_file()).map(|file| format!("`{file}`")).collect();
        if !unread.is_empty() {
            let files = unread.join(", ");
            rules
                .complaints
                .push(format!("{files}: not read and not served, redirects and headers belong into `_redirects` and `_headers`"));
        }
        rules
    }

    /// Names of files that steer a site or the place that it is served from, and are never served.
    pub fn control_files() -> impl Iterator<Item = &'static str> {
        OWN.into_iter().chain(OTHERS).chain(UNREAD)
    }

    /// Returns true if the file of this path is not served, because it steers a site or the place that it is served from.
    pub fn is_control_file(path: &str) -> bool {
        OWN.contains(&path) || OTHERS.contains(&path) || UNREAD.contains(&path)
    }

    /// Adds a redirect, or a complaint that names it.
    pub fn add_redirect(&mut self, name: &str, rule: Result<Redirect, String>) {
        if let Err(reason) = rule.and_then(|rule| self.redirects.add(rule)) {
            self.complaints.push(format!("{name} is ignored: {reason}"));
        }
    }

    /// Adds headers, or a complaint that names them.
    pub fn add_headers(&mut self, name: &str, rule: Result<HeaderRule, String>) {
        if let Err(reason) = rule.and_then(|rule| self.headers.add(rule)) {
            self.complaints.push(format!("{name} is ignored: {reason}"));
        }
    }

    /// Says which keys of a file are not followed.
    pub fn add_unused(&mut self, file: &str, keys: &[String]) {
        if !keys.is_empty() {
            self.complaints.push(format!("{file}: not followed here: {}", keys.join(", ")));
        }
    }

    fn join(&mut self, other: Self) {
        self.redirects.extend(other.redirects);
        self.headers.extend(other.headers);
        self.trailing_slash = self.trailing_slash.or(other.trailing_slash);
        self.complaints.extend(other.complaints);
    }

    /// The text of a file of rules, if it is there.
    fn text(&mut self, root: &Path, name: &str) -> Option<String> {
        let file = root.join(name);
        let meta = fs::symlink_metadata(&file).ok()?;
        if !meta.is_file() || meta.len() > MAX_BYTES {
            self.complaints.push(format!("{name} is not read: it is no file, or longer than {} KiB", MAX_BYTES >> 10));
            return None;
        }
        match fs::read(file) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).trim_start_matches('\u{feff}').to_owned()),
            Err(error) => {
                self.complaints.push(format!("{name} is not read: {error}"));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::path::MatchPath;
    use crate::test_tree::tree;

    #[test]
    fn own_rules_win_over_those_for_other_hosts() {
        let site = tree(&[
            ("_redirects", "/a /own\nbad"),
            ("_headers", "/*\n  X-A: own\nbad"),
            (
                "netlify.toml",
                "[[redirects]]\nfrom = '/a'\nto = '/netlify'\n[[redirects]]\nfrom = '/b'\nto = '/netlify'\n\
                 [[headers]]\nfor = '/*'\nvalues = { X-A = 'netlify', X-B = 'netlify' }",
            ),
            (
                "vercel.json",
                r#"{"redirects": [{"source": "/b", "destination": "/vercel"}, {"source": "/c", "destination": "/vercel"}]}"#,
            ),
            ("wrangler.toml", ""),
            ("firebase.json", "{}"),
        ]);
        let rules = Rules::read(site.path());
        let to = |path: &str| {
            let (rule, captures) = rules.redirects.find(&MatchPath::new(path).unwrap()).unwrap();
            rule.location(&captures, None)
        };
        assert_eq!(["/a", "/b", "/c"].map(to), ["/own", "/netlify", "/vercel"]);
        let mut headers = HeaderMap::new();
        rules.headers.apply("/", None, &mut headers);
        assert_eq!((&headers["x-a"], &headers["x-b"]), (&"own".parse().unwrap(), &"netlify".parse().unwrap()));
        insta::assert_snapshot!(rules.complaints.join("\n"), @"
        _redirects line 2 is ignored: expected `from to [status]`
        _headers line 3 is ignored: a path starts with `/`; other hosts' addresses cannot be matched
        `wrangler.toml`, `firebase.json`: not read and not served, redirects and headers belong into `_redirects` and `_headers`
        ");
    }

    #[test]
    fn files_that_cannot_be_read_are_told() {
        let site = tree(&[("_headers/x", ""), ("netlify.toml", "\n[[redirects]"), ("vercel.json", "{")]);
        insta::assert_snapshot!(Rules::read(site.path()).complaints.join("\n"), @"
        netlify.toml is not read: line 2: unclosed array table, expected `]`
        vercel.json is not read: EOF while parsing an object at line 1 column 1
        _headers is not read: it is no file, or longer than 1024 KiB
        ");
    }
}
