//! Errors of use cases.

use domain::access::Permission;
use jobs::JobError;
use store::StoreError;

/// Stable codes that clients can rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// No valid credential was shown.
    Unauthenticated,
    /// The credential does not allow it.
    Forbidden,
    /// There is no such thing, or it belongs to another team.
    NotFound,
    /// The input cannot be taken.
    BadInput,
    /// It is no longer as the caller saw it.
    PreconditionFailed,
    /// Too many requests were made.
    RateLimited,
    /// It cannot be done at this moment.
    Unavailable,
    /// A fault of ours.
    Internal,
}

impl ErrorCode {
    /// The code as clients see it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::BadInput => "BAD_INPUT",
            Self::PreconditionFailed => "PRECONDITION_FAILED",
            Self::RateLimited => "RATE_LIMITED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }
}

/// Reason for which a use case was not carried out. `Display` is the text for the user; causes stay in the log.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// No valid credential; the text says which and what to do.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The actor may not do this.
    #[error("this needs the permission `{}`: ask an owner or admin of the team for it", .0.name())]
    Denied(Permission),
    /// There is no such thing, or it belongs to another team.
    #[error("there is no such {0}: check the id, and that it belongs to your team")]
    NotFound(&'static str),
    /// The input cannot be taken.
    #[error("{message}")]
    Invalid {
        /// The field of the input, in the API's spelling.
        field: &'static str,
        /// Stable, in capitals.
        code: &'static str,
        /// The problem and its remedy.
        message: String,
    },
    /// It is no longer as the caller saw it, who asked for nothing to be done then.
    #[error("conflict: it was modified since you read it. Fetch it again and retry your change")]
    Changed,
    /// Too many requests were made.
    #[error("more than {limit} requests in {window_seconds} seconds: try again in {retry_seconds} seconds")]
    RateLimited {
        /// Maximum number of requests in a window.
        limit: u32,
        /// Length of a window.
        window_seconds: u64,
        /// Time until more requests are allowed.
        retry_seconds: u64,
    },
    /// One user follows too much at once.
    #[error("you follow {limit} deployments and projects at once, the most one may: end some of these streams")]
    TooManyFeeds {
        /// The most at once.
        limit: usize,
    },
    /// Too many attempts to sign in failed in a row.
    #[error("too many attempts failed in a row: try again in {retry_seconds} seconds")]
    TooManyAttempts {
        /// Time until another one may be made.
        retry_seconds: u64,
    },
    /// It cannot be done in this way, whoever asks.
    #[error("{0}")]
    Forbidden(&'static str),
    /// It cannot be done at this moment.
    #[error("{0}")]
    Unavailable(String),
    /// A fault of ours.
    #[error("internal error: the server's log has the details under this request's id")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ServiceError {
    /// An error about one field of the input.
    #[expect(clippy::needless_pass_by_value, reason = "callers hand over texts and errors they have no other use for")]
    pub fn invalid(field: &'static str, code: &'static str, message: impl ToString) -> Self {
        Self::Invalid { field, code, message: message.to_string() }
    }

    /// A fault of ours with its cause.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    /// There is no room on the server's disk.
    pub fn disk_full() -> Self {
        Self::Unavailable("the server's disk is full: free some space in its data directory and try again".to_owned())
    }

    /// After how many seconds the same can be tried again, where that is known.
    pub fn retry_seconds(&self) -> Option<u64> {
        match self {
            Self::RateLimited { retry_seconds, .. } | Self::TooManyAttempts { retry_seconds } => Some(*retry_seconds),
            _ => None,
        }
    }

    /// The code as clients see it.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Unauthenticated(_) => ErrorCode::Unauthenticated,
            Self::Denied(_) | Self::Forbidden(_) => ErrorCode::Forbidden,
            Self::NotFound(_) => ErrorCode::NotFound,
            Self::Invalid { .. } => ErrorCode::BadInput,
            Self::Changed => ErrorCode::PreconditionFailed,
            Self::RateLimited { .. } | Self::TooManyFeeds { .. } | Self::TooManyAttempts { .. } => ErrorCode::RateLimited,
            Self::Unavailable(_) => ErrorCode::Unavailable,
            Self::Internal(_) => ErrorCode::Internal,
        }
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::DiskFull => Self::disk_full(),
            error => Self::internal(error),
        }
    }
}

/// Converts the error of a use case into the outcome of its job.
pub fn as_job_error(error: &ServiceError) -> JobError {
    match error {
        ServiceError::Internal(cause) if matches!(cause.downcast_ref(), Some(StoreError::LeaseLost)) => JobError::Stopped,
        error => JobError::Retry(jobs::handler::chain(error)),
    }
}

/// Returns true if an error comes from a full disk.
pub fn is_disk_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let full = |error: &std::io::Error| error.kind() == std::io::ErrorKind::StorageFull;
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.downcast_ref().is_some_and(full))
}
