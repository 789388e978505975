//! A directory as a layer. The same files always make the same bytes: sorted, one owner, one time.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};
use walkdir::{DirEntry, WalkDir};

use crate::BlobDigest;
use crate::digest::Digesting;

/// Directory of the application within its image.
pub const ROOT: &str = "/app";

/// User and group that own the files and run the program: `nonroot` of the distroless images, which no base image gives a right to.
pub const USER: u32 = 65532;

/// Time of every file, 1980-01-01: archives of ZIP, which Python reads modules from, know no earlier one.
const MODIFIED: u64 = 315_532_800;

/// A layer in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The file.
    pub path: PathBuf,
    /// Digest of the compressed archive, by which registries know it.
    pub digest: BlobDigest,
    /// Digest of the archive itself, which the image's configuration lists.
    pub diff_id: BlobDigest,
    /// Size of the compressed archive, bytes.
    pub size: u64,
}

/// Writes the files of a directory, which is not changed, into a layer at [`ROOT`]. Blocks.
pub fn pack(directory: &Path, target: &Path) -> io::Result<Layer> {
    let file = Digesting::new(BufWriter::new(File::create(target)?));
    let mut archive = Builder::new(Digesting::new(GzEncoder::new(file, Compression::fast())));
    let root = Path::new(ROOT.trim_start_matches('/'));
    append_directory(&mut archive, root)?;
    for entry in WalkDir::new(directory).min_depth(1).sort_by(|a, b| a.file_name().cmp(b.file_name())) {
        let entry = entry?;
        let within = entry.path().strip_prefix(directory).map_err(io::Error::other)?;
        append(&mut archive, &entry, &root.join(within))?;
    }
    let (compressor, diff_id, _) = archive.into_inner()?.finish();
    let (mut file, digest, size) = compressor.finish()?.finish();
    file.flush()?;
    Ok(Layer { path: target.to_owned(), digest, diff_id, size })
}

fn append<W: Write>(archive: &mut Builder<W>, entry: &DirEntry, name: &Path) -> io::Result<()> {
    let kind = entry.file_type();
    if kind.is_dir() {
        return append_directory(archive, name);
    }
    if kind.is_symlink() {
        let mut header = header(EntryType::Symlink, 0o777, 0);
        return archive.append_link(&mut header, name, fs::read_link(entry.path())?);
    }
    if !kind.is_file() {
        // Sockets and pipes are no content.
        return Ok(());
    }
    let file = File::open(entry.path())?;
    let meta = file.metadata()?;
    let mode = if meta.permissions().mode() & 0o100 == 0 { 0o644 } else { 0o755 };
    let mut header = header(EntryType::Regular, mode, meta.len());
    archive.append_data(&mut header, name, file)
}

fn append_directory<W: Write>(archive: &mut Builder<W>, name: &Path) -> io::Result<()> {
    archive.append_data(&mut header(EntryType::Directory, 0o755, 0), name, io::empty())
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(MODIFIED);
    header.set_uid(u64::from(USER));
    header.set_gid(u64::from(USER));
    header
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    fn tree(order: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in order {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        directory
    }

    fn packed(directory: &Path) -> (Layer, Vec<u8>) {
        let target = tempfile::NamedTempFile::new().unwrap();
        let layer = pack(directory, target.path()).unwrap();
        (layer, fs::read(target.path()).unwrap())
    }

    #[test]
    fn the_same_files_make_the_same_layer_whatever_the_order_and_time() {
        let first = tree(&[("a.txt", "1"), ("b/c.txt", "2")]);
        let second = tree(&[("b/c.txt", "2"), ("a.txt", "1")]);
        let later = fs::File::options().write(true).open(second.path().join("a.txt")).unwrap();
        later.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        let ((first, bytes), (second, _)) = (packed(first.path()), packed(second.path()));
        assert_eq!((&first.digest, &first.diff_id), (&second.digest, &second.diff_id));
        assert_eq!((first.digest, first.size), (BlobDigest::of(&bytes), bytes.len() as u64));
        let mut plain = Vec::new();
        GzDecoder::new(bytes.as_slice()).read_to_end(&mut plain).unwrap();
        assert_eq!(first.diff_id, BlobDigest::of(&plain));
    }

    #[test]
    fn files_are_the_programs_own_below_its_directory() {
        let directory = tree(&[("run.sh", "#!/bin/sh"), ("deep/er/page.html", "x")]);
        fs::set_permissions(directory.path().join("run.sh"), fs::Permissions::from_mode(0o700)).unwrap();
        std::os::unix::fs::symlink("run.sh", directory.path().join("link")).unwrap();
        let (_, bytes) = packed(directory.path());
        let mut archive = tar::Archive::new(GzDecoder::new(bytes.as_slice()));
        let mut found = BTreeMap::new();
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.uid().unwrap(), header.mtime().unwrap()), (65532, MODIFIED));
            found.insert(entry.path().unwrap().display().to_string(), header.mode().unwrap());
        }
        let names = ["app", "app/deep", "app/deep/er", "app/deep/er/page.html", "app/link", "app/run.sh"];
        assert_eq!(found.keys().collect::<Vec<_>>(), names);
        assert_eq!((found["app/run.sh"], found["app/deep/er/page.html"]), (0o755, 0o644));
    }

    #[test]
    fn long_names_keep_their_whole_length() {
        let long = format!("{}/{}.js", "d".repeat(120), "f".repeat(200));
        let directory = tree(&[(&long, "x")]);
        let (_, bytes) = packed(directory.path());
        let mut archive = tar::Archive::new(GzDecoder::new(bytes.as_slice()));
        let names: Vec<_> =
            archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
        assert!(names.contains(&format!("app/{long}")), "{names:?}");
    }
}
