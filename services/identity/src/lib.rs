#![doc = include_str!("../README.md")]

pub mod auth;
mod invitations;
mod members;
mod roles;
mod services;
mod setup;
mod teams;

pub use invitations::{InvitationQuestion, PendingInvitation};
pub use members::Added;
pub use roles::NewGrantInput;
pub use services::{IdentityServices, IdentitySettings};
pub use setup::{FirstStart, KEY_FINGERPRINT, SetupError, check_master_key, owner_link, prepare, wrong_key};

use services_core::handle;

handle! {
    /// Accounts of users: password, identities, security events.
    accounts: Accounts over IdentityServices
}
handle! {
    /// API keys.
    api_keys: ApiKeys over IdentityServices
}
handle! {
    /// Command lines and other devices that wait for a sign-in in a browser (RFC 8628).
    devices: Devices over IdentityServices
}
handle! {
    /// Invitations to teams.
    invitations: Invitations over IdentityServices
}
handle! {
    /// Members of a team, service accounts among them.
    members: Members over IdentityServices
}
handle! {
    /// Sign-in with GitHub and OpenID Connect.
    providers: SignInProviders over IdentityServices
}
handle! {
    /// Roles that teams define, and grants.
    roles: Roles over IdentityServices
}
handle! {
    /// Second factors: authenticator apps and recovery codes.
    second_factors: SecondFactors over IdentityServices
}
handle! {
    /// Sign-in, sessions and the actors behind credentials.
    sessions: Sessions over IdentityServices
}
handle! {
    /// Teams of the installation.
    teams: Teams over IdentityServices
}
