//! From profiles to quantities, for each cloud as MikroCloud deploys to it.

mod aws;
mod azure;
mod gcp;

use std::borrow::Cow;

use serde::Serialize;

use crate::book::{Book, Shape};
use crate::prices::Cloud;
use crate::profile::Profile;

/// Hours of a month.
pub(crate) const HOURS: f64 = 730.0;
/// Seconds of a month.
pub(crate) const SECONDS: f64 = HOURS * 3600.0;
/// Days of a month.
pub(crate) const DAYS: f64 = 365.0 / 12.0;
/// GiB of an image in a registry, compressed.
const IMAGE_GIB: f64 = 0.2;
/// Images that are kept for rollback.
const KEPT_IMAGES: f64 = 10.0;
/// DNS queries per request: names are cached by resolvers.
const QUERIES_PER_REQUEST: f64 = 0.1;

/// Something of an account that many environments share, and that costs while one of them is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// Load balancer with its addresses, of containers.
    LoadBalancer,
    /// Registry of images.
    Registry,
    /// Front of domains.
    Front,
}

/// Counting of bases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bases {
    /// There already: this share of them is counted.
    AlreadyThere(f64),
    /// The first of its kind in its account and region: they are counted wholly.
    First,
}

impl Bases {
    pub(crate) fn share(self) -> f64 {
        match self {
            Self::AlreadyThere(share) => share,
            Self::First => 1.0,
        }
    }
}

/// A quantity of something that has a price.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Description.
    pub what: &'static str,
    /// Key of the price.
    pub key: Cow<'static, str>,
    /// Quantity in the price's unit.
    pub quantity: f64,
    /// Costs the same whatever is used.
    pub fixed: bool,
    /// Base it belongs to.
    pub base: Option<Base>,
    /// Makes up a bill: without its price a place is never called cheapest.
    pub essential: bool,
}

impl Item {
    fn new(what: &'static str, key: impl Into<Cow<'static, str>>, quantity: f64) -> Self {
        Self { what, key: key.into(), quantity, fixed: false, base: None, essential: false }
    }

    fn essential(self) -> Self {
        Self { essential: true, ..self }
    }

    fn fixed(self) -> Self {
        Self { fixed: true, ..self }
    }

    fn of(self, base: Base) -> Self {
        Self { base: Some(base), fixed: true, ..self }
    }
}

/// Quantities that a profile needs at a cloud in a month. They are the same in all of its regions.
pub fn items(book: &Book, profile: &Profile) -> Vec<Item> {
    let mut items = match book.cloud {
        Cloud::Aws => aws::items(book, profile),
        Cloud::Azure => azure::items(book, profile),
        Cloud::Gcp => gcp::items(profile),
    };
    items.retain(|item| item.quantity > 0.0);
    items
}

/// DNS queries of domains.
fn queries(profile: &Profile) -> f64 {
    if profile.domains > 0.0 { profile.requests * QUERIES_PER_REQUEST } else { 0.0 }
}

/// Smallest size with so many processors and GiB, and the memory to choose: least processors, then least memory.
fn size(shapes: &[Shape], cpu: f64, memory_gib: f64) -> Option<(&Shape, f64)> {
    let fits = shapes.iter().filter(|shape| shape.cpu >= cpu).filter_map(|shape| {
        let memory = shape.memory_gib.iter().copied().filter(|memory| *memory >= memory_gib).min_by(f64::total_cmp)?;
        Some((shape, memory))
    });
    fits.min_by(|one, other| one.0.cpu.total_cmp(&other.0.cpu).then(one.1.total_cmp(&other.1)))
}

/// A size rounded up to a step, never below the first.
fn round_up(size: f64, step: f64) -> f64 {
    // Sizes are sums of steps: what is off by a rounding error is on the step.
    ((size / step - 1e-9).ceil() * step).max(step)
}

/// Key of the smallest database instance, or of none where what is asked for is larger than all.
fn instance(book: &Book, shapes: &str, cpu: f64, memory_gib: f64) -> String {
    let class = book.shapes.get(shapes).and_then(|all| size(all, cpu, memory_gib));
    format!("{shapes}.{}", class.map_or("larger", |(shape, _)| shape.name.as_str()))
}
