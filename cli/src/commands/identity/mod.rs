//! Identity: accounts, and their permissions.

pub mod account;
pub mod keys;
pub mod login;
pub mod members;
pub mod roles;
pub mod teams;
