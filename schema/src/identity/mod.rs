//! People and what they may do: accounts, teams, members, roles, API keys.

pub mod model;
pub mod mutation;
pub mod query;
