//! Users, sessions, members, roles, teams.

pub mod auth;
pub(crate) mod invitations;
pub(crate) mod members;
pub(crate) mod roles;
pub(crate) mod teams;

use crate::handle;

handle! {
    /// Accounts of users: password, identities, security events.
    accounts: Accounts
}
handle! {
    /// API keys.
    api_keys: ApiKeys
}
handle! {
    /// Command lines and other devices that wait for a sign-in in a browser (RFC 8628).
    devices: Devices
}
handle! {
    /// Invitations to teams.
    invitations: Invitations
}
handle! {
    /// Members of a team, service accounts among them.
    members: Members
}
handle! {
    /// Sign-in with GitHub and OpenID Connect.
    providers: SignInProviders
}
handle! {
    /// Roles that teams define, and grants.
    roles: Roles
}
handle! {
    /// Second factors: authenticator apps and recovery codes.
    second_factors: SecondFactors
}
handle! {
    /// Sign-in, sessions and the actors behind credentials.
    sessions: Sessions
}
handle! {
    /// Teams of the installation.
    teams: Teams
}
