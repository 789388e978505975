//! Types of the API.

pub mod account;
pub mod roles;
pub mod team;
