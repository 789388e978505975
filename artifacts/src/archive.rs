//! Trees as compressed archives, for the way to and from an object store.

use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// Writes a tree into an archive.
pub(crate) fn pack(tree: &Path, target: &Path) -> io::Result<()> {
    let mut archive = tar::Builder::new(GzEncoder::new(BufWriter::new(File::create(target)?), Compression::fast()));
    archive.follow_symlinks(false);
    archive.mode(tar::HeaderMode::Deterministic);
    archive.append_dir_all("", tree)?;
    archive.into_inner()?.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

/// Writes the content of an archive into an empty directory. Nothing is written outside of it, and no more than the limit, bytes.
pub(crate) fn unpack(archive: &Path, target: &Path, limit: u64) -> io::Result<()> {
    let mut archive = tar::Archive::new(GzDecoder::new(BufReader::new(File::open(archive)?)));
    archive.set_preserve_mtime(false);
    let mut left = limit;
    for entry in archive.entries()? {
        let mut entry = entry?;
        left = left.checked_sub(entry.size()).ok_or_else(|| io::Error::other("the archive is larger than it may be"))?;
        if !entry.unpack_in(target)? {
            return Err(io::Error::other("the archive holds a path that leads out of it"));
        }
    }
    Ok(())
}
