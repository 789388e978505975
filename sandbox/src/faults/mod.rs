//! Faults that a test asks for: errors, lost answers, delays and other answers than the cloud would give.

mod form;
mod rule;
mod rules;

pub(crate) use form::{Flavour, error_answer};
pub(crate) use rule::{Action, Rule};
pub(crate) use rules::Faults;
