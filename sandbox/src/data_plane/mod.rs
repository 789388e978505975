//! Data plane: serves what was deployed, at the addresses that the clouds give it.

mod artifact;
mod caddy;
mod chain;
mod command;
mod image;
mod page;
mod plan;
mod plane;
mod unpack;

pub(crate) use plane::DataPlane;

/// State of what runs for a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Runtime {
    /// It is being started.
    Starting,
    /// It answers.
    Ready,
    /// It did not come up; the reason is for people.
    Failed(String),
    /// It cannot be run on this machine; the reason is for people.
    NotRun(String),
}

/// State of what runs, by the key of a revision.
pub(crate) trait Runtimes: Sync {
    fn of(&self, key: &str) -> Runtime;
}
