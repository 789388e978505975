#![doc = include_str!("../README.md")]

pub mod build;
mod cause;
mod cloud;
pub mod control;
pub mod edge;
pub mod engine;
pub mod placement;
pub mod process;

pub use cloud::{Edges, LocalCloud};
