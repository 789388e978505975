//! Mutations.

pub mod account;
pub mod roles;
pub mod teams;
