//! The files of `deploy/`, `docker-compose.yml` and their documentation: valid to the tools that read them, true to the binary, and hardened.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod chart;
mod compose;
mod containers;
mod dockerfile;
mod known;
mod live;
mod tools;
mod units;
