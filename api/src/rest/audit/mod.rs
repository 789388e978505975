//! The audit log.

mod routes;
mod view;

pub(super) use routes::{export_routes, routes};
