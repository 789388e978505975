//! Sign-in: tokens that expire, and principals with permissions that can be taken away.

mod google;
mod key;
mod microsoft;
mod principals;
mod registration;
mod token;

pub(crate) use key::KeyPair;
pub(crate) use principals::{Principal, Principals, Vendor};
pub(crate) use registration::{Grant, Registration, needs_key_pair};
pub(crate) use token::{TokenError, issue, read};

pub(crate) use google::answer as google_answer;
pub(crate) use microsoft::answer as microsoft_answer;
