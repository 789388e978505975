//! Price books.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::amount::Amount;
use crate::matching::{Match, exactly_one};
use crate::prices::Cloud;
use crate::unit::Unit;

/// The form that this program reads.
const FORMAT: u8 = 1;
/// Place of prices that are the same everywhere.
const EVERYWHERE: &str = "*";

/// Prices of a cloud.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
    /// Form of the file.
    pub format: u8,
    /// The cloud.
    pub cloud: Cloud,
    /// Currency of all prices; only `USD`.
    pub currency: String,
    /// Version, such as `2026-11-23.1`.
    pub version: String,
    /// Day of the youngest source.
    pub as_of: NaiveDate,
    /// Sources by their key in rates.
    pub sources: BTreeMap<String, Source>,
    /// Groups that a region belongs to, such as the edge that serves it: places of a SKU that is one for many regions.
    pub places: BTreeMap<String, Vec<String>>,
    /// Prices.
    pub prices: Vec<Price>,
    /// Quantities that are free.
    pub grants: Vec<Grant>,
    /// Sizes that are sold, the smaller first.
    pub shapes: BTreeMap<String, Vec<Shape>>,
}

/// Source of prices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Name and version.
    pub name: String,
    /// Day it is of, as the source says; none if it does not.
    pub as_of: Option<NaiveDate>,
    /// How far to trust it.
    pub trust: Trust,
}

/// Trust in a price, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Two independent reads of the vendor's price API agree.
    SeenTwice,
    /// One read of the vendor's price API.
    SeenOnce,
    /// Quoted by others.
    Quoted,
    /// Taken to be as in another region: small lines only.
    Assumed,
    /// Derived, or without a source.
    Unverified,
}

impl Trust {
    /// True if a sum that depends on it has to say so.
    pub fn is_doubtful(self) -> bool {
        self >= Self::Assumed
    }
}

/// Price of something by place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Key, such as `aws.fargate.vcpu_hour`.
    pub key: String,
    /// Unit of quantities.
    pub unit: Unit,
    /// The vendor's unit, before normalisation.
    pub vendor_unit: String,
    /// Rates by place: a region, a group of regions, or `*`.
    #[serde(rename = "in")]
    pub places: BTreeMap<String, Rate>,
}

/// Rate at a place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// The vendor's name of the SKU or meter.
    pub sku: String,
    /// Steps of the price by quantity, rising from 0.
    pub tiers: Vec<Tier>,
    /// Key of the source.
    pub src: String,
    /// Region whose price it is, where this one has none of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<String>,
}

/// Price of each unit from a quantity on: `["10240", "0.08"]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tier(pub Amount, pub Amount);

/// Quantity that an account has free each month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Key of the price.
    pub key: String,
    /// Quantity in its unit.
    pub quantity: Amount,
    /// Owner of the grant, in the vendor's words: `account`, `subscription`, `billing account`, `project`.
    pub scope: String,
}

/// Size that is sold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Name; empty where sizes have none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Processors.
    pub cpu: f64,
    /// GiB of memory that may be chosen, the least first.
    pub memory_gib: Vec<f64>,
}

/// Reason for which a file is no book.
#[derive(Debug, Error)]
pub enum BookError {
    /// Not the form of a book.
    #[error("the file is no price book")]
    Form(#[from] serde_json::Error),
    /// A book whose prices cannot be used.
    #[error("the price book has faults: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Faults(Vec<Fault>),
}

/// Something wrong with a book.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// Another form or currency.
    #[error("form {format} with prices in {currency}: this program reads form {FORMAT} in USD")]
    Unknown {
        /// Form of the book.
        format: u8,
        /// Its currency.
        currency: String,
    },
    /// Two prices with a key.
    #[error("{key} is there twice")]
    Twice {
        /// The key.
        key: String,
    },
    /// Tiers that do not rise from 0.
    #[error("{key} in {place}: tiers have to begin at 0 and to rise")]
    Tiers {
        /// The key.
        key: String,
        /// The place.
        place: String,
    },
    /// A source that is not in the book.
    #[error("{key} in {place}: the source `{source_key}` is not in the book")]
    Source {
        /// The key.
        key: String,
        /// The place.
        place: String,
        /// The source.
        source_key: String,
    },
    /// A region that has several rates.
    #[error("{key} has several rates for {region}: {}", places.join(", "))]
    Ambiguous {
        /// The key.
        key: String,
        /// The region.
        region: String,
        /// Places that all apply to it.
        places: Vec<String>,
    },
    /// A place that is neither a region of the book nor a group of one.
    #[error("{key}: no region of the book belongs to the place {place}")]
    Place {
        /// The key.
        key: String,
        /// The place.
        place: String,
    },
    /// A grant of something that has no price.
    #[error("a grant of {key}, which has no price")]
    Grant {
        /// The key.
        key: String,
    },
    /// A size without processors or memory.
    #[error("a size of {key} without processors or memory")]
    Shape {
        /// Key of the sizes.
        key: String,
    },
}

