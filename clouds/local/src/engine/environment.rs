//! Environment of an engine's client: the variables that it inherits from ours, and those of a project that it must not see.

use domain::secret::Secret;

/// Variables that clients inherit from our environment: the engine's address, the credentials, and the state directory of
/// rootless engines. Builds and workloads get none of it.
const PASSED_ON: &[&str] = &[
    "HOME",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "DBUS_SESSION_BUS_ADDRESS",
    "SSH_AUTH_SOCK",
    "DOCKER_HOST",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_TLS_VERIFY",
    "DOCKER_CERT_PATH",
    "DOCKER_API_VERSION",
    "DOCKER_BUILDKIT",
    "CONTAINER_HOST",
    "CONTAINER_CONNECTION",
    "CONTAINERS_CONF",
    "CONTAINERS_STORAGE_CONF",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Beginnings of names that clients, their language's runtime or the system's loader read.
const READ_BEGINNINGS: &[&str] = &[
    "DOCKER_",
    "BUILDKIT_",
    "BUILDX_",
    "BUILDAH_",
    "CONTAINER_",
    "CONTAINERS_",
    "PODMAN_",
    "XDG_",
    "LD_",
    "GLIBC_",
    "MALLOC_",
    "OTEL_",
    "SSL_",
    "SSH_",
    "MIKROCLOUD_",
    "_",
];

/// Other names that they read.
const READ: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "TMPDIR",
    "TMP",
    "TEMP",
    "HOSTALIASES",
    "RES_OPTIONS",
    "LOCALDOMAIN",
    "NOTIFY_SOCKET",
    "GODEBUG",
    "GOGC",
    "GOMAXPROCS",
    "GOMEMLIMIT",
    "GOTRACEBACK",
    "GOCOVERDIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "REGISTRY_AUTH_FILE",
    "STORAGE_DRIVER",
    "STORAGE_OPTS",
    "GNUPGHOME",
];

/// The environment of a client, but for `PATH` and `LANG`.
pub(crate) fn client_environment() -> Vec<(String, Secret)> {
    let variable = |name: &str, value: String| (name.to_owned(), Secret::new(value));
    let passed = PASSED_ON.iter().filter_map(|name| Some(variable(name, std::env::var(name).ok()?)));
    // A service may run without `HOME`; its user has one nevertheless, where clients have their configuration.
    let home = std::env::home_dir().map(|home| variable("HOME", home.to_string_lossy().into_owned()));
    home.into_iter().chain(passed).collect()
}

/// Returns true if a variable of this name affects a client itself rather than its build or container: a project's variable must
/// not choose the engine that is used, or the code that the client loads.
pub(crate) fn is_read_by_clients(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    READ.contains(&upper.as_str())
        || READ_BEGINNINGS.iter().any(|beginning| upper.starts_with(beginning))
        || upper.ends_with("_PROXY")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_steer_a_client_are_known() {
        for name in
            ["PATH", "DOCKER_HOST", "LD_PRELOAD", "GODEBUG", "https_proxy", "ALL_PROXY", "CONTAINERS_CONF", "TMPDIR", "home"]
        {
            assert!(is_read_by_clients(name), "{name}");
        }
        for name in ["DATABASE_URL", "API_KEY", "PORT", "NODE_ENV", "PATHS", "GOOGLE_KEY", "CONTAINER"] {
            assert!(!is_read_by_clients(name), "{name}");
        }
        assert!(PASSED_ON.iter().all(|name| is_read_by_clients(name)));
    }
}
