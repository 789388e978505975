//! One thing that exists in a cloud.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Phase;

/// One thing that exists in a cloud.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Object {
    /// Type in the words of its cloud, such as `run.services`.
    pub kind: String,
    /// The body as the vendor's API gives it.
    pub body: Value,
    /// Everything that the API never gives: values of secrets, names of files, the state of the simulation.
    #[serde(default)]
    pub hidden: Value,
    /// The change that is under way.
    #[serde(default)]
    pub phase: Option<Phase>,
    /// Counts changes.
    pub version: u64,
}

impl Object {
    /// A new thing.
    pub fn new(kind: &str, body: Value) -> Self {
        Self { kind: kind.to_owned(), body, hidden: json!({}), phase: None, version: 1 }
    }

    /// The same with what the API never gives.
    #[must_use]
    pub fn hiding(mut self, hidden: Value) -> Self {
        self.hidden = hidden;
        self
    }

    /// A text of the body; empty where there is none.
    pub fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// A text that the API never gives; empty where there is none.
    pub fn secret(&self, field: &str) -> &str {
        self.hidden.get(field).and_then(Value::as_str).unwrap_or_default()
    }
}
