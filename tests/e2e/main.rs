//! The whole of MikroCloud, as its users meet it: the real binary, its command line, its API and what it serves.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

use authorisation::world;

mod access;
mod approvals;
mod at_once;
mod audit;
mod authorisation;
mod backup;
mod bad_builds;
mod bad_servers;
mod bad_sources;
mod bad_starts;
mod bad_uploads;
mod bad_values;
mod browser;
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
mod headers;
mod invariants;
mod invitations;
mod limits;
mod load;
mod node;
mod operations;
mod processes;
mod providers;
mod rest;
mod rest_streams;
mod schedules;
mod schemathesis;
mod second_factor;
mod secrets;
mod sign_in;
mod storage;
mod tls;
mod toolchains;
mod upgrade;
