//! Users, teams, members and their roles, API keys, and what it takes to sign in.

pub mod api_keys;
pub mod devices;
pub mod identities;
pub mod invitations;
pub mod members;
pub mod roles;
pub mod security_events;
pub mod sessions;
pub mod sign_in;
pub mod signing_keys;
pub mod teams;
pub mod users;
