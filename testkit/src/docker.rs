//! A private Docker. Under nextest `tests/setup/docker` starts one for the whole run; under plain `cargo test` each test program starts
//! its own with the same script. Either stops when whoever started it is gone.

use std::sync::OnceLock;

use crate::setup;

const VARIABLE: &str = "MIKROCLOUD_TEST_DOCKER";

static ADDRESS: OnceLock<Option<String>> = OnceLock::new();

/// Its address, as `DOCKER_HOST` takes it. `None` where it cannot run, which is said on standard error.
///
/// # Panics
/// When Docker does not start, and under `CI=true` also when it cannot run here.
pub fn address() -> Option<&'static str> {
    ADDRESS.get_or_init(|| std::env::var(VARIABLE).ok().or_else(|| setup::run("docker", VARIABLE))).as_deref()
}
