//! Environment of a build: the part of the machine that it sees.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use domain::build::BuildStep;
use domain::secret::Secret;

use super::Build;

/// Variables that builds inherit from our environment: the proxies of the network, its trusted certificates, and the location of
/// toolchains.
const PASSED_ON: &[&str] = &[
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "RUSTUP_TOOLCHAIN",
];

/// Directories of package managers' downloads, below the project's cache.
const CACHES: &[(&str, &str)] = &[
    ("npm_config_cache", "npm"),
    // Where pnpm has its store.
    ("XDG_DATA_HOME", "data"),
    ("YARN_CACHE_FOLDER", "yarn"),
    ("COREPACK_HOME", "corepack"),
    ("PIP_CACHE_DIR", "pip"),
    ("UV_CACHE_DIR", "uv"),
    ("GOCACHE", "go-build"),
    ("GOMODCACHE", "go-mod"),
    ("CARGO_HOME", "cargo"),
    ("CARGO_TARGET_DIR", "cargo-target"),
    ("COMPOSER_CACHE_DIR", "composer"),
    ("BUN_INSTALL_CACHE_DIR", "bun"),
    ("GRADLE_USER_HOME", "gradle"),
    ("XDG_CACHE_HOME", "other"),
];

/// Makes the build's home, its directory for temporary files and its caches.
pub(super) async fn prepare(build: &Build<'_>) -> io::Result<()> {
    for name in ["home", "tmp"] {
        tokio::fs::create_dir(build.aside.path().join(name)).await?;
    }
    for (_, directory) in CACHES {
        tokio::fs::create_dir_all(build.cache.join(directory)).await?;
    }
    Ok(())
}

/// The whole environment of a step, with `PATH` where the project has programs of its own. What comes later wins.
pub(super) fn variables(build: &Build<'_>, step: &BuildStep) -> Vec<(String, Secret)> {
    let text = |path: &Path| Secret::new(path.to_string_lossy());
    let own = |name: &str, value: Secret| (name.to_owned(), value);
    let mut env: Vec<(String, Secret)> =
        PASSED_ON.iter().filter_map(|name| Some(own(name, Secret::new(std::env::var(name).ok()?)))).collect();
    env.extend(rustup_home().map(|home| own("RUSTUP_HOME", home)));
    env.extend(CACHES.iter().map(|(name, directory)| own(name, text(&build.cache.join(directory)))));
    env.push(own("CI", Secret::new("1")));
    env.push(own("NO_UPDATE_NOTIFIER", Secret::new("1")));
    // Maven knows no variable for its packages but the options of its virtual machine.
    env.push(own("MAVEN_OPTS", Secret::new(format!("-Dmaven.repo.local={}", build.cache.join("maven").display()))));
    // Go keeps modules read-only otherwise, and nobody could remove the cache.
    env.push(own("GOFLAGS", Secret::new("-modcacherw")));
    env.extend(step.env.iter().map(|(name, value)| own(name, Secret::new(value))));
    env.extend(build.request.variables.iter().cloned());
    if !build.request.plan.path.is_empty() && !env.iter().any(|(name, _)| name == "PATH") {
        env.push(own("PATH", crate::process::path_before(&build.request.directory, &build.request.plan.path)));
    }
    env.push(own("HOME", text(&build.aside.path().join("home"))));
    env.push(own("TMPDIR", text(&build.aside.path().join("tmp"))));
    env
}

/// Removes a directory of which a build may have made parts read-only.
pub(super) fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            // A directory is opened up before what is in it is looked at.
            for entry in walkdir::WalkDir::new(directory).into_iter().filter_entry(|entry| {
                !entry.file_type().is_dir() || fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o700)).is_ok()
            }) {
                entry?;
            }
            fs::remove_dir_all(directory)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Rustup's `cargo` looks for its toolchains below the home that builds do not have.
fn rustup_home() -> Option<Secret> {
    let named = std::env::var_os("RUSTUP_HOME").map(std::path::PathBuf::from);
    let home = named.or_else(|| Some(std::env::home_dir()?.join(".rustup")))?;
    home.is_dir().then(|| Secret::new(home.to_string_lossy()))
}
