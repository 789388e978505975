use async_graphql::{Error, ErrorExtensions, SimpleObject};
use services::ServiceError;

/// Something about the input for the caller to fix.
#[derive(Debug, Clone, SimpleObject)]
pub struct UserError {
    /// The field of the input it is about.
    pub field: Option<String>,
    /// The problem and its remedy.
    pub message: String,
    /// Stable, in capitals.
    pub code: String,
}

/// A service's error as GraphQL shows it: a message for people, `extensions.code` for programs. Causes go to the log and nowhere else.
#[expect(clippy::needless_pass_by_value, reason = "the form that `map_err` takes")]
pub fn to_graphql(error: ServiceError) -> Error {
    if let ServiceError::Internal(cause) = &error {
        tracing::error!(error = %cause, cause = ?cause.source().map(ToString::to_string), "a request failed because of a fault of ours");
    }
    let shown = Error::new(error.to_string());
    shown.extend_with(|_, extensions| {
        extensions.set("code", error.code().name());
        if let ServiceError::Invalid { field, code, .. } = &error {
            extensions.set("field", *field);
            extensions.set("reason", *code);
        }
        if let Some(seconds) = error.retry_seconds() {
            extensions.set("retryAfter", seconds);
        }
    })
}

/// Splits what went wrong into what the caller can fix, which belongs into the payload, and the rest.
pub(crate) fn user_errors<T>(result: services::Result<T>) -> async_graphql::Result<(Option<T>, Vec<UserError>)> {
    match result {
        Ok(value) => Ok((Some(value), Vec::new())),
        Err(ServiceError::Invalid { field, code, message }) => {
            Ok((None, vec![UserError { field: Some(field.to_owned()), message, code: code.to_owned() }]))
        }
        Err(error @ ServiceError::NotFound(_)) => {
            Ok((None, vec![UserError { field: None, message: error.to_string(), code: error.code().name().to_owned() }]))
        }
        Err(error) => Err(to_graphql(error)),
    }
}
