//! Resources in clouds, and the machines of the local one.

pub mod edges;
pub mod local;
pub mod resources;
