//! The types of the API.

pub mod deployment;
pub mod environment;
pub mod event;
pub mod project;
pub mod team;
