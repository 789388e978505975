//! The store on both databases: each test runs on a SQLite file and on a private PostgreSQL.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

mod access;
mod acme;
mod audit;
mod clouds;
mod common;
mod deployments;
mod domains;
mod dump;
mod environments;
mod events;
mod fixture;
mod git_hosts;
mod idempotency;
mod job_batches;
mod jobs;
mod leases;
mod logs;
mod notifications;
mod placements;
mod projects;
mod retention;
mod roles;
mod schedules;
mod schema;
mod sealed;
mod sign_in;
mod tenants;
mod transactions;
