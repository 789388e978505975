//! What all of the API has in common, whatever it is about.

pub mod graphql;
pub mod headers;
pub mod limits;
pub mod rest;
pub mod rest_streams;
pub mod schemathesis;
pub mod tls;
