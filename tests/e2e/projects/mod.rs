//! Projects: what is deployed, from where, and under which names.

pub mod acme;
pub mod approvals;
pub mod at_once;
pub mod bad_builds;
pub mod bad_servers;
pub mod bad_sources;
pub mod bad_uploads;
pub mod bad_values;
pub mod deploy;
pub mod domain_certificates;
pub mod domains;
pub mod engine;
pub mod events;
pub mod git_hosts;
pub mod schedules;
pub mod storage;
pub mod toolchains;
