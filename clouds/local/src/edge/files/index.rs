//! Index of an artifact's files before the first request: digests and compressed copies, kept on disk for the next start.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use walkdir::{DirEntry, WalkDir};

use super::content::{content_type, is_compressible};
use super::path::is_visible;

/// Counts the forms that the index had on disk; another form is made anew.
const VERSION: u32 = 1;

/// The index's own file in its cache directory.
const INDEX_FILE: &str = "index.json";

/// Half-made cache directories start with this.
const TEMPORARY: &str = ".new-";

/// Smaller files gain nothing from compression, bytes.
const SMALLEST_COMPRESSED: u64 = 1024;

/// Larger files would hold the release up, bytes.
const LARGEST_COMPRESSED: u64 = 32 << 20;

/// The files of a site and where their compressed copies are.
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
    /// In bytes.
    pub size: u64,
    /// The first half of the SHA-256 of its content, hexadecimal.
    pub hash: String,
    /// The size of its brotli copy, when there is one.
    pub brotli: Option<u64>,
    /// The size of its gzip copy, when there is one.
    pub gzip: Option<u64>,
}

/// Returns the path of the compressed copy of the file with this number, by its extension.
pub(crate) fn variant_file(cache: &Path, number: usize, ending: &str) -> PathBuf {
    cache.join(format!("{number}.{ending}"))
}

/// The index of the files under `root`, from the cache directory or newly made there. Blocks for as long as reading and compressing
/// everything takes. A kill at any point leaves nothing that a later call would trust.
pub(crate) fn load_or_build(root: &Path, cache: &Path) -> io::Result<Index> {
    if let Some(index) = load(cache) {
        return Ok(index);
    }
    let parent = cache.parent().ok_or_else(|| io::Error::other("the cache directory has no parent"))?;
    fs::create_dir_all(parent)?;
    let temporary = tempfile::Builder::new().prefix(TEMPORARY).tempdir_in(parent)?;
    let index = build(root, temporary.path())?;
    let mut file = BufWriter::new(File::create(temporary.path().join(INDEX_FILE))?);
    serde_json::to_writer(&mut file, &index)?;
    file.flush()?;
    if cache.exists() {
        // Of another version, or damaged.
        fs::remove_dir_all(cache)?;
    }
    fs::rename(temporary.path(), cache)?;
    // It has its final name now: nothing is left to remove.
    let _ = temporary.keep();
    Ok(index)
}

/// Removes what a killed process left half-made under the directory of all caches.
pub(crate) fn clean(caches: &Path) {
    let Ok(entries) = fs::read_dir(caches) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn load(cache: &Path) -> Option<Index> {
    let file = BufReader::new(File::open(cache.join(INDEX_FILE)).ok()?);
    let index: Index = serde_json::from_reader(file).ok()?;
    let whole = |number: usize, ending: &str, size: Option<u64>| {
        size.is_none_or(|size| fs::metadata(variant_file(cache, number, ending)).is_ok_and(|meta| meta.len() == size))
    };
    let complete = index.version == VERSION
        && index
            .files
            .iter()
            .enumerate()
            .all(|(number, file)| whole(number, "br", file.brotli) && whole(number, "gz", file.gzip));
    complete.then_some(index)
}

fn build(root: &Path, cache: &Path) -> io::Result<Index> {
    let root = root.canonicalize()?;
    let mut files = Vec::new();
    let walk = WalkDir::new(&root).sort_by_file_name().into_iter().filter_entry(|entry| relative(&root, entry).is_some());
    for entry in walk {
        let entry = entry?;
        let Some(path) = relative(&root, &entry).filter(|path| !path.is_empty()) else { continue };
        if let Some(file) = readable_file(&root, &entry) {
            files.push(record(path, &file, cache, files.len())?);
        }
    }
    Ok(Index { version: VERSION, files })
}

/// The entry's path relative to the root; `None` when it is not to be seen, or not UTF-8, which no request could name.
fn relative(root: &Path, entry: &DirEntry) -> Option<String> {
    let path = entry.path().strip_prefix(root).ok()?.to_str()?;
    (path.is_empty() || is_visible(path)).then(|| path.to_owned())
}

/// The file to read for this entry. A symbolic link counts when it ends at a file within the root.
fn readable_file(root: &Path, entry: &DirEntry) -> Option<PathBuf> {
    if entry.file_type().is_file() {
        return Some(entry.path().to_owned());
    }
    let target = entry.file_type().is_symlink().then(|| entry.path().canonicalize().ok()).flatten()?;
    let within = target.strip_prefix(root).ok()?.to_str().is_some_and(is_visible);
    (within && target.is_file()).then_some(target)
}

fn record(path: String, file: &Path, cache: &Path, number: usize) -> io::Result<FileRecord> {
    let size = fs::metadata(file)?.len();
    let compress = (SMALLEST_COMPRESSED..=LARGEST_COMPRESSED).contains(&size) && is_compressible(&content_type(&path));
    if !compress {
        let mut hasher = Sha256::new();
        let size = copy_to_hasher(File::open(file)?, &mut hasher)?;
        return Ok(FileRecord { path, size, hash: half_hex(hasher), brotli: None, gzip: None });
    }
    let content = fs::read(file)?;
    let hash = half_hex(Sha256::new_with_prefix(&content));
    let brotli = keep_smaller(&content, &brotli(&content)?, &variant_file(cache, number, "br"))?;
    let gzip = keep_smaller(&content, &gzip(&content)?, &variant_file(cache, number, "gz"))?;
    Ok(FileRecord { path, size: content.len() as u64, hash, brotli, gzip })
}

fn copy_to_hasher(mut file: File, hasher: &mut Sha256) -> io::Result<u64> {
    let (mut buffer, mut size) = (vec![0; 128 * 1024], 0);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(size);
        }
        hasher.update(&buffer[..read]);
        size += read as u64;
    }
}

