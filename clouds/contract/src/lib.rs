#![doc = include_str!("../README.md")]

mod about;
mod account;
mod address;
mod builds;
mod cloud;
#[cfg(feature = "conformance")]
pub mod conformance;
mod ensure;
mod error;
pub mod guard;
mod journal;
mod labels;
mod managed;
mod naming;
mod progress;
mod proof;
mod provider;
mod scope;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod traffic;
mod workload;

pub use about::{About, IdleCost, Per, Rules, ServerAbout, SiteAbout, Switch};
pub use account::{Access, Account, Base, Credential, Endpoint, Tagged, Vendor, Verification};
pub use address::{Address, Reach};
pub use builds::{BuildOutcome, BuildRequest, Builds, LogSink};
pub use cloud::Cloud;
pub use ensure::{ensure, remove, remove_all};
pub use error::{CloudError, ErrorContext, ErrorKind, Retry};
pub use journal::{Entry, EntryState, Journal, Key, Operation, Owner};
pub use labels::HostLabels;
pub use managed::{Asked, Catalogue, Followed, Found, FoundState, Managed, Ownership};
pub use naming::{Alphabet, INSTALLATION_TAG, Naming};
pub use progress::{Progress, Wait};
pub use proof::{Proof, proofs};
pub use provider::{Desired, Observation, Provider, Started};
pub use scope::{EnvironmentPlace, Inputs, Outputs, Scope, Unneeded, Whose};
pub use traffic::{Route, Traffic};
