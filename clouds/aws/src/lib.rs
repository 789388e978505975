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
pub mod operations;
mod policy;
mod request;
mod sender;
mod sign;
mod static_site;
mod traffic;
mod vendor;
mod verify;
mod xml;

pub use about::ABOUT;
pub use policy::policy;
pub use vendor::Aws;
