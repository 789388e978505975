//! Failure of a command.

use serde_json::json;

/// Wrong use of the command line; the same status as clap's.
pub const USAGE: u8 = 2;
const FAILED: u8 = 1;
const NOT_SIGNED_IN: u8 = 4;

/// Reason for which a command failed, and the exit status that expresses it.
#[derive(Debug)]
pub struct Failure {
    /// 1 failed, 2 usage, 4 not signed in.
    pub exit: u8,
    /// Stable, in capitals.
    pub code: String,
    /// The problem and its remedy.
    pub message: String,
    /// Indicates that the command printed its JSON document already.
    pub printed: bool,
}

impl Failure {
    /// Builds the failure of a request that was not carried out.
    pub fn failed(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { exit: FAILED, code: code.into(), message: message.into(), printed: false }
    }

    /// The command line asks for something that cannot be.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: USAGE, code: "USAGE".to_owned(), message: message.into(), printed: false }
    }

    /// No credential, or one that is not taken.
    pub fn not_signed_in(message: impl Into<String>) -> Self {
        Self { exit: NOT_SIGNED_IN, code: "UNAUTHENTICATED".to_owned(), message: message.into(), printed: false }
    }

    /// Says what went wrong: as the one JSON document on stdout, or as a line on stderr.
    pub fn print(&self, as_json: bool) {
        if as_json && !self.printed {
            println!("{}", json!({"error": {"code": self.code, "message": self.message}}));
        } else {
            eprintln!("error: {}", self.message);
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::failed("FAILED", format!("{error:#}"))
    }
}
