//! Identity: accounts, and their permissions.

mod account;
mod keys;
mod login;
mod members;
mod roles;
mod teams;

pub use account::{AccountCommand, AccountOptions, SecondFactorCommand};
pub use keys::{KeysCommand, KeysOptions};
pub use login::LoginOptions;
pub use members::{MembersCommand, MembersOptions};
pub use roles::{RolesCommand, RolesOptions};
pub use teams::{TeamsCommand, TeamsOptions};
