#![doc = include_str!("../README.md")]

mod database;
pub mod postgres;
mod wait;

pub use database::Database;
pub use wait::wait_until;
