//! Types of resources, as data.

use serde_json::Value;

use super::error::AzureError;
use super::id::Id;
use super::types;
use super::{Context, Outcome};
use crate::world::Object;

/// Style in which an answer to a change says that it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// The change is over with the answer.
    Now,
    /// Header `Azure-AsyncOperation`, whose address tells a status.
    Async,
    /// Header `Location`, whose address answers 202 until the change is over.
    Location,
}

/// Answer to a change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub style: Style,
    pub status: u16,
    /// The answer has the resource as its body.
    pub body: bool,
}

impl Change {
    pub const fn now(status: u16) -> Self {
        Self { style: Style::Now, status, body: true }
    }

    pub const fn asynchronous(status: u16) -> Self {
        Self { style: Style::Async, status, body: true }
    }

    pub const fn location(status: u16, body: bool) -> Self {
        Self { style: Style::Location, status, body }
    }
}

/// State of a change whose time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Settled {
    Done,
    /// Code and message of the error.
    Failed(String, String),
}

/// Functions of a type.
pub(super) type Check = fn(&Context<'_>, &Id, &Value, Option<&Object>) -> Result<(), AzureError>;
pub(super) type Outputs = fn(&Context<'_>, &Id, &mut Object);
pub(super) type After = fn(&mut Context<'_>, &Id) -> Result<(), AzureError>;
pub(super) type Settle = fn(&mut Context<'_>, &str) -> Settled;
pub(super) type Action = fn(&mut Context<'_>, &Id, &Object) -> Option<Outcome>;

/// A type of resource.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// Name with the namespace, such as `Microsoft.App/containerApps`.
    pub name: &'static str,
    /// Answers to `PUT` of something new and of something that exists, to `PATCH` and to `DELETE`.
    pub create: Change,
    pub update: Change,
    pub patch: Change,
    pub delete: Change,
    /// It has a location.
    pub located: bool,
    /// It is written by its own resources only, such as revisions by their app.
    pub read_only: bool,
    /// Value of `provisioningState` while a change is under way; empty for a type without one.
    pub busy: &'static str,
    /// Code of the error while a change is under way; empty for a type that takes several at once.
    pub locked: &'static str,
    /// Places of what has to be given.
    pub required: &'static [&'static str],
    /// Places of what is never shown.
    pub write_only: &'static [&'static str],
    pub check: Check,
    /// Fills in what the resource computes.
    pub outputs: Outputs,
    /// Follows a write that was stored; an error undoes it.
    pub after: After,
    pub settle: Settle,
    /// Checks that the resource may be deleted.
    pub leave: fn(&Context<'_>, &Id) -> Result<(), AzureError>,
    /// Follows the removal.
    pub gone: fn(&mut Context<'_>, &Object),
    pub action: Action,
}

impl Kind {
    /// A type whose changes are over at once.
    pub const PLAIN: Self = Self {
        name: "",
        create: Change::now(201),
        update: Change::now(200),
        patch: Change::now(200),
        delete: Change { style: Style::Now, status: 200, body: false },
        located: true,
        read_only: false,
        busy: "",
        locked: "",
        required: &[],
        write_only: &[],
        check: |_, _, _, _| Ok(()),
        outputs: |_, _, _| {},
        after: |_, _| Ok(()),
        settle: |_, _| Settled::Done,
        leave: |_, _| Ok(()),
        gone: |_, _| {},
        action: |_, _, _| None,
    };

    pub fn namespace(&self) -> &'static str {
        self.name.split('/').next().unwrap_or_default()
    }

    /// The name without the namespace.
    pub fn short(&self) -> &'static str {
        self.name.split_once('/').map_or("", |(_, short)| short)
    }
}

/// Every type that the sandbox knows, those of one namespace together.
pub(super) const ALL: [&Kind; 9] = [
    &types::MANAGED_ENVIRONMENT,
    &types::CONTAINER_APP,
    &types::REVISION,
    &types::REGISTRY,
    &types::IDENTITY,
    &types::WORKSPACE,
    &types::STORAGE_ACCOUNT,
    &types::BLOB_CONTAINER,
    &types::ROLE_ASSIGNMENT,
];

/// The type with this name, in any case.
pub(super) fn find(name: &str) -> Option<&'static Kind> {
    ALL.iter().copied().find(|kind| kind.name.eq_ignore_ascii_case(name))
}

/// Types of a namespace.
pub(super) fn of_namespace(namespace: &str) -> impl Iterator<Item = &'static Kind> {
    ALL.iter().copied().filter(move |kind| kind.namespace().eq_ignore_ascii_case(namespace))
}
