#![doc = include_str!("../README.md")]

mod action;
mod bound;
mod chain;
mod entry;
pub mod ocsf;
mod signature;
mod verify;

pub use action::{Action, Activity};
pub use bound::bounded;
pub use chain::{EntryLine, canonical, genesis, link};
pub use entry::{AuditOutcome, Entry, Shown, Subject, Whence, Who};
pub use signature::{Checkpoint, ExportHead, PublicKey, Signed, Signer, Tip};
pub use verify::{Broken, LONGEST_LINE, Report, Verifier};

/// The version of the form that this program writes. It reads no later one.
pub const VERSION: u64 = 1;

#[cfg(test)]
mod tests;
