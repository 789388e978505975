//! Where a team's notifications go.

pub mod model;
pub mod mutation;
pub mod query;
