//! The events and logs of deployments.

mod feeds;
mod routes;

pub(in crate::rest) use routes::routes;
