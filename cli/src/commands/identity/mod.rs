//! Who somebody is, and who may do what.

pub mod account;
pub mod keys;
pub mod login;
pub mod members;
pub mod roles;
pub mod teams;
