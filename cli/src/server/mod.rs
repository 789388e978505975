//! The server roles.

mod data_directory;
mod edge_router;
mod limits;
mod local_control;
mod logging;
mod master_key;
mod up;

pub use data_directory::{DATABASE, default_directory};
pub use limits::LimitOptions;
pub use up::up;
