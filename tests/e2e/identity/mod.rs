//! Identity: accounts, sign-in, roles and permissions.

pub mod access;
pub mod grants;
pub mod invitations;
pub mod providers;
pub mod second_factor;
pub mod sign_in;
pub mod teams;
