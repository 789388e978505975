#![doc = include_str!("../README.md")]

mod auth;
mod browser;
mod client;
mod connections;
mod cors;
mod dashboard;
#[doc(hidden)]
pub mod fuzzing;
mod hosts;
mod limit;
mod load;
mod pages;
mod problem;
mod public_url;
mod rest;
mod routes;
mod security_headers;
mod server;
mod state;
mod telemetry;
mod tls;

pub use hosts::EdgeRouter;
pub use load::LoadLimits;
pub use rest::openapi;
pub use server::{Admission, MachineServer, Reach, Server, ServerSettings};
pub use telemetry::install_metrics;
pub use tls::{Tls, TlsError};
