#![doc = include_str!("../README.md")]

mod aws;
mod azure;
mod control;
mod data_plane;
mod environment;
mod faults;
mod glob;
mod google;
mod http;
mod inventory;
mod kernel;
mod login;
mod recorder;
mod registry;
mod server;
mod settings;
mod world;

pub use control::NOT_SIMULATED;
pub use server::{Sandbox, run};
pub use settings::{Moto, Settings};
