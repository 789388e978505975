//! The clients of container engines.

/// A command line client of a container engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Docker's.
    Docker,
    /// Podman's, which is its engine too.
    Podman,
}

impl Client {
    /// All, the one that is tried first before the others.
    pub const ALL: [Self; 2] = [Self::Docker, Self::Podman];

    /// Its program.
    pub fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }

    /// Returns the arguments that query the version, which only an engine that answers can state.
    pub(super) fn question(self) -> [&'static str; 3] {
        match self {
            Self::Docker => ["version", "--format", "Docker {{.Server.Version}}"],
            Self::Podman => ["info", "--format", "Podman {{.Version.Version}}"],
        }
    }
}
