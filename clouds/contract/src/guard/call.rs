use std::time::Duration;

/// Longest time of a call, unless it says otherwise.
const USUAL_TIME: Duration = Duration::from_secs(15);

/// A call to a vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// The vendor's service, such as `run`.
    pub service: &'static str,
    /// The operation, such as `services.create`.
    pub operation: &'static str,
    /// Right to repeat it.
    pub repeat: Repeat,
    /// Longest time of one attempt.
    pub within: Duration,
}

/// Right to repeat a call whose answer got lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It changes nothing, or the same each time.
    Freely,
    /// It could happen twice: the thing is looked for first.
    Never,
}

impl Call {
    /// A call that changes nothing, or the same each time.
    pub const fn freely(service: &'static str, operation: &'static str) -> Self {
        Self { service, operation, repeat: Repeat::Freely, within: USUAL_TIME }
    }

    /// A call that is not repeated when its answer gets lost.
    pub const fn once(service: &'static str, operation: &'static str) -> Self {
        Self { service, operation, repeat: Repeat::Never, within: USUAL_TIME }
    }

    /// The same with another time limit.
    #[must_use]
    pub const fn within(self, within: Duration) -> Self {
        Self { within, ..self }
    }
}
