//! Types of the API.

pub mod alert;
pub mod job;
