//! One fault.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::glob::fits;

/// One fault: which calls it meets and what happens to them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rule {
    /// Number by which it is removed; given by the sandbox.
    #[serde(default)]
    pub id: u64,
    /// Service: the first part of a Google host, a provider of Azure such as `Microsoft.App`, `blob`, `registry`, `login`, or a
    /// service of AWS; `*` stands for any text.
    #[serde(default = "any")]
    pub service: String,
    /// Method and path, such as `PATCH /v2/*/services/*`.
    #[serde(default = "any")]
    pub operation: String,
    /// The first call that it meets, counted from 1.
    #[serde(default = "one")]
    pub nth: u64,
    /// Number of calls that it meets; 0 for all.
    #[serde(default = "one")]
    pub count: u64,
    /// Effect on the calls that it meets.
    pub action: Action,
    /// Number of calls that fitted so far.
    #[serde(default)]
    pub seen: u64,
}

fn any() -> String {
    "*".to_owned()
}

fn one() -> u64 {
    1
}

/// Effect of a fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// The vendor's error for too many calls.
    Throttle {
        /// Seconds in `Retry-After`.
        retry_after: Option<u64>,
    },
    /// An error with this status and the vendor's code.
    Status {
        status: u16,
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    },
    /// The connection is closed before anything is executed.
    Reset,
    /// The call is executed, then the connection is closed.
    LostResponse,
    /// The call waits before it is executed.
    Latency { millis: u64 },
    /// The answer's JSON gets another value at a pointer, or a text in it is replaced.
    Rewrite {
        pointer: Option<String>,
        value: Option<Value>,
        find: Option<String>,
        #[serde(default)]
        replace: String,
    },
    /// The vendor's error for credentials that are over.
    Expired,
}

impl Rule {
    /// Counts a call and returns true if the rule meets it.
    pub fn meets(&mut self, service: &str, operation: &str) -> bool {
        if !fits(&self.service, service) || !fits(&self.operation, operation) {
            return false;
        }
        self.seen += 1;
        self.seen >= self.nth && (self.count == 0 || self.seen < self.nth + self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_meets_the_calls_it_names() {
        let rule = serde_json::json!({"service": "run", "operation": "GET *", "nth": 2, "count": 2, "action": "reset"});
        let mut rule: Rule = serde_json::from_value(rule).unwrap();
        assert!(!rule.meets("storage", "GET /x"));
        assert!(!rule.meets("run", "POST /x"));
        let met: Vec<_> = (0..4).map(|_| rule.meets("run", "GET /x")).collect();
        assert_eq!(met, [false, true, true, false]);
    }
}
