//! The machine's container engine, driven by its own command line client (docs/adr/0007-container-engine-by-its-client.md).

mod call;
mod client;
mod container;
mod environment;
mod holdings;
mod image;
mod own;
mod variables;

pub use client::Client;
pub(crate) use container::{Call, Container, Run};
pub(crate) use environment::{client_environment, is_read_by_clients};
pub(crate) use image::{ARCHIVE, Image};
pub use own::Engine;
