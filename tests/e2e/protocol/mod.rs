//! Behaviour that all of the API shares, whatever the resource.

pub mod graphql;
pub mod headers;
pub mod limits;
pub mod rest;
pub mod rest_streams;
pub mod schemathesis;
pub mod tls;
