//! Costs of a profile at a place, line by line.

use std::borrow::Cow;

use chrono::NaiveDate;
use serde::Serialize;

use crate::book::{Book, Trust};
use crate::prices::{Grants, Place, Prices};
use crate::profile::{Origin, Profile};
use crate::recipe::{Base, Bases, Item, items};
use crate::unit::Unit;

/// Share of doubtful prices in a sum above which it says so.
const DOUBTFUL_SHARE: f64 = 0.1;

/// A line of an estimate.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Description.
    pub what: &'static str,
    /// Key of the price.
    pub key: Cow<'static, str>,
    /// Quantity a month, before what is free.
    pub quantity: f64,
    /// Unit of the quantity; none if there is no price.
    pub unit: Option<Unit>,
    /// USD a month; none if there is no price.
    pub usd: Option<f64>,
    /// Costs the same whatever is used.
    pub fixed: bool,
    /// Base it belongs to.
    pub base: Option<Base>,
    /// Makes up a bill.
    pub essential: bool,
    /// Trust in the price; none without one.
    pub trust: Option<Trust>,
}

/// A number of a profile, and what more of it would cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Assumption {
    /// Name in profiles.
    pub name: &'static str,
    /// Value.
    pub value: f64,
    /// Origin of the value.
    pub source: Origin,
    /// Addition that the effect is of.
    pub change: f64,
    /// USD a month that the addition costs.
    pub effect_usd: f64,
}

/// Costs of a profile at a place.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The place.
    pub place: Place,
    /// Lines, priced or not.
    pub lines: Vec<Line>,
    /// USD a month of what is priced.
    pub usd: f64,
    /// Lines that have no price; the sum is "at least" if there are any.
    pub not_priced: Vec<&'static str>,
    /// Numbers of the profile.
    pub assumptions: Vec<Assumption>,
    /// Day of the book.
    pub as_of: NaiveDate,
    /// Version of the book.
    pub version: String,
}

impl Estimate {
    /// True if something that makes up a bill has no price: the place is never called cheapest.
    pub fn has_hole(&self) -> bool {
        self.lines.iter().any(|line| line.essential && line.usd.is_none())
    }

    /// True if prices that nobody confirmed make up more than a tenth of the sum.
    pub fn is_doubtful(&self) -> bool {
        let doubtful = self.lines.iter().filter(|line| line.trust.is_some_and(Trust::is_doubtful));
        doubtful.filter_map(|line| line.usd).sum::<f64>() > DOUBTFUL_SHARE * self.usd
    }
}

/// Prices of quantities in a region.
pub fn price(book: &Book, items: &[Item], region: &str, grants: Grants, bases: Bases) -> Vec<Line> {
    let line = |item: &Item| {
        let share = if item.base.is_some() { bases.share() } else { 1.0 };
        let rate = book.rate(&item.key, region);
        // A grant is for the whole of a key, of which this may be a part.
        let of_key = |other: &&Item| other.key == item.key;
        let all: f64 = items.iter().filter(of_key).map(|other| other.quantity).sum();
        let free = if grants == Grants::On { book.grant(&item.key).min(all) } else { 0.0 };
        let billed = item.quantity * if all > 0.0 { (all - free) / all } else { 0.0 };
        Line {
            what: item.what,
            key: item.key.clone(),
            quantity: item.quantity,
            unit: book.price(&item.key).map(|price| price.unit),
            usd: rate.map(|rate| share * rate.cost(billed)),
            fixed: item.fixed,
            base: item.base,
            essential: item.essential,
            trust: rate.map(|rate| book.trust(rate)),
        }
    };
    items.iter().map(line).collect()
}

/// Estimate of a profile at a place; none if there is no book of its cloud.
pub fn estimate(prices: &Prices, profile: &Profile, place: &Place, grants: Grants, bases: Bases) -> Option<Estimate> {
    let book = prices.book(place.cloud)?;
    let lines = price(book, &items(book, profile), &place.region, grants, bases);
    let usd = sum(&lines);
    let effect = |(name, value): (&'static str, f64)| {
        let change = step(name);
        let changed = price(book, &items(book, &profile.with(name, value + change)), &place.region, grants, bases);
        Assumption { name, value, source: profile.origin(name), change, effect_usd: sum(&changed) - usd }
    };
    let assumptions = profile.numbers().into_iter().map(effect).collect();
    let not_priced = lines.iter().filter(|line| line.usd.is_none()).map(|line| line.what).collect();
    Some(Estimate { place: place.clone(), usd, not_priced, assumptions, as_of: book.as_of, version: book.version.clone(), lines })
}

fn sum(lines: &[Line]) -> f64 {
    lines.iter().filter_map(|line| line.usd).sum()
}

/// Addition whose effect is shown.
fn step(name: &str) -> f64 {
    match name {
        "requests" => 100_000.0,
        "cpuMilli" => 250.0,
        "memoryMib" => 512.0,
        "busy" | "cached" => 0.1,
        "responseKib" | "deployments" | "variables" => 10.0,
        "callMilliseconds" | "files" => 100.0,
        _ => 1.0,
    }
}
