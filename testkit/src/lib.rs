#![doc = include_str!("../README.md")]

mod certificate;
mod database;
mod dns;
pub mod docker;
mod moto;
mod object_server;
mod oracle;
mod pebble;
pub mod postgres;
mod postgres_server;
pub mod previous;
mod proxy;
mod redis;
mod setup;
mod tools;
mod wait;

pub use certificate::Certificate;
pub use database::Database;
pub use dns::DnsServer;
pub use moto::moto_server;
pub use object_server::{ObjectServer, ObjectVendor};
pub use oracle::check_recordings;
pub use pebble::Pebble;
pub use postgres_server::PostgresServer;
pub use proxy::Proxy;
pub use redis::Redis;
pub use tools::test_tool;
pub use wait::wait_until;
