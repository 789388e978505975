//! Static files: indexed once, then served from memory and disk.

mod asset;
mod check;
mod compress;
mod copies;
#[doc(hidden)]
pub mod fuzzing;
mod index;
mod library;
mod parallel;
mod range;
mod serve;
mod site;
mod stored;

#[cfg(test)]
mod tests;

use clouds_site::{header_rules, listing, negotiate, path, redirects, rules};

pub(crate) use check::prepare;
pub(crate) use compress::Progress;
pub(crate) use library::{Library, SiteKey};
pub(crate) use site::Site;
