//! Passes requests on to processes.

mod body;
mod headers;
mod request;
mod tunnel;
mod upstream;

pub use request::ClientAddress;
pub(crate) use request::Outgoing;
pub(crate) use upstream::Upstream;
