#![doc = include_str!("../README.md")]

mod about;
mod account;
mod address;
mod builds;
mod cloud;
mod error;
mod journal;
mod labels;
mod naming;
mod progress;
mod provider;
mod scope;
mod traffic;
mod workload;

pub use about::{About, IdleCost, Per, Rules, ServerAbout, SiteAbout, Switch};
pub use account::{Access, Account, Base, Credential, Endpoint, Tagged, Vendor, Verification};
pub use address::{Address, Reach};
pub use builds::{BuildOutcome, BuildRequest, Builds, LogSink};
pub use cloud::Cloud;
pub use error::{CloudError, ErrorContext, ErrorKind, Retry};
pub use journal::{Entry, EntryState, Journal, Key, Operation, Owner};
pub use labels::HostLabels;
pub use naming::{Alphabet, INSTALLATION_TAG, Naming};
pub use progress::{Progress, Wait};
pub use provider::{Desired, Observation, Provider, Started};
pub use scope::{EnvironmentPlace, Inputs, Outputs, Scope, Unneeded, Whose};
pub use traffic::{Route, Traffic};
