//! The suite that every cloud passes, written once. A cloud plugs in a [`Subject`]: an account of its own, usually at a simulated
//! vendor. Each case leaves the account empty and panics where a promise of the contract is broken.
#![expect(clippy::missing_panics_doc, reason = "a panic is how a case fails")]

mod faults;
mod interruption;
mod life;
mod process;
mod record;
mod subject;

pub use faults::{faults, tolerates};
pub use interruption::interruption;
pub use life::{life, no_request_lost};
pub use process::{Process, until};
pub use subject::{Fault, Faults, Fixture, Got, Subject, Version};
