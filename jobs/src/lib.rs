#![doc = include_str!("../README.md")]

mod batch;
pub mod bus;
pub mod dispatch;
pub mod handler;
pub mod payload;
pub mod redis;
pub mod runner;
pub mod sweeper;
pub mod trace;
pub mod workers;

pub use crate::redis::{Redis, RedisUrl};
pub use bus::{EventBus, Topic};
pub use dispatch::Wakeups;
pub use handler::{Handler, JobAttempt, JobError, Later, Outcome, Registration};
pub use runner::{LeaseSettings, Runner};
pub use sweeper::{Housekeeping, Sweeper};
pub use workers::Workers;
