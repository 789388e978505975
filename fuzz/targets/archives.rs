//! Uploads: nothing is written outside of the target, no link leads out of it, and the limits hold.
#![no_main]

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use sources::archive::{UnpackLimits, UnpackSummary, unpack};
use walkdir::WalkDir;

const LIMITS: UnpackLimits = UnpackLimits { bytes: 64 * 1024, files: 64, path_len: 300 };
const BLOCK: usize = 512;

/// Puts right the checksums of tar's headers (POSIX 1003.1, ustar), which chance would not: the rest is the fuzzer's.
fn with_checksums(tar: &[u8]) -> Vec<u8> {
    let mut tar = tar.to_vec();
    let mut at = 0;
    while let Some(header) = tar.get_mut(at..at + BLOCK) {
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().copied().map(u32::from).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let digits = std::str::from_utf8(&header[124..136]).unwrap_or_default().trim_matches(['\0', ' ']);
        let size = usize::from_str_radix(digits, 8).unwrap_or(0);
        at = at.saturating_add(BLOCK).saturating_add(size.div_ceil(BLOCK).saturating_mul(BLOCK));
    }
    tar
}

fn compressed(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(tar).and_then(|()| encoder.finish()).expect("memory takes it")
}

/// Counts what is there, and checks that each link stays inside.
fn look(target: &Path) -> UnpackSummary {
    let inside = target.canonicalize().expect("the target is there");
    let mut found = UnpackSummary::default();
    for entry in WalkDir::new(target) {
        let entry = entry.expect("what was unpacked can be read");
        assert!(entry.path().starts_with(target));
        if entry.path_is_symlink() {
            found.files += 1;
            if let Ok(leads_to) = entry.path().canonicalize() {
                assert!(leads_to.starts_with(&inside), "{} leads to {}", entry.path().display(), leads_to.display());
            }
        } else if entry.file_type().is_file() {
            found.files += 1;
            found.bytes += entry.metadata().expect("a file has a size").len();
        }
    }
    found
}

fuzz_target!(|data: &[u8]| {
    let Some((form, body)) = data.split_first() else { return };
    let archive = if form % 8 == 0 { body.to_vec() } else { compressed(&with_checksums(body)) };
    let memory = Path::new("/dev/shm");
    let around = tempfile::tempdir_in(if memory.is_dir() { memory } else { Path::new("/tmp") }).expect("a directory");
    let target = around.path().join("target");
    let result = unpack(archive.as_slice(), &target, &LIMITS);
    let found = look(&target);
    assert!(found.bytes <= LIMITS.bytes && found.files <= LIMITS.files, "{found:?}");
    if let Ok(summary) = result {
        assert_eq!(summary, found);
    }
    assert_eq!(fs::read_dir(around.path()).expect("it is there").count(), 1, "something was written beside the target");
});
