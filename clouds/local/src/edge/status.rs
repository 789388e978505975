//! Observed state of one workload, until it is reported.

use std::sync::{Arc, Mutex, PoisonError};

use clouds_contract::Observation;
use domain::time::now;
use tokio::sync::Notify;

/// The current observation of one workload, and what was reported last.
#[derive(Debug)]
pub(crate) struct Status {
    state: Mutex<State>,
    changed: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    current: Observation,
    reported: Observation,
}

impl Status {
    /// Starts from what is on record. `changed` is told of every change.
    pub fn new(recorded: Observation, changed: Arc<Notify>) -> Self {
        Self { state: Mutex::new(State { current: recorded.clone(), reported: recorded }), changed }
    }

    /// Returns the present observation.
    pub fn current(&self) -> Observation {
        self.lock().current.clone()
    }

    /// Returns true if it is ready.
    pub fn is_ready(&self) -> bool {
        matches!(self.lock().current, Observation::Ready { .. })
    }

    /// It answers; since when is kept when it did before.
    pub fn ready(&self) {
        if !self.is_ready() {
            self.set(Observation::Ready { since: now() });
        }
    }

    /// It is being made.
    pub fn pending(&self, detail: impl Into<String>) {
        self.set(Observation::Pending { detail: detail.into() });
    }

    /// It will not become ready.
    pub fn failed(&self, code: &str, message: impl Into<String>) {
        self.set(Observation::Failed { code: code.to_owned(), message: message.into() });
    }

    fn set(&self, observation: Observation) {
        let mut state = self.lock();
        if state.current != observation {
            state.current = observation;
            self.changed.notify_one();
        }
    }

    /// Returns the observation that remains to be reported.
    pub fn unreported(&self) -> Option<Observation> {
        let state = self.lock();
        (state.current != state.reported).then(|| state.current.clone())
    }

    /// This was reported.
    pub fn reported(&self, observation: Observation) {
        self.lock().reported = observation;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
