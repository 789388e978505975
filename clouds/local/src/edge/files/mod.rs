//! Static files: indexed once, then served from memory and disk.

mod asset;
mod content;
#[doc(hidden)]
pub mod fuzzing;
mod header_rules;
mod index;
mod library;
mod negotiate;
mod path;
mod pattern;
mod range;
mod redirects;
mod serve;
mod site;

#[cfg(test)]
mod tests;

pub(crate) use library::{Library, SiteKey};
pub(crate) use site::Site;
