//! The edge with real processes, over a control plane in memory.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

mod functions;
mod limits;
mod proxy;
mod restart;
mod servers;
mod sites;
mod support;
