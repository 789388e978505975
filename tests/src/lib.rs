#![doc = include_str!("../README.md")]

mod database;
pub mod postgres;
mod redis;
mod wait;

pub use database::Database;
pub use redis::Redis;
pub use wait::wait_until;