impl Book {
    /// The book of a cloud that is part of this program. It is read when it is first asked for.
    ///
    /// # Panics
    /// Never in a program whose tests passed: they read the same books.
    pub fn embedded(cloud: Cloud) -> Arc<Self> {
        static BOOKS: [OnceLock<Arc<Book>>; 3] = [const { OnceLock::new() }; 3];
        let (place, text) = match cloud {
            Cloud::Aws => (0, include_str!("../book/aws.json")),
            Cloud::Azure => (1, include_str!("../book/azure.json")),
            Cloud::Gcp => (2, include_str!("../book/gcp.json")),
        };
        #[expect(clippy::expect_used, reason = "a test reads the books, which are part of the program")]
        BOOKS[place].get_or_init(|| Arc::new(Self::parse(text.as_bytes()).expect("the built-in price book is whole"))).clone()
    }

    /// Reads a book and refuses one with faults.
    pub fn parse(json: &[u8]) -> Result<Self, BookError> {
        let book: Self = serde_json::from_slice(json)?;
        let faults = book.check();
        if faults.is_empty() { Ok(book) } else { Err(BookError::Faults(faults)) }
    }

    /// All that is wrong with it.
    pub fn check(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.format != FORMAT || self.currency != "USD" {
            faults.push(Fault::Unknown { format: self.format, currency: self.currency.clone() });
        }
        let mut keys = BTreeSet::new();
        for price in &self.prices {
            if !keys.insert(price.key.as_str()) {
                faults.push(Fault::Twice { key: price.key.clone() });
            }
            self.check_price(price, &mut faults);
        }
        let grants = self.grants.iter().filter(|grant| !keys.contains(grant.key.as_str()));
        faults.extend(grants.map(|grant| Fault::Grant { key: grant.key.clone() }));
        let is_size = |value: f64| value.is_finite() && value > 0.0;
        let is_bad = |shape: &Shape| {
            !is_size(shape.cpu) || shape.memory_gib.is_empty() || !shape.memory_gib.iter().all(|memory| is_size(*memory))
        };
        let shapes = self.shapes.iter().filter(|(_, shapes)| shapes.iter().any(is_bad));
        faults.extend(shapes.map(|(key, _)| Fault::Shape { key: key.clone() }));
        faults
    }

    fn check_price(&self, price: &Price, faults: &mut Vec<Fault>) {
        let key = || price.key.clone();
        for (place, rate) in &price.places {
            let rises = rate.tiers.windows(2).all(|pair| pair[0].0.value() < pair[1].0.value());
            if !rises || rate.tiers.first().is_none_or(|tier| tier.0.value() != 0.0) {
                faults.push(Fault::Tiers { key: key(), place: place.clone() });
            }
            if !self.sources.contains_key(&rate.src) {
                faults.push(Fault::Source { key: key(), place: place.clone(), source_key: rate.src.clone() });
            }
            let is_known =
                place == EVERYWHERE || self.places.iter().any(|(region, groups)| region == place || groups.contains(place));
            if !is_known {
                faults.push(Fault::Place { key: key(), place: place.clone() });
            }
        }
        for region in self.places.keys() {
            if let Match::Many(places) = self.rate_of(price, region) {
                faults.push(Fault::Ambiguous { key: key(), region: region.clone(), places });
            }
        }
    }

    /// Regions that the book has any price for.
    pub fn regions(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// The price with a key.
    pub fn price(&self, key: &str) -> Option<&Price> {
        self.prices.iter().find(|price| price.key == key)
    }

    /// The rate of a key in a region: its own, that of a group it belongs to, or the one for everywhere. None if it is not priced.
    pub fn rate(&self, key: &str, region: &str) -> Option<&Rate> {
        match self.rate_of(self.price(key)?, region) {
            Match::One(rate) => Some(rate),
            Match::None | Match::Many(_) => None,
        }
    }

    fn rate_of<'a>(&'a self, price: &'a Price, region: &str) -> Match<&'a Rate> {
        let groups = self.places.get(region).into_iter().flatten().map(String::as_str);
        let places = [region].into_iter().chain(groups).chain([EVERYWHERE]);
        exactly_one(places.filter_map(|place| Some((place.to_owned(), price.places.get(place)?))))
    }

    /// Trust in a rate.
    pub fn trust(&self, rate: &Rate) -> Trust {
        let source = self.sources.get(&rate.src).map_or(Trust::Unverified, |source| source.trust);
        if rate.like.is_some() { source.max(Trust::Assumed) } else { source }
    }

    /// Quantity of a key that is free.
    pub fn grant(&self, key: &str) -> f64 {
        self.grants.iter().filter(|grant| grant.key == key).map(|grant| grant.quantity.value()).sum()
    }
}

impl Rate {
    /// Cost of a quantity, tier by tier.
    pub fn cost(&self, quantity: f64) -> f64 {
        let ends = self.tiers.iter().skip(1).map(|tier| tier.0.value()).chain([f64::INFINITY]);
        let of_tier = |(tier, end): (&Tier, f64)| (quantity.min(end) - tier.0.value()).max(0.0) * tier.1.value();
        self.tiers.iter().zip(ends).map(of_tier).sum()
    }

    /// Price of each unit at a quantity.
    pub fn at(&self, quantity: f64) -> f64 {
        self.tiers.iter().rev().find(|tier| tier.0.value() <= quantity).map_or(0.0, |tier| tier.1.value())
    }
}
