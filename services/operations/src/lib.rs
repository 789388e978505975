#![doc = include_str!("../README.md")]

pub mod backup;
mod housekeeping;
mod jobs;
pub mod key_rotation;
mod queues;
mod services;
mod watch;

pub use housekeeping::Housekeeper;
pub use queues::{Queue, QueueChange};
pub use services::OperationsServices;

use services_core::handle;

handle! {
    /// Background jobs of a team.
    jobs: Jobs over OperationsServices
}
handle! {
    /// Queues of the installation.
    queues: Queues over OperationsServices
}
handle! {
    /// The loop that fires schedules and raises alerts on what did not happen.
    watcher: Watcher over OperationsServices
}
