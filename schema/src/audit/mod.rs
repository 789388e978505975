//! The audit log.

pub mod model;
pub mod mutation;
pub mod query;
