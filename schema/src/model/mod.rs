//! The types of the API.

pub mod deployment;
pub mod environment;
pub mod event;
pub mod job;
pub mod project;
pub mod schedule;
pub mod team;
