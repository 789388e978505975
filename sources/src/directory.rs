//! A fetched directory, as detection sees it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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
        decode(bytes)
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

    fn version(&self, program: &str) -> Option<String> {
        let file = std::env::split_paths(&self.search).map(|directory| directory.join(program)).find(|file| file.is_file())?;
        let said =
            Command::new(file).arg("--version").env("PATH", &self.search).current_dir("/").stdin(Stdio::null()).output().ok()?;
        let text = String::from_utf8_lossy(if said.stdout.is_empty() { &said.stderr } else { &said.stdout }).into_owned();
        let version: String =
            text.chars().skip_while(|c| !c.is_ascii_digit()).take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        (said.status.success() && !version.is_empty()).then(|| version.trim_end_matches('.').to_owned())
    }

    fn container_engine(&self) -> ContainerEngine {
        self.engine.clone()
    }
}

/// The text of a file: UTF-16 where it begins with that encoding's mark, as PowerShell writes it, else UTF-8 with what is not replaced.
/// `None` for a file that is no text.
fn decode(bytes: Vec<u8>) -> Option<String> {
    let units = |from_bytes: fn([u8; 2]) -> u16| {
        bytes[2..].chunks_exact(2).map(|pair| from_bytes([pair[0], pair[1]])).collect::<Vec<_>>()
    };
    match bytes.as_slice() {
        [0xff, 0xfe, ..] => Some(String::from_utf16_lossy(&units(u16::from_le_bytes))),
        [0xfe, 0xff, ..] => Some(String::from_utf16_lossy(&units(u16::from_be_bytes))),
        _ if bytes.contains(&0) => None,
        _ => {
            let text = String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
            Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
        }
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
        fs::write(root.join("binary"), b"a\0\xff").unwrap();
        fs::write(root.join("powershell"), b"\xff\xfef\0l\0").unwrap();
        fs::write(root.join("latin"), b"caf\xe9").unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret"), root.join("leak")).unwrap();
        std::os::unix::fs::symlink("sub/a.txt", root.join("inside")).unwrap();
        let tree = DirectoryTree::open(root).unwrap().with_search_path("/usr/bin:/bin");
        assert_eq!(tree.read("sub/a.txt").as_deref(), Some("text"));
        assert_eq!(tree.read("inside").as_deref(), Some("text"));
        assert_eq!(tree.read("powershell").as_deref(), Some("fl"));
        assert_eq!(tree.read("latin").as_deref(), Some("caf\u{fffd}"));
        for path in ["leak", "large", "binary", "sub", "absent", "../secret", "/etc/passwd"] {
            assert_eq!(tree.read(path), None, "{path}");
        }
        assert!(tree.exists("sub") && !tree.exists("leak") && !tree.exists("/etc"));
        let names: Vec<String> = tree.list("").into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["binary", "inside", "large", "latin", "leak", "powershell", "sub"]);
        assert!(tree.has_program("sh") && !tree.has_program("no-such-program"));
        assert!(tree.version("git").is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit())));
        assert_eq!((tree.version("no-such-program"), tree.version("false")), (None, None));
    }
}
