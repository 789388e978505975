//! The binary of the version before. Under nextest `tests/setup/previous` builds it once for the whole run; under plain `cargo test` the
//! same script does when a test asks.

use std::path::PathBuf;
use std::sync::OnceLock;

use crate::setup;

const VARIABLE: &str = "MIKROCLOUD_PREVIOUS";

static BINARY: OnceLock<Option<PathBuf>> = OnceLock::new();

/// Returns the path of the binary; `None` if its source is not available, which is reported on standard error.
///
/// # Panics
/// When it does not compile.
pub fn binary() -> Option<PathBuf> {
    let find = || std::env::var(VARIABLE).ok().or_else(|| setup::run("previous", VARIABLE)).map(PathBuf::from);
    BINARY.get_or_init(find).clone()
}
