//! Answers that the sandbox gives in place of what was deployed.

use http::StatusCode;

use crate::http::Answer;

/// Says on every answer that it is simulated, and of which cloud's service.
pub(super) const SIMULATED: &str = "x-mikrocloud-simulated";

/// The first broken link of the chain from a host to what it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    pub status: StatusCode,
    pub message: String,
}

impl Broken {
    /// A broken link, in plain words.
    pub fn new(message: impl Into<String>) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, message: message.into() }
    }

    /// The vendor refuses the visitor.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self { status: StatusCode::FORBIDDEN, message: message.into() }
    }

    /// Nothing has this address.
    pub fn unknown(host: &str) -> Self {
        Self { status: StatusCode::NOT_FOUND, message: format!("nothing in the sandbox has the address {host}") }
    }

    /// The answer for visitors.
    pub fn answer(&self) -> Answer {
        Answer::text(self.status, format!("{}\n", self.message))
    }
}
