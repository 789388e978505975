#![doc = include_str!("../README.md")]

pub mod caddy;
pub mod content;
pub mod header_rules;
pub mod listing;
pub mod negotiate;
pub mod path;
pub mod pattern;
pub mod plan;
pub mod redirects;
pub mod rules;

mod netlify;
mod vercel;

#[cfg(test)]
mod test_tree;
