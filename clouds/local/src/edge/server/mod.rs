//! Servers: programs that listen, supervised.

mod backoff;
mod fixed_ports;
mod group;
mod program;
mod replica;
mod supervisor;

pub(crate) use fixed_ports::FixedPorts;
pub(crate) use group::{NoLease, ServerGroup};
