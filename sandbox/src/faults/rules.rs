//! The faults that are set, and what they do to a call.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;

use super::form::{Flavour, error_answer};
use super::{Action, Rule};
use crate::http::{Answer, Call};

/// The faults that are set.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Mutex<Vec<Rule>>,
}

/// Effects of faults on one call, before and after it is executed.
#[derive(Debug, Default)]
pub(crate) struct Injected {
    /// Time to wait first.
    pub wait: Duration,
    /// Answer in place of the execution.
    pub instead: Option<Answer>,
    /// The connection is closed in place of the execution.
    pub reset: bool,
    /// The connection is closed after the execution.
    pub lose: bool,
    rewrites: Vec<Action>,
}

impl Faults {
    fn lock(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a fault and returns its number.
    pub fn add(&self, mut rule: Rule) -> u64 {
        let mut rules = self.lock();
        rule.id = rules.iter().map(|rule| rule.id).max().unwrap_or(0) + 1;
        let id = rule.id;
        rules.push(rule);
        id
    }

    /// Every fault, with the number of calls it saw.
    pub fn list(&self) -> Vec<Rule> {
        self.lock().clone()
    }

    /// Removes one fault, or all.
    pub fn remove(&self, id: Option<u64>) {
        self.lock().retain(|rule| id.is_some_and(|id| rule.id != id));
    }

    /// Effects on this call.
    pub fn inject(&self, call: &Call) -> Injected {
        let flavour = Flavour::of(call);
        let service = flavour.service(call);
        let operation = format!("{} {}", call.method, call.path());
        let mut injected = Injected::default();
        for rule in self.lock().iter_mut() {
            if rule.meets(&service, &operation) {
                injected.add(&rule.action, flavour, call);
            }
        }
        injected
    }
}

impl Injected {
    fn add(&mut self, action: &Action, flavour: Flavour, call: &Call) {
        match action {
            Action::Latency { millis } => self.wait += Duration::from_millis(*millis),
            Action::Reset => self.reset = true,
            Action::LostResponse => self.lose = true,
            Action::Rewrite { .. } => self.rewrites.push(action.clone()),
            Action::Throttle { retry_after } => {
                let (status, code) = flavour.throttled();
                let answer = error_answer(flavour, call, status, code, "Too many requests: try again later.");
                self.instead = Some(match retry_after {
                    Some(seconds) => answer.retry_after(*seconds),
                    None => answer,
                });
            }
            Action::Expired => {
                let (status, code) = flavour.expired();
                self.instead = Some(error_answer(flavour, call, status, code, "The credentials have expired."));
            }
            Action::Status { status, code, message } => {
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let code = if code.is_empty() { flavour.code_of(status) } else { code };
                let message = if message.is_empty() { "A fault that was asked for." } else { message };
                self.instead = Some(error_answer(flavour, call, status, code, message));
            }
        }
    }

    /// The answer as the caller gets it.
    pub fn rewrite(&self, mut answer: Answer) -> Answer {
        for action in &self.rewrites {
            if let Action::Rewrite { pointer, value, find, replace } = action {
                if let (Some(pointer), Ok(mut body)) = (pointer, serde_json::from_slice::<serde_json::Value>(&answer.body))
                    && let Some(place) = body.pointer_mut(pointer)
                {
                    *place = value.clone().unwrap_or_default();
                    answer.body = body.to_string().into();
                }
                if let Some(find) = find.as_deref().filter(|find| !find.is_empty()) {
                    answer.body = String::from_utf8_lossy(&answer.body).replace(find, replace).into();
                }
            }
        }
        answer
    }
}
