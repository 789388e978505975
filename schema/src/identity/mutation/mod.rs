//! What can be changed.

pub mod account;
pub mod roles;
pub mod teams;
