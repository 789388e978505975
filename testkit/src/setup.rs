//! Running the scripts of `tests/setup` where nextest did not.

use std::fmt::Display;
use std::path::Path;
use std::process::Command;

/// Runs a script and returns the variable that it writes; `None` when it writes none, which it explains on standard error.
///
/// # Panics
/// When it fails.
pub(crate) fn run(script: &str, variable: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/setup").join(script);
    let variables = tempfile::NamedTempFile::new().unwrap_or_else(failed("make a temporary file"));
    let mut command = Command::new(path);
    let status = command.env("NEXTEST_ENV", variables.path()).status().unwrap_or_else(failed("run a script of tests/setup"));
    assert!(status.success(), "tests/setup/{script} failed ({status}); it said why above");
    let written = std::fs::read_to_string(variables.path()).unwrap_or_else(failed("read what a script of tests/setup wrote"));
    written.lines().find_map(|line| line.strip_prefix(variable)?.strip_prefix('=')).map(str::to_owned)
}

pub(crate) fn failed<T, E: Display>(what: &str) -> impl FnOnce(E) -> T {
    move |error| panic!("could not {what}: {error}")
}
