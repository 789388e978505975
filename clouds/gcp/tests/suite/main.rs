//! Google Cloud, as the sandbox simulates it: deployments that answer, switches, interruptions, faults, and nothing left.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod account;
mod conformance;
mod life;
mod operations;
mod sites;
mod support;
