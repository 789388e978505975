//! Sign-in: tokens that expire, and principals with permissions that can be taken away.

mod google;
mod microsoft;
mod principals;
mod token;

pub(crate) use principals::{Principal, Principals, Vendor};
pub(crate) use token::{Claims, TokenError, issue, read};

pub(crate) use google::answer as google_answer;
pub(crate) use microsoft::answer as microsoft_answer;
