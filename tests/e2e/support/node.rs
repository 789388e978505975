//! Programs of Node that MikroCloud did not write.

use std::path::{Path, PathBuf};

use tokio::process::Command;

/// The directory of one of our packages of Node with what it depends on installed, once for all tests and runs, and its programs.
pub async fn npm_package(name: &str, programs: &[&str]) -> PathBuf {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/e2e/support").join(name);
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let installed = cache.join(name);
    let is_present = |file: &str| std::fs::read(sources.join(file)).ok() == std::fs::read(installed.join(file)).ok();
    if !is_present("package-lock.json") {
        let fresh = tempfile::tempdir_in(cache).unwrap();
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(sources.join(file), fresh.path().join(file)).unwrap();
        }
        let status = Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--silent"]).current_dir(fresh.path()).status();
        assert!(status.await.expect("npm is installed").success(), "npm ci");
        // An older one makes room. Another test may have been faster; its directory is as good.
        if installed.exists() && !is_present("package-lock.json") {
            let _ = std::fs::rename(&installed, tempfile::tempdir_in(cache).unwrap().keep().join("old"));
        }
        let _ = std::fs::rename(fresh.keep(), &installed);
    }
    // The programs themselves are always the present ones. Renaming makes each whole for a test that starts it at the same moment.
    for program in programs {
        let beside = tempfile::NamedTempFile::new_in(&installed).unwrap();
        std::fs::copy(sources.join(program), beside.path()).unwrap();
        beside.persist(installed.join(program)).unwrap();
    }
    installed
}
