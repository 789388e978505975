//! The files below a site's root that can be asked for.

use std::collections::HashSet;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::path::is_visible;

/// The most files of a site. An artifact has fewer; links to directories can show each of them again and again.
const MAX_FILES: usize = 500_000;

/// Files, and what is left out.
#[derive(Debug, Default)]
pub struct Listing {
    /// Sorted by path.
    pub files: Vec<ListedFile>,
    /// For each thing that is left out, its path and why.
    pub omitted: Vec<String>,
}

/// One file.
#[derive(Debug)]
pub struct ListedFile {
    /// Relative to the root, with `/` between its parts.
    pub path: String,
    /// Real place, relative to the root as well, when links lead there.
    pub real: Option<String>,
    /// In bytes.
    pub size: u64,
    /// Device and inode: names of the same file have the same.
    pub identity: (u64, u64),
}

impl Listing {
    /// The files below a directory. Links are followed as long as they stay within it and lead round in no circle; names that begin
    /// with a dot are not looked at.
    pub fn of(root: &Path) -> io::Result<Self> {
        let root = root.canonicalize()?;
        let mut listing = Self::default();
        // Paths of directories that were reached through a link: what is below them is really somewhere else.
        let mut linked = HashSet::new();
        let mut walk = WalkDir::new(&root).min_depth(1).follow_links(true).sort_by_file_name().into_iter();
        while let Some(entry) = walk.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    listing.unreadable(&root, error)?;
                    continue;
                }
            };
            let Some(path) = listing.name(&root, entry.path()) else {
                skip(&mut walk, &entry);
                continue;
            };
            let real = if entry.path_is_symlink() || within(&linked, &path) {
                match target(&root, entry.path()) {
                    Ok(real) => Some(real),
                    Err(reason) => {
                        listing.omitted.push(format!("`{path}` is left out: {reason}"));
                        skip(&mut walk, &entry);
                        continue;
                    }
                }
            } else {
                None
            };
            if entry.file_type().is_dir() {
                if entry.path_is_symlink() {
                    linked.insert(path);
                }
            } else if entry.file_type().is_file() {
                if listing.files.len() == MAX_FILES {
                    listing.omitted.push(format!("`{path}` and all after it are left out: a site has at most {MAX_FILES} files"));
                    return Ok(listing);
                }
                listing.files.push(ListedFile::new(path, real, &entry.metadata()?));
            }
        }
        Ok(listing)
    }

    /// The path relative to the root; `None` when it is not to be seen, or not UTF-8, which no request could name.
    fn name(&mut self, root: &Path, path: &Path) -> Option<String> {
        let path = path.strip_prefix(root).ok()?;
        let Some(name) = path.to_str() else {
            self.omitted.push(format!("`{}` is left out: its name is not UTF-8", path.display()));
            return None;
        };
        is_visible(name).then(|| name.to_owned())
    }

    /// A link that leads nowhere or round in a circle is left out; what cannot be read otherwise is an error.
    fn unreadable(&mut self, root: &Path, error: walkdir::Error) -> io::Result<()> {
        let path = error.path().unwrap_or(root).to_owned();
        let reason = match (error.loop_ancestor(), path.is_symlink()) {
            (Some(_), _) => "the link leads round in a circle",
            (None, true) => "the link leads nowhere",
            (None, false) => return Err(error.into()),
        };
        if let Some(path) = self.name(root, &path) {
            self.omitted.push(format!("`{path}` is left out: {reason}"));
        }
        Ok(())
    }
}

impl ListedFile {
    fn new(path: String, real: Option<String>, meta: &Metadata) -> Self {
        let real = real.filter(|real| *real != path);
        Self { path, real, size: meta.len(), identity: (meta.dev(), meta.ino()) }
    }
}

/// A directory that is left out takes its content with it.
fn skip(walk: &mut walkdir::IntoIter, entry: &DirEntry) {
    if entry.file_type().is_dir() {
        walk.skip_current_dir();
    }
}

fn within(linked: &HashSet<String>, path: &str) -> bool {
    !linked.is_empty() && path.match_indices('/').any(|(at, _)| linked.contains(&path[..at]))
}

/// The end of a link, relative to the root, or why it cannot be shown.
fn target(root: &Path, link: &Path) -> Result<String, &'static str> {
    let target: PathBuf = link.canonicalize().map_err(|_| "the link leads nowhere")?;
    let within = target.strip_prefix(root).map_err(|_| "the link leads out of the site's directory")?;
    let within = within.to_str().ok_or("the name of the link's target is not UTF-8")?;
    if is_visible(within) { Ok(within.to_owned()) } else { Err("the link leads to a name that begins with a dot") }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::test_tree::tree;

    fn paths(listing: &Listing) -> Vec<&str> {
        listing.files.iter().map(|file| file.path.as_str()).collect()
    }

    #[test]
    fn only_visible_files_within_the_root_are_listed() {
        let outside = tree(&[("secret.txt", "s")]);
        let root =
            tree(&[("index.html", "x"), (".env", "x"), (".git/config", "x"), ("a/b.txt", "x"), (".well-known/s.txt", "x")]);
        symlink(outside.path().join("secret.txt"), root.path().join("leak.txt")).unwrap();
        symlink(outside.path(), root.path().join("leak")).unwrap();
        symlink("a/b.txt", root.path().join("link.txt")).unwrap();
        symlink(".env", root.path().join("env.txt")).unwrap();
        symlink(".git", root.path().join("git")).unwrap();
        symlink("nowhere", root.path().join("dangling")).unwrap();
        fs::write(root.path().join(OsStr::from_bytes(b"\xff.txt")), "x").unwrap();
        let listing = Listing::of(root.path()).unwrap();
        assert_eq!(paths(&listing), [".well-known/s.txt", "a/b.txt", "index.html", "link.txt"]);
        assert_eq!(listing.files[3].real.as_deref(), Some("a/b.txt"));
        insta::assert_snapshot!(listing.omitted.join("\n"), @"
        `dangling` is left out: the link leads nowhere
        `env.txt` is left out: the link leads to a name that begins with a dot
        `git` is left out: the link leads to a name that begins with a dot
        `leak` is left out: the link leads out of the site's directory
        `leak.txt` is left out: the link leads out of the site's directory
        `�.txt` is left out: its name is not UTF-8
        ");
    }

    #[test]
    fn linked_directories_are_followed_and_circles_cut() {
        let root = tree(&[("docs/v2/index.html", "v2"), ("docs/v2/deep/a.txt", "a"), ("docs/v1/index.html", "v1")]);
        symlink("v2", root.path().join("docs/latest")).unwrap();
        symlink("..", root.path().join("docs/v2/up")).unwrap();
        symlink(".", root.path().join("self")).unwrap();
        let listing = Listing::of(root.path()).unwrap();
        let expected = [
            "docs/latest/deep/a.txt",
            "docs/latest/index.html",
            "docs/v1/index.html",
            "docs/v2/deep/a.txt",
            "docs/v2/index.html",
        ];
        assert_eq!(paths(&listing), expected);
        assert_eq!(listing.files[0].real.as_deref(), Some("docs/v2/deep/a.txt"));
        assert_eq!(listing.files[0].identity, listing.files[3].identity);
        insta::assert_snapshot!(listing.omitted.join("\n"), @"
        `docs/latest/up` is left out: the link leads round in a circle
        `docs/v2/up` is left out: the link leads round in a circle
        `self` is left out: the link leads round in a circle
        ");
    }
}
