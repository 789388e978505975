#![doc = include_str!("../README.md")]

mod acme;
mod address;
mod backup;
mod clouds;
mod cluster;
mod data_directory;
mod edge_router;
pub mod failure;
mod fleet;
mod git_hosts;
mod installation;
mod key_rotation;
mod limits;
mod local_control;
mod logging;
mod master_key;
mod options;
mod outgoing;
mod questions;
mod requests;
mod roles;
mod serving;
mod sign_in;
mod storage;
mod up;
mod work;

pub use backup::{BackupOptions, RestoreOptions, backup, restore};
pub use data_directory::{DATABASE, default_directory};
pub use failure::Failure;
pub use installation::{DataDirectory, InstallationChoice};
pub use key_rotation::{RotateOptions, rotate_keys};
pub use options::{ApiOptions, EdgeOptions, MigrateOptions, UpOptions, WorkerOptions, database_url};
pub use questions::{check_database, container_engine, owner_link};
pub use roles::{api, edge, migrate, worker};
pub use up::{KeepCredential, up};
