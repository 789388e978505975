//! The check of recorded exchanges against the vendors' own API descriptions, `tests/oracle`.

use std::path::Path;
use std::process::Command;

/// Checks everything that a sandbox recorded into a directory: requests to the vendors and the simulated answers.
///
/// # Panics
/// With the findings if an exchange is not what a vendor documents, and if nothing was recorded.
pub fn check_recordings(directory: &Path) {
    let oracle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/oracle");
    let entries = std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut recordings: Vec<_> = entries.map(|entry| entry.unwrap_or_else(|error| panic!("{error}")).path()).collect();
    recordings.sort();
    let mut check = Command::new("python3");
    // The folder may be read-only, and another test may read it at the same time.
    check.env("PYTHONDONTWRITEBYTECODE", "1").arg(oracle.join("check")).arg("--quiet");
    check.arg("--allow").arg(oracle.join("allow-moto.txt"));
    let output = check.args(recordings).output().unwrap_or_else(|error| panic!("python3: {error}"));
    assert!(
        output.status.success(),
        "exchanges that the vendors' descriptions do not know:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
