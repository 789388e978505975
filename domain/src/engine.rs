//! State of the container engine of a build machine.

/// Availability of a container engine. An engine counts only if it answers: a client alone builds nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContainerEngine {
    /// There is no client of any known engine.
    Missing,
    /// A client is installed, but its engine does not answer.
    Silent {
        /// The client's program, such as `docker`.
        client: String,
        /// Message of the engine, on one line.
        reason: String,
    },
    /// One answers.
    Answers {
        /// Its name and version, such as `Docker 28.2.2`.
        name: String,
    },
}
