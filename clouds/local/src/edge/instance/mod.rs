//! One running process that answers requests.

mod elsewhere;
mod launch;
mod pool;
mod port;
mod probe;
mod running;

pub(crate) use launch::{LaunchError, LaunchPlan, StartFailure, launch};
pub(crate) use pool::{Instance, Lease, Pool};
pub(crate) use port::is_free;
pub(crate) use probe::Probe;
pub(crate) use running::{Ended, Running};
