#![doc = include_str!("../README.md")]
// Futures of requests are deep.
#![recursion_limit = "256"]

mod about;
mod account;
mod arm;
mod base;
mod blob;
mod catalogue;
mod classify;
mod image;
mod login;
mod permissions;
mod registry;
mod revision;
mod servers;
mod sites;
mod template;
mod traffic;
mod types;
mod vendor;

pub use about::ABOUT;
pub use permissions::policy;
pub use vendor::Azure;
