#![doc = include_str!("../README.md")]

mod about;
mod account;
mod answer;
mod base;
mod catalogue;
mod classify;
mod client;
mod keys;
mod login;
mod managed;
mod network;
pub mod operations;
mod policy;
mod release;
mod request;
mod routes;
mod sender;
mod servers;
mod sign;
mod sizes;
mod static_site;
mod traffic;
mod variables;
mod vendor;
mod verify;
mod xml;

pub use about::ABOUT;
pub use policy::policy;
pub use vendor::Aws;
