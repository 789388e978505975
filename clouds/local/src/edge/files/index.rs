//! Index of an artifact's files before the first request: what there is, and the digest of each; kept on disk for the next start.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::listing::Listing;
use super::parallel::for_each;

/// Counts the forms that the index had on disk; another form is made anew.
const VERSION: u32 = 2;

/// Half-made files start with this.
pub(super) const TEMPORARY: &str = ".new-";

/// The files of a site.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Index {
    version: u32,
    pub files: Vec<FileRecord>,
}

/// One file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    /// Relative to the site's root, with `/` between its parts.
    pub path: String,
    /// Real place, relative to the root as well, when links lead there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub real: Option<String>,
    /// In bytes.
    pub size: u64,
    /// The first half of the SHA-256 of its content, hexadecimal.
    pub hash: String,
}

impl Index {
    /// The index of the files under `root`, from its own file or newly made there. Blocks for as long as reading everything takes. A
    /// kill at any point leaves nothing that a later call would trust.
    pub fn load_or_build(root: &Path, file: &Path) -> io::Result<Self> {
        if let Some(index) = Self::load(file) {
            return Ok(index);
        }
        let parent = file.parent().ok_or_else(|| io::Error::other("the index has no directory"))?;
        std::fs::create_dir_all(parent)?;
        let index = Self::build(root)?;
        let mut temporary = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(parent)?;
        let mut writer = BufWriter::new(temporary.as_file_mut());
        serde_json::to_writer(&mut writer, &index)?;
        writer.flush()?;
        drop(writer);
        temporary.persist(file)?;
        Ok(index)
    }

    /// The index in this file; `None` when there is none, or one of another form.
    pub fn load(file: &Path) -> Option<Self> {
        let index: Self = serde_json::from_reader(BufReader::new(File::open(file).ok()?)).ok()?;
        (index.version == VERSION).then_some(index)
    }

    /// The digests of all contents.
    pub fn hashes(self) -> impl Iterator<Item = String> {
        self.files.into_iter().map(|file| file.hash)
    }

    fn build(root: &Path) -> io::Result<Self> {
        let listed = Listing::of(root)?.files;
        let mut known = HashSet::new();
        // Names of one file are read once.
        let distinct: Vec<_> = listed.iter().filter(|file| known.insert(file.identity)).collect();
        let digests = for_each(&distinct, |file| Ok((file.identity, half_digest(&root.join(&file.path))?)));
        let digests: HashMap<_, _> = digests.into_iter().collect::<io::Result<_>>()?;
        let files = listed.into_iter().map(|file| {
            let hash = digests.get(&file.identity).cloned().ok_or_else(|| io::Error::other("a file changed its identity"))?;
            Ok(FileRecord { path: file.path, real: file.real, size: file.size, hash })
        });
        Ok(Self { version: VERSION, files: files.collect::<io::Result<_>>()? })
    }
}

/// The first half of the SHA-256 of a file's content, hexadecimal.
fn half_digest(file: &Path) -> io::Result<String> {
    let (mut file, mut hasher, mut buffer) = (File::open(file)?, Sha256::new(), vec![0; 128 * 1024]);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hex::encode(&hasher.finalize()[..16]));
        }
        hasher.update(&buffer[..read]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::tree;
    use super::*;

    #[test]
    fn an_index_is_kept_and_a_damaged_one_made_anew() {
        let root = tree(&[("a.txt", "one"), ("b/c.txt", "one"), ("d.txt", "two")]);
        std::os::unix::fs::symlink("b", root.path().join("e")).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("indexes/one.json");
        let index = Index::load_or_build(root.path(), &file).unwrap();
        let hashes: Vec<_> = index.files.iter().map(|file| (file.path.as_str(), &file.hash[..6], file.size)).collect();
        let [one, two] = ["7692c3", "3fc4cc"];
        assert_eq!(hashes, [("a.txt", one, 3), ("b/c.txt", one, 3), ("d.txt", two, 3), ("e/c.txt", one, 3)]);
        std::fs::write(root.path().join("d.txt"), "other").unwrap();
        assert_eq!(Index::load_or_build(root.path(), &file).unwrap().files[2].size, 3);
        std::fs::write(&file, "{\"version\": 2, \"fil").unwrap();
        assert_eq!(Index::load_or_build(root.path(), &file).unwrap().files[2].size, 5);
        assert_eq!(std::fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    }
}
