use std::fmt::Display;

use audit::{Action, Subject};
use domain::access::RoleRef;
use serde_json::{Map, Value, json};

/// Content of an entry about a change.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    pub(super) action: Action,
    pub(super) target: Option<Subject>,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
    pub(super) details: Map<String, Value>,
}

impl AuditEntry {
    /// Something that is done.
    #[must_use]
    pub fn new(action: Action) -> Self {
        Self { action, target: None, before: None, after: None, details: Map::new() }
    }

    /// To what: its kind and id.
    #[must_use]
    pub fn on(mut self, kind: &str, id: impl Display) -> Self {
        self.target = Some(Subject { kind: kind.to_owned(), id: id.to_string(), name: None });
        self
    }

    /// The name of that, as it is at present.
    #[must_use]
    pub fn named(mut self, name: impl Display) -> Self {
        if let Some(target) = &mut self.target {
            target.name = Some(name.to_string());
        }
        self
    }

    /// The fields as they were.
    #[must_use]
    pub fn before(mut self, fields: Value) -> Self {
        self.before = Some(fields);
        self
    }

    /// The fields as they are since. Secrets go in as digests: see `Sealer::audit_digest`.
    #[must_use]
    pub fn after(mut self, fields: Value) -> Self {
        self.after = Some(fields);
        self
    }

    /// The fields that differ, before and after.
    #[must_use]
    pub fn between(self, before: Value, after: Value) -> Self {
        let (Value::Object(mut before), Value::Object(mut after)) = (before, after) else { return self };
        before.retain(|name, value| {
            let changed = after.get(name) != Some(value);
            if !changed {
                after.remove(name);
            }
            changed
        });
        self.before(Value::Object(before)).after(Value::Object(after))
    }

    /// Something else that is worth knowing.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// The project that the target belongs to.
    #[must_use]
    pub fn in_project(self, id: impl Display, name: impl Display) -> Self {
        self.detail("project", json!({"id": id.to_string(), "name": name.to_string()}))
    }
}

/// A role as entries show it: the name of a built-in one, the id of one that the team made.
pub fn role_shown(role: RoleRef) -> String {
    match role {
        RoleRef::BuiltIn(role) => role.name().to_owned(),
        RoleRef::Custom(id) => id.to_string(),
    }
}
