//! What can be asked.

pub mod members;
pub mod teams;