fn half_hex(hasher: Sha256) -> String {
    hex::encode(&hasher.finalize()[..16])
}

fn keep_smaller(content: &[u8], compressed: &[u8], file: &Path) -> io::Result<Option<u64>> {
    if compressed.len() >= content.len() {
        return Ok(None);
    }
    fs::write(file, compressed)?;
    Ok(Some(compressed.len() as u64))
}

/// Large files get less effort, so that a release never waits long for the last few percent.
fn brotli(content: &[u8]) -> io::Result<Vec<u8>> {
    let quality = if content.len() <= 256 * 1024 { 9 } else { 5 };
    let parameters = brotli::enc::BrotliEncoderParams { quality, size_hint: content.len(), ..Default::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &content[..], &mut compressed, &parameters)?;
    Ok(compressed)
}

fn gzip(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        directory
    }

    #[test]
    fn only_visible_files_within_the_root_are_listed() {
        let outside = tree(&[("secret.txt", "s")]);
        let root =
            tree(&[("index.html", "x"), (".env", "x"), (".git/config", "x"), ("a/b.txt", "x"), (".well-known/s.txt", "x")]);
        std::os::unix::fs::symlink(outside.path().join("secret.txt"), root.path().join("leak.txt")).unwrap();
        std::os::unix::fs::symlink(outside.path(), root.path().join("leak")).unwrap();
        std::os::unix::fs::symlink("a/b.txt", root.path().join("link.txt")).unwrap();
        std::os::unix::fs::symlink(".env", root.path().join("env.txt")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.path().join("dangling")).unwrap();
        let cache = tempfile::tempdir().unwrap();
        let index = load_or_build(root.path(), &cache.path().join("c")).unwrap();
        let paths: Vec<_> = index.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, [".well-known/s.txt", "a/b.txt", "index.html", "link.txt"]);
    }

    #[test]
    fn only_what_shrinks_is_kept_compressed_and_a_damaged_cache_is_made_anew() {
        let text = "hello world ".repeat(1000);
        let root = tree(&[("a.txt", &text), ("b.txt", "short"), ("c.png", &text)]);
        let caches = tempfile::tempdir().unwrap();
        let cache = caches.path().join("c");
        let index = load_or_build(root.path(), &cache).unwrap();
        let kept: Vec<_> = index.files.iter().map(|file| (file.brotli.is_some(), file.gzip.is_some())).collect();
        assert_eq!(kept, [(true, true), (false, false), (false, false)]);
        let copy = variant_file(&cache, 0, "gz");
        let good = fs::read(&copy).unwrap();
        let mut plain = String::new();
        flate2::read::GzDecoder::new(&good[..]).read_to_string(&mut plain).unwrap();
        assert_eq!(plain, text);
        fs::write(&copy, b"cut").unwrap();
        load_or_build(root.path(), &cache).unwrap();
        assert_eq!(fs::read(&copy).unwrap(), good);
    }

    #[test]
    fn what_a_killed_process_left_is_removed() {
        let caches = tempfile::tempdir().unwrap();
        fs::create_dir(caches.path().join(".new-abc")).unwrap();
        fs::create_dir(caches.path().join("whole")).unwrap();
        clean(caches.path());
        assert!(!caches.path().join(".new-abc").exists() && caches.path().join("whole").exists());
    }
}
