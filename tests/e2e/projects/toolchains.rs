//! Each package manager and language for which there are rules builds a project and runs it.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::support::harness::{House, fixture};

/// The `PATH` on which this program is found: the usual one, or with the directories into which `tools/install-test-tools` installs.
/// `None`, with the reason on standard error, where it is not installed; that is a failure under `CI=true`.
fn path_to(program: &str) -> Option<String> {
    let tools = std::env::var_os("MIKROCLOUD_TEST_TOOLS").map(PathBuf::from);
    let tools = tools.or_else(|| Some(std::env::home_dir()?.join(".cache/mikrocloud/test-tools")));
    let own = tools.into_iter().flat_map(|tools| [tools.join("node_modules/.bin"), tools.join("uv/bin")]);
    let usual: OsString = std::env::var_os("PATH").unwrap_or_default();
    let directories: Vec<PathBuf> = own.chain(std::env::split_paths(&usual)).collect();
    if !directories.iter().any(|directory| directory.join(program).is_file()) {
        eprintln!("`{program}` is not installed (`make deps-test` installs it): this test is skipped");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"));
        return None;
    }
    Some(std::env::join_paths(directories).unwrap().into_string().unwrap())
}

/// Deploys the fixture of a program and expects its page, and this line in the log of the build.
async fn builds(program: &str, command: &str, page: &str) {
    let Some(path) = path_to(program) else { return };
    let house = House::start_with(&[("PATH", &path)]).await;
    let name = format!("{program}-server");
    let document = house.deploy(fixture(&name), &[]).await;
    assert_eq!(house.body(&name).await, format!("{page}\n"));
    let log = house.log(document["deployment"].as_str().unwrap()).await;
    assert!(log.contains(command), "`{command}` in\n{log}");
}

#[tokio::test]
async fn a_server_is_built_with_pnpm() {
    builds("pnpm", "$ pnpm install --frozen-lockfile", "Hello from a server built with pnpm, 2d").await;
}

#[tokio::test]
async fn a_server_is_built_with_yarn() {
    builds("yarn", "$ yarn install --frozen-lockfile", "Hello from a server built with yarn, 2d").await;
}

#[tokio::test]
async fn a_server_is_built_with_uv() {
    builds("uv", "$ uv export --frozen", "Hello from a server built with uv, six 1.17.0").await;
}

#[tokio::test]
async fn a_server_is_built_with_go() {
    builds("go", "$ go build", "Hello from a Go server").await;
}
