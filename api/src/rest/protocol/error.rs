//! Errors with which a handler refuses a request.

use axum::response::{IntoResponse, Response};
use services::ServiceError;

use crate::problem::{Problem, Refusal};

/// Result of a handler.
pub(in crate::rest) type Answer<T> = Result<T, Refused>;

/// Reason for which a handler refuses a request.
pub(in crate::rest) enum Refused {
    /// A service does.
    Service(ServiceError),
    /// HTTP does.
    Http(Refusal),
}

impl From<ServiceError> for Refused {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Http(refusal)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Service(error) => Problem(error).into_response(),
            Self::Http(refusal) => refusal.into_response(),
        }
    }
}
