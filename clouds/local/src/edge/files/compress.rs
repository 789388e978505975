//! Compression of a site's files, on all cores, while the site is served already.

use std::fs;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use tokio::sync::watch;

use super::asset::Asset;
use super::copies::CopyStore;
use super::parallel::for_each;
use super::site::Site;

/// Smaller files gain nothing from compression, bytes.
const SMALLEST: u64 = 1024;

/// Larger files would take long and much memory, bytes.
const LARGEST: u64 = 32 << 20;

/// Length of the beginning of a file by which it is judged, bytes.
const SAMPLE: usize = 64 * 1024;

/// Effort of brotli: from the next on, a few thousandths cost several times the time.
const QUALITY: i32 = 6;

/// Priority of the threads that compress: visitors go first.
const NICENESS: i32 = 10;

/// A content that is to be compressed, with the files that have it.
#[derive(Debug)]
pub(crate) struct Task {
    pub hash: String,
    pub assets: Vec<Arc<Asset>>,
}

/// Progress of a site's compression.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Files of the site.
    pub files: usize,
    /// Contents that were to be compressed.
    pub tasks: usize,
    /// Those of them that are done.
    pub done: usize,
    /// Indicates that another site is compressed first.
    pub waits: bool,
    /// Reason for which the rest is served as it is.
    pub problem: Option<String>,
}

impl Progress {
    /// Returns true if nothing more comes.
    pub fn is_over(&self) -> bool {
        self.done == self.tasks || self.problem.is_some()
    }
}

/// Returns true if a file of this size is worth a try.
pub(crate) fn is_worthwhile(size: u64) -> bool {
    (SMALLEST..=LARGEST).contains(&size)
}

/// Compresses and keeps what is to be compressed, until nobody has the site any more. Blocks.
pub(crate) fn compress(site: &Weak<Site>, tasks: &[Task], store: &CopyStore, progress: &watch::Sender<Progress>) {
    progress.send_modify(|progress| progress.waits = false);
    let failed = AtomicBool::new(false);
    for_each(tasks, |task| {
        if site.strong_count() == 0 || failed.load(Ordering::Relaxed) {
            return;
        }
        // A thread that may not be made less urgent does its work all the same.
        let _ = rustix::process::setpriority_process(None, NICENESS);
        match compress_one(task, store) {
            Ok(()) => progress.send_modify(|progress| progress.done += 1),
            Err(error) => {
                failed.store(true, Ordering::Relaxed);
                tracing::warn!(%error, "the compressed copies of a site's files are not kept");
                progress.send_modify(|progress| progress.problem = Some(error.to_string()));
            }
        }
    });
}

fn compress_one(task: &Task, store: &CopyStore) -> io::Result<()> {
    let Some(first) = task.assets.first() else { return Ok(()) };
    // Another site may have had the same content, and its turn before.
    let copies = if let Some(copies) = store.find(&task.hash) {
        copies
    } else {
        let (brotli, gzip) = encoded(&fs::read(&first.identity.file)?)?;
        store.keep(&task.hash, &brotli, &gzip)?
    };
    let file = store.file(&task.hash);
    task.assets.iter().for_each(|asset| asset.set_copies(copies, &file, &task.hash));
    Ok(())
}

/// The content in brotli and gzip; empty where that makes it no smaller.
fn encoded(content: &[u8]) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let sample = content.get(..SAMPLE).unwrap_or(content);
    // What hardly shrinks is compressed already, whatever its name says.
    if gzip(sample, flate2::Compression::fast())?.len() * 10 > sample.len() * 9 {
        return Ok((Vec::new(), Vec::new()));
    }
    let smaller = |compressed: Vec<u8>| if compressed.len() < content.len() { compressed } else { Vec::new() };
    Ok((smaller(brotli(content)?), smaller(gzip(content, flate2::Compression::default())?)))
}

fn brotli(content: &[u8]) -> io::Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams { quality: QUALITY, size_hint: content.len(), ..Default::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &content[..], &mut compressed, &parameters)?;
    Ok(compressed)
}

fn gzip(content: &[u8], level: flate2::Compression) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
    encoder.write_all(content)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn only_what_shrinks_is_compressed() {
        let text = "hello world ".repeat(1000).into_bytes();
        let (brotli, compressed) = encoded(&text).unwrap();
        let (mut from_brotli, mut from_gzip) = (Vec::new(), Vec::new());
        brotli::Decompressor::new(&brotli[..], 4096).read_to_end(&mut from_brotli).unwrap();
        flate2::read::GzDecoder::new(&compressed[..]).read_to_end(&mut from_gzip).unwrap();
        assert!(from_brotli == text && from_gzip == text);
        let packed: Vec<u8> = (0..1000_u32).flat_map(|number| Sha256::digest(number.to_be_bytes())).collect();
        assert_eq!(encoded(&packed).unwrap(), (Vec::new(), Vec::new()));
    }
}
