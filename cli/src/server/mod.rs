//! The server roles: all in one process (`up`), or each in processes of its own.

mod acme;
mod address;
mod backup;
mod cluster;
mod data_directory;
mod edge_router;
mod fleet;
mod git_hosts;
mod key_rotation;
mod limits;
mod local_control;
mod logging;
mod master_key;
mod options;
mod outgoing;
mod requests;
mod roles;
mod serving;
mod sign_in;
mod storage;
mod up;
mod work;

pub use address::AddressOptions;
pub use backup::{backup, restore};
pub use data_directory::{DATABASE, default_directory};
pub use git_hosts::GitHostOptions;
pub use key_rotation::rotate_keys;
pub use limits::LimitOptions;
pub use options::{AlertOptions, ApiOptions, EdgeOptions, MigrateOptions, WorkerOptions, database_url};
pub use outgoing::OutgoingOptions;
pub use requests::RequestOptions;
pub use roles::{api, edge, migrate, worker};
pub use sign_in::SignInOptions;
pub use storage::StorageOptions;
pub use up::up;
