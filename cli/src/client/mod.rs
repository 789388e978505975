//! The public API, from the command line's side: the same that everybody else uses.

pub mod api;
pub mod credentials;
pub mod follow;
pub mod operations;
pub mod output;
pub mod sign_in;
pub mod upload;
