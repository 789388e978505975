//! Caddy, as far as sites of MikroCloud use it: a Caddyfile read and followed (<https://caddyserver.com/docs/caddyfile>).

mod matcher;
mod parse;
mod serve;
mod site;

pub(super) use site::{CaddySite, Visitor};

/// Name of the configuration among the files of a site.
pub(super) const FILE: &str = "Caddyfile";
