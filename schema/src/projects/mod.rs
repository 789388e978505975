//! Projects, and what belongs to one: environments, deployments and what they say, schedules, Git hosts, domains.

pub mod model;
pub mod mutation;
pub mod query;
