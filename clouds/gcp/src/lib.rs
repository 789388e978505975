#![doc = include_str!("../README.md")]

mod about;
mod account;
mod answer;
mod base;
mod catalogue;
mod classify;
mod client;
mod key;
mod login;
mod managed;
pub mod operations;
mod policy;
mod release;
mod servers;
mod service;
mod sizes;
mod static_site;
mod template;
mod traffic;
mod variables;
mod vendor;
mod verify;

pub use about::ABOUT;
pub use policy::policy;
pub use vendor::Gcp;
