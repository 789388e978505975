#![doc = include_str!("../README.md")]

mod auth;
mod hosts;
mod problem;
mod routes;
mod server;
mod telemetry;

pub use hosts::EdgeRouter;
pub use server::{MachineServer, Server, ServerSettings};
pub use telemetry::install_metrics;
