//! The whole of MikroCloud, as its users meet it: the real binary, its command line, its API and what it serves.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

mod access;
mod client;
mod crash;
mod deploy;
mod events;
mod fixtures;
mod harness;
mod load;
mod operations;
mod processes;
