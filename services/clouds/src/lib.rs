#![doc = include_str!("../README.md")]

mod accounts;
mod bases;
mod journal;
mod open;
mod placements;
mod services;
mod verification;
mod work;

use services_core::handle;

pub use accounts::{AccountChange, NewAccount};
pub use bases::Readiness;
pub use placements::Place;
pub use services::{CloudServices, CloudSettings};
pub use work::{PATIENCE, SHORT_WAIT, UNUSABLE_PAUSE, Unusable, Work, patiently};

handle! {
    /// Accounts at vendors of clouds.
    cloud_accounts: CloudAccounts over CloudServices
}

handle! {
    /// Things of accounts that several environments share.
    bases: Bases over CloudServices
}

handle! {
    /// Places of environments in accounts.
    placements: Placements over CloudServices
}
