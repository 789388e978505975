//! Types of the API.

pub mod approval;
pub mod deployment;
pub mod domain;
pub mod environment;
pub mod event;
pub mod git;
pub mod place;
pub mod project;
pub mod schedule;
