//! Azure Resource Manager: one client, one way to follow operations, one kind of managed thing.

mod client;
mod operation;
mod thing;

pub use client::Arm;
pub use operation::{asked, follow};
pub use thing::{Resource, Thing, ready_when_succeeded, worldwide};
