//! The simulated clouds over HTTP, as a client of the vendors meets them.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

mod apps;
mod aws;
mod azure;
mod blobs;
mod control;
mod google;
mod images;
mod run;
mod sites;
mod support;
