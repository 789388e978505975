//! AWS, as the sandbox and moto simulate it: sites and servers that answer, switches, interruptions, faults, and nothing left. Without the tools that
//! `tools/install-test-tools` installs these tests have nothing to ask.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod account;
mod conformance;
mod servers;
mod sites;
mod support;
