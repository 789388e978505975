//! Queries.

pub mod members;
pub mod teams;
