#![doc = include_str!("../README.md")]

mod builds;
mod cloud;
mod error;
mod provider;
mod traffic;
mod workload;

pub use builds::{BuildOutcome, BuildRequest, Builds, LogSink};
pub use cloud::Cloud;
pub use error::{CloudError, ErrorKind};
pub use provider::{Desired, Observation, Provider};
pub use traffic::{Reach, Route, Traffic};
