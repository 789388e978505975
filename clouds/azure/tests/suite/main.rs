//! Azure, as the sandbox simulates it: deployments that answer, switches, interruptions, and nothing left.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod account;
mod conformance;
mod sites;
mod support;
