//! Clouds of vendors, and the team's accounts there.

pub mod model;
pub mod mutation;
pub mod query;
