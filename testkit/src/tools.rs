//! Programs that `tools/install-test-tools` installs.

use std::path::PathBuf;

/// The directory they are in; `None` where no home is known.
pub(crate) fn test_tools() -> Option<PathBuf> {
    let tools = std::env::var_os("MIKROCLOUD_TEST_TOOLS").map(PathBuf::from);
    tools.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/mikrocloud/test-tools")))
}

/// The directory of one of them. `None` where it is not installed, which is said on standard error.
///
/// # Panics
/// Under `CI=true` when it is not installed.
pub fn test_tool(name: &str) -> Option<PathBuf> {
    let found = test_tools().map(|tools| tools.join(name)).filter(|directory| directory.is_dir());
    if found.is_none() {
        eprintln!("{name} is not installed: its tests are skipped. `make deps-test` installs it");
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{name} is not installed");
    }
    found
}
