//! The edge with real processes, over a control plane in memory.

mod control;
mod functions;
mod limits;
mod proxy;
mod restart;
mod servers;
mod sites;
mod support;
