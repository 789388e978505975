#![doc = include_str!("../README.md")]

pub mod postgres;
mod wait;

pub use wait::wait_until;
