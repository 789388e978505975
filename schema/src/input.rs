//! Reading ids from input.

use std::fmt::Display;
use std::str::FromStr;

use async_graphql::ID;
use services::ServiceError;

/// The typed id in a field of the input.
pub fn parse_id<T: FromStr<Err: Display>>(field: &'static str, id: &ID) -> services::Result<T> {
    id.parse().map_err(|error: T::Err| ServiceError::invalid(field, "INVALID_ID", error))
}
