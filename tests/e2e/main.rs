//! The whole of MikroCloud, as its users meet it: the real binary, its command line, its API and what it serves.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

mod access;
mod approvals;
mod at_once;
mod authorisation;
mod backup;
mod bad_builds;
mod bad_servers;
mod bad_sources;
mod bad_starts;
mod bad_uploads;
mod bad_values;
mod client;
mod crash;
mod deploy;
mod disk;
mod engine;
mod events;
mod fixtures;
mod grants;
mod graphql;
mod harness;
mod invariants;
mod limits;
mod load;
mod operations;
mod processes;
mod schedules;
mod storage;
mod toolchains;
mod upgrade;
