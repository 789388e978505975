//! Static files: indexed once, then served from memory and disk.

mod asset;
mod check;
mod compress;

mod copies;
#[doc(hidden)]
pub mod fuzzing;
mod header_rules;
mod index;
mod library;
mod listing;
mod negotiate;
mod netlify;
mod parallel;
mod path;
mod pattern;
mod range;
mod redirects;
mod rules;
mod serve;
mod site;
mod stored;
mod vercel;

#[cfg(test)]
mod tests;

pub(crate) use check::prepare;
pub(crate) use compress::Progress;
pub(crate) use library::{Library, SiteKey};
pub(crate) use site::Site;
