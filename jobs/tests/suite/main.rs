//! Workers, runner and sweeper over both databases, with handlers that do what the test asks for.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

mod common;
mod crashes;
mod failures;
mod many;
mod redis;
mod redis_forms;
mod rig;
mod running;
mod stopping;
mod waking;
