//! The whole of MikroCloud, as its users meet it: the real binary, its command line, its API and what it serves.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

use authorisation::world;

mod audit;
mod authorisation;
mod clouds;
mod dashboard;
mod forecasts;
mod identity;
mod notifications;
mod operations;
mod projects;
mod protocol;
mod support;
