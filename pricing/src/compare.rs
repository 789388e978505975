//! Many profiles at many places: sparse rows of quantities times small dense tables of prices.

use std::collections::HashMap;

use crate::book::{Book, Rate};
use crate::prices::{Place, Prices};
use crate::profile::Profile;
use crate::recipe::{Bases, items};

/// Most regions of a table.
const REGIONS: usize = 32;

/// Prices of a cloud, column by column: a column is a key from one quantity to the next at which a price changes in any region.
pub struct Table {
    places: Vec<Place>,
    keys: HashMap<String, Vec<Column>>,
    /// USD by column and region; 0 where there is no price.
    rates: Vec<[f64; REGIONS]>,
    /// Regions without a price, by column.
    missing: Vec<u32>,
}

/// Place of a column in the table, and the quantity from which it counts.
#[derive(Clone, Copy)]
struct Column {
    from: f64,
    index: usize,
}

/// Sums of a profile at each of some places.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileCosts {
    /// USD a month by place; of what is priced.
    pub usd: Vec<f64>,
    /// Places at which something has no price.
    pub not_priced: Vec<bool>,
    /// Places at which something that makes up a bill has no price.
    pub holes: Vec<bool>,
    /// The cheapest place without a hole.
    pub best: Option<usize>,
}

/// Costs of profiles at places.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The places.
    pub places: Vec<Place>,
    /// Costs by profile, each by place.
    pub profiles: Vec<ProfileCosts>,
}

impl Table {
    /// Table of a book for places of its cloud; of more than 32 the first are taken.
    pub fn new(book: &Book, places: &[Place]) -> Self {
        let places: Vec<Place> = places.iter().filter(|place| place.cloud == book.cloud).take(REGIONS).cloned().collect();
        let mut table = Self { places, keys: HashMap::new(), rates: Vec::new(), missing: Vec::new() };
        for price in &book.prices {
            let rates: Vec<Option<&Rate>> = table.places.iter().map(|place| book.rate(&price.key, &place.region)).collect();
            let tiers = rates.iter().flatten().flat_map(|rate| &rate.tiers);
            let mut starts: Vec<f64> = tiers.map(|tier| tier.0.value()).collect();
            starts.sort_by(f64::total_cmp);
            starts.dedup();
            let columns = starts.into_iter().map(|from| table.add(from, &rates)).collect();
            table.keys.insert(price.key.clone(), columns);
        }
        table
    }

    fn add(&mut self, from: f64, rates: &[Option<&Rate>]) -> Column {
        let mut row = [0.0; REGIONS];
        let mut missing = 0;
        for (region, rate) in rates.iter().enumerate() {
            match rate {
                Some(rate) => row[region] = rate.at(from),
                None => missing |= 1 << region,
            }
        }
        self.rates.push(row);
        self.missing.push(missing);
        Column { from, index: self.rates.len() - 1 }
    }

    /// Sums of a profile by place, with masks of places where something, and something essential, has no price.
    fn sums(&self, book: &Book, profile: &Profile, bases: Bases) -> ([f64; REGIONS], u32, u32) {
        let (mut usd, mut not_priced, mut holes) = ([0.0; REGIONS], 0, 0);
        for item in items(book, profile) {
            let share = if item.base.is_some() { bases.share() } else { 1.0 };
            let columns = self.keys.get(item.key.as_ref()).map(Vec::as_slice).unwrap_or_default();
            let mut missing = if columns.is_empty() { u32::MAX } else { 0 };
            for (at, column) in columns.iter().enumerate().take_while(|(_, column)| column.from < item.quantity) {
                let end = columns.get(at + 1).map_or(f64::INFINITY, |next| next.from);
                let quantity = share * (item.quantity.min(end) - column.from);
                usd.iter_mut().zip(&self.rates[column.index]).for_each(|(sum, rate)| *sum += quantity * rate);
                missing |= self.missing[column.index];
            }
            not_priced |= missing;
            holes |= if item.essential { missing } else { 0 };
        }
        (usd, not_priced, holes)
    }
}

/// Costs of profiles at places, without free quantities.
pub fn compare(prices: &Prices, profiles: &[Profile], places: &[Place], bases: Bases) -> Comparison {
    let tables: Vec<(&Book, Table)> = prices.books().map(|book| (book, Table::new(book, places))).collect();
    let of_profile = |profile: &Profile| {
        let mut costs = ProfileCosts { usd: Vec::new(), not_priced: Vec::new(), holes: Vec::new(), best: None };
        for (book, table) in &tables {
            let (usd, not_priced, holes) = table.sums(book, profile, bases);
            for (region, usd) in usd.iter().enumerate().take(table.places.len()) {
                costs.usd.push(*usd);
                costs.not_priced.push(not_priced >> region & 1 == 1);
                costs.holes.push(holes >> region & 1 == 1);
            }
        }
        let whole = (0..costs.usd.len()).filter(|place| !costs.holes[*place]);
        costs.best = whole.min_by(|one, other| costs.usd[*one].total_cmp(&costs.usd[*other]));
        costs
    };
    Comparison {
        profiles: profiles.iter().map(of_profile).collect(),
        places: tables.iter().flat_map(|(_, table)| table.places.clone()).collect(),
    }
}
