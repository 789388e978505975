//! The edge: makes the desired state true on this machine and answers requests by host label.

mod body;
mod files;
mod page;

pub use body::{BoxError, EdgeBody};
