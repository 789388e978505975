use std::fmt;
use std::time::Duration;

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
    /// The credentials are not accepted at all: the account has to be connected again.
    SignedOut,
    /// Too many requests for now.
    Throttled,
    /// The thing is being changed just now.
    Busy,
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
    /// The answer got lost: it may have happened, or not.
    Ambiguous,
    /// A fault of ours.
    Internal,
}

/// Manner in which trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It cannot.
    Never,
    /// After a moment.
    Soon,
    /// Not before this time is over.
    After(Duration),
    /// It may have happened: the thing is looked at first.
    Look,
    /// Somebody else changed it: it is read again first.
    Reread,
    /// Once the account is connected again.
    Reconnect,
}

impl ErrorKind {
    /// Manner in which trying again can help, where the vendor says nothing more precise.
    fn retry(self) -> Retry {
        match self {
            Self::Unavailable | Self::Internal | Self::Throttled | Self::Busy => Retry::Soon,
            Self::Conflict => Retry::Reread,
            Self::Ambiguous | Self::TimedOut => Retry::Look,
            Self::SignedOut => Retry::Reconnect,
            Self::Invalid | Self::NotFound | Self::Denied | Self::Exhausted | Self::Unsupported | Self::Cancelled => Retry::Never,
        }
    }
}

/// Call that an error came from, for the log. People read [`CloudError::message`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorContext {
    /// The cloud, such as `gcp`.
    pub cloud: &'static str,
    /// The vendor's service, such as `run`.
    pub service: &'static str,
    /// The operation, such as `services.create`.
    pub operation: &'static str,
    /// HTTP status of the answer.
    pub status: Option<u16>,
    /// The vendor's own code.
    pub vendor_code: Option<String>,
    /// The vendor's id of the request.
    pub request_id: Option<String>,
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
    /// Manner in which trying again can help.
    pub retry: Retry,
    context: Option<Box<ErrorContext>>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl CloudError {
    /// An error without a deeper cause.
    pub fn new(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), retry: kind.retry(), context: None, source: None }
    }

    /// A fault of ours: the message says what was tried, the cause stays in the log.
    pub fn internal(message: impl Into<String>, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Internal, "INTERNAL", message).caused_by(source)
    }

    /// The same with what a vendor says of trying again.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Adds the call that it came from.
    #[must_use]
    pub fn of_call(mut self, context: ErrorContext) -> Self {
        self.context = Some(Box::new(context));
        self
    }

    /// The same with what is known of the call that it came from; what the error knows itself stays.
    #[must_use]
    pub(crate) fn within_call(mut self, cloud: &'static str, service: &'static str, operation: &'static str) -> Self {
        let known = self.context.take().map(|context| *context).unwrap_or_default();
        self.context = Some(Box::new(ErrorContext { cloud, service, operation, ..known }));
        self
    }

    /// The call that it came from, if it came from one.
    pub fn context(&self) -> Option<&ErrorContext> {
        self.context.as_deref()
    }

    /// Adds the deeper cause, which is logged and never shown.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns true if a retry can succeed.
    pub fn is_retryable(&self) -> bool {
        !matches!(self.retry, Retry::Never | Retry::Reconnect)
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
