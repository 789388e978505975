use std::fmt;

/// Kind of an error, the same over all clouds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request can never succeed as it is.
    Invalid,
    /// Absence of the named resource.
    NotFound,
    /// Somebody else changed or holds it.
    Conflict,
    /// The credentials do not allow it.
    Denied,
    /// A limit of the account or machine is reached.
    Exhausted,
    /// The cloud, or a part of it, does not answer.
    Unavailable,
    /// The cloud cannot do this at all.
    Unsupported,
    /// It was cancelled.
    Cancelled,
    /// A phase took longer than it may.
    TimedOut,
    /// A fault of ours.
    Internal,
}

/// An error of a cloud: what was tried, what went wrong for a person to read, whether trying again can help.
#[derive(Debug)]
pub struct CloudError {
    /// Kind of the error.
    pub kind: ErrorKind,
    /// A stable code for programs, in capitals, such as `BUILD_FAILED`.
    pub code: &'static str,
    /// Description of the error, with a remedy; safe to display to the user.
    pub message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl CloudError {
    /// An error without a deeper cause.
    pub fn new(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), source: None }
    }

    /// A fault of ours: the message says what was tried, the cause stays in the log.
    pub fn internal(message: impl Into<String>, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind: ErrorKind::Internal, code: "INTERNAL", message: message.into(), source: Some(source.into()) }
    }

    /// Adds the deeper cause, which is logged and never shown.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns true if a retry can succeed.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, ErrorKind::Unavailable | ErrorKind::Internal | ErrorKind::Conflict)
    }
}

impl fmt::Display for CloudError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CloudError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
