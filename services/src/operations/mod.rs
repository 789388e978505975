//! Operations of an installation: jobs and queues, backups, keys, housekeeping, first start.

pub mod backup;
pub(crate) mod housekeeping;
pub(crate) mod jobs;
pub mod key_rotation;
pub(crate) mod queues;
pub(crate) mod setup;
pub(crate) mod watch;

use crate::handle;

handle! {
    /// Background jobs of a team.
    jobs: Jobs
}
handle! {
    /// Queues of the installation.
    queues: Queues
}
handle! {
    /// The loop that fires schedules and raises alerts on what did not happen.
    watcher: Watcher
}
