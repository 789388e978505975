//! Why a handler refuses.

use axum::response::{IntoResponse, Response};
use services::ServiceError;

use crate::problem::{Problem, Refusal};

/// What handlers answer.
pub(in crate::rest) type Answer<T> = Result<T, Refused>;

/// Why a handler refuses.
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
