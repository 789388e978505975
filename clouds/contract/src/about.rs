//! Abilities of a cloud, as data: the API, the documents and the checks before a deployment read them.

use std::time::Duration;

use serde::Serialize;

use crate::Base;

/// Abilities of a cloud.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// Its name for people, such as `Google Cloud`.
    pub title: &'static str,
    /// Regions: our neutral name and the vendor's.
    pub regions: &'static [(&'static str, &'static str)],
    /// Longest time of a release.
    pub release_deadline: Duration,
    /// Static sites, if it has them.
    pub static_sites: Option<SiteAbout>,
    /// Servers, if it has them.
    pub servers: Option<ServerAbout>,
}

/// Static sites of a cloud.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteAbout {
    /// Manner in which visitors get to the next deployment.
    pub switch: Switch,
    /// A deployment has an address of its own beside the environment's.
    pub own_address: bool,
    /// It shows the site's own page for what does not exist.
    pub not_found_page: bool,
    /// Rules of `_redirects` that it follows.
    pub redirects: Rules,
    /// Rules of `_headers` that it follows.
    pub headers: Rules,
    /// Bases that it needs.
    pub bases: &'static [Base],
    /// Costs while nobody visits.
    pub idle: &'static [IdleCost],
}

/// Servers of a cloud.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerAbout {
    /// Manner in which visitors get to the next deployment.
    pub switch: Switch,
    /// A deployment has an address of its own beside the environment's.
    pub own_address: bool,
    /// Nothing runs, and costs, while nobody visits.
    pub sleeps: bool,
    /// Most bytes of one variable's value.
    pub variable_bytes: usize,
    /// Bases that it needs.
    pub bases: &'static [Base],
    /// Costs while nobody visits.
    pub idle: &'static [IdleCost],
}

/// Manner in which visitors get to the next deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// At once: each request is answered by one of the two.
    Atomic,
    /// File by file: for some seconds a visitor may see some of both.
    InPlace,
}

/// Rules that a cloud follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rules {
    /// All of them.
    All,
    /// The first so many.
    UpTo(usize),
    /// None.
    None,
}

/// A cost that exists while nobody visits. Its amount is the price book's, never a number in code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct IdleCost {
    /// The thing that costs, such as `container registry, Basic`.
    pub item: &'static str,
    /// Key in the price book.
    pub price_key: &'static str,
    /// Scope that it is paid once for.
    pub per: Per,
}

/// Scope that a cost is paid once for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// An account and region.
    AccountRegion,
    /// An environment.
    Environment,
    /// A deployment that runs.
    Deployment,
}
