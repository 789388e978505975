//! The scaled-out form, as real processes on a private PostgreSQL and Redis: api, worker and edge processes that are killed, stopped and
//! cut off.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

mod acme;
mod bad_starts;
mod clocks;
mod containers;
mod domains;
mod faults;
mod harness;
#[path = "../e2e/support/invariants.rs"]
mod invariants;
mod key_rotation;
mod limits;
mod notifications;
mod objects;
mod owners;
#[expect(dead_code, reason = "the end-to-end tests use more of it")]
#[path = "../e2e/support/processes.rs"]
mod processes;
#[expect(dead_code, reason = "the end-to-end tests use more of it")]
#[path = "../e2e/support/receiver.rs"]
mod receiver;
mod rest;
mod roles;
mod schedules;
mod secure;
mod sign_in;
mod subscriptions;
mod upgrade;
mod workers;
