#![doc = include_str!("../README.md")]

mod place;
mod wire;

pub use wire::{ORIGINAL_HOST, RegistryAddress, Wire, read};
