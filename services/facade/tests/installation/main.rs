//! Use cases over a whole installation: a database, all areas, and a cloud that runs nothing.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod audit;
mod cloud_accounts;
mod clouds;
mod domains;
mod house;
mod idempotency;
mod members;
mod ownership;
mod project_names;
mod retention_clock;
mod unit_of_work;
