//! Resources in clouds: accounts, places and journal of those of vendors, and the machines of the local one.

pub mod accounts;
pub mod bases;
pub mod edges;
pub mod journal;
pub mod local;
pub mod placements;
pub mod resources;
