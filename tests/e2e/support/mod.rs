//! Support of the tests: the binary at work, its clients, and stand-ins for other systems.

pub mod browser;
pub mod client;
pub mod fixtures;
pub mod git_host;
pub mod harness;
pub mod invariants;
pub mod node;
pub mod processes;
pub mod receiver;
pub mod sandbox;
