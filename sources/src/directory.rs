//! A fetched directory, as detection sees it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use domain::detect::{Entry, SourceTree};
use domain::engine::ContainerEngine;

/// The largest file that is read, bytes.
const READ_BYTES: u64 = 1 << 20;

/// The files of a directory. Links are followed only where they stay inside of it.
#[derive(Debug, Clone)]
pub struct DirectoryTree {
    root: PathBuf,
    search: OsString,
    engine: ContainerEngine,
}

impl DirectoryTree {
    /// The files below this directory; programs are looked for on this machine's `PATH`.
    pub fn open(root: &Path) -> io::Result<Self> {
        Ok(Self {
            root: root.canonicalize()?,
            search: std::env::var_os("PATH").unwrap_or_default(),
            engine: ContainerEngine::Missing,
        })
    }

    /// Looks for programs in these directories instead, written as `PATH` is.
    #[must_use]
    pub fn with_search_path(mut self, path: impl Into<OsString>) -> Self {
        self.search = path.into();
        self
    }

    /// Says which container engine answers on the machine that builds; none does unless this is said.
    #[must_use]
    pub fn with_container_engine(mut self, engine: ContainerEngine) -> Self {
        self.engine = engine;
        self
    }

    /// The real place of a path, if that is inside.
    fn resolve(&self, path: &str) -> Option<PathBuf> {
        // The root is where it is: an absolute path would replace it, and is then found to be outside.
        let real = self.root.join(path).canonicalize().ok()?;
        real.starts_with(&self.root).then_some(real)
    }
}

impl SourceTree for DirectoryTree {
    fn read(&self, path: &str) -> Option<String> {
        let path = self.resolve(path)?;
        // Opening anything else, such as a pipe, could wait for ever.
        if !path.metadata().ok()?.is_file() {
            return None;
        }
        let mut bytes = Vec::new();
        File::open(path).ok()?.take(READ_BYTES + 1).read_to_end(&mut bytes).ok()?;
        if bytes.len() as u64 > READ_BYTES {
            return None;
        }
        let text = String::from_utf8(bytes).ok()?;
        Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
    }

    fn exists(&self, path: &str) -> bool {
        self.resolve(path).is_some()
    }

    fn list(&self, directory: &str) -> Vec<Entry> {
        let Some(path) = self.resolve(directory) else { return Vec::new() };
        let entries = fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
        let mut entries: Vec<Entry> = entries
            .filter_map(|entry| Some(Entry { name: entry.file_name().into_string().ok()?, is_directory: entry.path().is_dir() }))
            .collect();
        entries.sort();
        entries
    }

    fn has_program(&self, name: &str) -> bool {
        let is_program =
            |file: PathBuf| file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
        std::env::split_paths(&self.search).any(|directory| is_program(directory.join(name)))
    }

    fn container_engine(&self) -> ContainerEngine {
        self.engine.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_seen_and_links_out_of_the_tree_are_not() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "secret").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir(root.join("sub")).unwrap();
        fs::write(root.join("sub/a.txt"), "\u{feff}text").unwrap();
        fs::write(root.join("large"), vec![b'x'; (1 << 20) + 1]).unwrap();
        fs::write(root.join("binary"), b"\xff\xfe").unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret"), root.join("leak")).unwrap();
        std::os::unix::fs::symlink("sub/a.txt", root.join("inside")).unwrap();
        let tree = DirectoryTree::open(root).unwrap().with_search_path("/usr/bin:/bin");
        assert_eq!(tree.read("sub/a.txt").as_deref(), Some("text"));
        assert_eq!(tree.read("inside").as_deref(), Some("text"));
        for path in ["leak", "large", "binary", "sub", "absent", "../secret", "/etc/passwd"] {
            assert_eq!(tree.read(path), None, "{path}");
        }
        assert!(tree.exists("sub") && !tree.exists("leak") && !tree.exists("/etc"));
        let names: Vec<String> = tree.list("").into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["binary", "inside", "large", "leak", "sub"]);
        assert!(tree.has_program("sh") && !tree.has_program("no-such-program"));
    }
}
