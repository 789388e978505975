use std::time::Duration;

/// Progress of long work in a cloud: each call does as much as can be done now, and says when it is worth asking again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress<T = ()> {
    /// It is done.
    Ready(T),
    /// It goes on; the same call again continues it.
    Pending(Wait),
}

/// Reason and length of a wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Condition that it waits for, for people, such as `Cloud Run is starting the revision`.
    pub detail: String,
    /// Time after which asking again is worthwhile.
    pub retry_after: Duration,
}

impl<T> Progress<T> {
    /// Still going on, for this reason.
    pub fn pending(detail: impl Into<String>, retry_after: Duration) -> Self {
        Self::Pending(Wait { detail: detail.into(), retry_after })
    }

    /// The same progress with another result.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Progress<U> {
        match self {
            Self::Ready(value) => Progress::Ready(f(value)),
            Self::Pending(wait) => Progress::Pending(wait),
        }
    }
}

/// Unwraps a [`Progress`], or returns from the function with the same wait.
#[macro_export]
macro_rules! ready {
    ($progress:expr) => {
        match $progress {
            $crate::Progress::Ready(value) => value,
            $crate::Progress::Pending(wait) => return Ok($crate::Progress::Pending(wait)),
        }
    };
}
