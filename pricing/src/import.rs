//! Books from a table of prices that was gathered by hand. For maintainers.
//!
//! Each row of the table has to be selected by exactly one rule, which names the key it belongs to or the reason for which it is left out,
//! and each (key, place, tier) may be filled once.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;
use thiserror::Error;

use crate::amount::{Amount, AmountError};
use crate::book::{Book, Fault, Grant, Price, Rate, Shape, Source, Tier, Trust};
use crate::matching::{Match, capture, exactly_one};
use crate::prices::Cloud;
use crate::unit::{Unit, vendor_factor};

/// Unit of rows that are sizes rather than prices.
const SHAPE: &str = "shape";

/// Row of the table.
#[derive(Debug, Clone, Deserialize)]
pub struct Row {
    cloud: Cloud,
    region: String,
    service: String,
    sku_or_meter: String,
    unit: String,
    price_usd: String,
    as_of: String,
    source: String,
    verified: String,
    vcpu: String,
    memory_gib: String,
}

/// Rule of the map: rows that it selects, and what they are.
#[derive(Debug, Clone, Deserialize)]
pub struct Rule {
    cloud: Cloud,
    region: String,
    service: String,
    sku: String,
    /// Keys, parted by `|`; `ignore` for rows that are left out; `shape` for sizes.
    keys: String,
    /// Units of the keys.
    units: String,
    /// Quantity from which the price counts.
    from: String,
    /// Place in the book, if it is not the row's region.
    place: String,
    /// Reason, for rows that are left out; key of the sizes.
    note: String,
}

/// What no row has: free quantities, groups of regions, and regions whose small lines are taken to be as in another.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notes {
    version: String,
    clouds: BTreeMap<Cloud, CloudNotes>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct CloudNotes {
    places: BTreeMap<String, Vec<String>>,
    grants: Vec<Grant>,
    likes: Vec<Like>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Like {
    key: String,
    #[serde(rename = "like")]
    model: String,
    regions: Vec<String>,
}

/// Outcome of an import.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The books.
    pub books: Vec<Book>,
    /// Rows that became prices.
    pub mapped: usize,
    /// Rows that became sizes.
    pub shapes: usize,
    /// Rows that a rule leaves out.
    pub ignored: usize,
    /// Rows without a price.
    pub without_price: usize,
}

/// Reason for which a table is no book.
#[derive(Debug, Error)]
pub enum ImportError {
    /// A table that cannot be read.
    #[error("{name}: {source}")]
    Table {
        /// Name of the table.
        name: &'static str,
        /// The error.
        source: csv::Error,
    },
    /// Notes that cannot be read.
    #[error("notes: {0}")]
    Notes(#[from] serde_json::Error),
    /// A row that no rule, or several, select.
    #[error("{row}: {}", if rules.is_empty() { "no rule selects it".to_owned() } else { format!("several rules select it: {}", rules.join("; ")) })]
    Rules {
        /// The row.
        row: String,
        /// The rules.
        rules: Vec<String>,
    },
    /// A unit that is not that of the key.
    #[error("{row}: {vendor} is not {unit}")]
    Unit {
        /// The row.
        row: String,
        /// The vendor's unit.
        vendor: String,
        /// Unit of the rule.
        unit: String,
    },
    /// A price or quantity that is no amount.
    #[error("{row}: {source}")]
    Amount {
        /// The row.
        row: String,
        /// The error.
        source: AmountError,
    },
    /// A size that is no number or range.
    #[error("{row}: its size is no number or range")]
    Size {
        /// The row.
        row: String,
    },
    /// Two rows for one tier.
    #[error("{key} in {place} from {from} has two rows: leave one out by a rule")]
    Twice {
        /// The key.
        key: String,
        /// The place.
        place: String,
        /// The quantity.
        from: String,
    },
    /// A rate that is to be like one that there is not.
    #[error("{key} is to be as in {like}, which has no rate or where the region has one")]
    Like {
        /// The key.
        key: String,
        /// The region.
        like: String,
    },
    /// A book with faults.
    #[error("{cloud}: {}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Faults {
        /// The cloud.
        cloud: Cloud,
        /// The faults.
        faults: Vec<Fault>,
    },
}

impl Row {
    fn name(&self) -> String {
        format!("{}, {}, {}, {}", self.cloud, self.region, self.service, self.sku_or_meter)
    }
}

impl Rule {
    fn selects(&self, row: &Row) -> Option<String> {
        let matches = |pattern: &str, text: &str| capture(pattern, text).is_some();
        let selects = self.cloud == row.cloud && matches(&self.region, &row.region) && matches(&self.service, &row.service);
        capture(&self.sku, &row.sku_or_meter).filter(|_| selects).map(str::to_lowercase)
    }
}

/// Makes the books of all clouds.
pub fn import(table: &[u8], rules: &[u8], notes: &[u8]) -> Result<Imported, ImportError> {
    let rows: Vec<Row> = read("prices", table)?;
    let rules: Vec<Rule> = read("rules", rules)?;
    let notes: Notes = serde_json::from_slice(notes)?;
    let mut made = Imported { books: Vec::new(), mapped: 0, shapes: 0, ignored: 0, without_price: 0 };
    let mut books: BTreeMap<Cloud, Draft> = notes.clouds.into_iter().map(|(cloud, notes)| (cloud, Draft::new(notes))).collect();
    for row in &rows {
        let candidates = rules.iter().filter_map(|rule| Some((rule.sku.clone(), (rule, rule.selects(row)?))));
        let (rule, class) = match exactly_one(candidates) {
            Match::One(found) => found,
            Match::None => return Err(ImportError::Rules { row: row.name(), rules: Vec::new() }),
            Match::Many(rules) => return Err(ImportError::Rules { row: row.name(), rules }),
        };
        let Some(book) = books.get_mut(&row.cloud) else { continue };
        if row.unit == SHAPE {
            book.add_shape(row, rule)?;
            made.shapes += 1;
        } else if rule.keys == "ignore" {
            made.ignored += 1;
        } else if row.price_usd.is_empty() {
            made.without_price += 1;
        } else {
            book.add_price(row, rule, &class)?;
            made.mapped += 1;
        }
    }
    for (cloud, draft) in books {
        made.books.push(draft.finish(cloud, &notes.version)?);
    }
    Ok(made)
}

fn read<T: for<'de> Deserialize<'de>>(name: &'static str, table: &[u8]) -> Result<Vec<T>, ImportError> {
    let mut reader = csv::Reader::from_reader(table);
    reader.deserialize().collect::<Result<_, _>>().map_err(|source| ImportError::Table { name, source })
}

/// A book while it is made.
struct Draft {
    notes: CloudNotes,
    sources: Vec<Source>,
    prices: BTreeMap<String, Price>,
    shapes: BTreeMap<String, Vec<Shape>>,
}

impl Draft {
    fn new(notes: CloudNotes) -> Self {
        Self { notes, sources: Vec::new(), prices: BTreeMap::new(), shapes: BTreeMap::new() }
    }

    fn add_price(&mut self, row: &Row, rule: &Rule, class: &str) -> Result<(), ImportError> {
        let src = self.source(row);
        let place = match (rule.place.as_str(), row.region.as_str()) {
            ("", "global") => "*",
            ("", region) => region,
            (place, _) => place,
        };
        for (key, unit) in rule.keys.split('|').zip(rule.units.split('|')) {
            let key = key.replace("{class}", class);
            let wrong = || ImportError::Unit { row: row.name(), vendor: row.unit.clone(), unit: unit.to_owned() };
            let unit: Unit = serde_json::from_value(unit.into()).map_err(|_| wrong())?;
            let tens = vendor_factor(&row.unit, unit).ok_or_else(wrong)?;
            let amount = |source| ImportError::Amount { row: row.name(), source };
            let price = Amount::from_vendor(&row.price_usd, tens).map_err(amount)?;
            let from = Amount::try_from(if rule.from.is_empty() { "0".to_owned() } else { rule.from.clone() }).map_err(amount)?;
            let new = || Price { key: key.clone(), unit, vendor_unit: row.unit.clone(), places: BTreeMap::new() };
            let rates = &mut self.prices.entry(key.clone()).or_insert_with(new).places;
            let new = || Rate { sku: row.sku_or_meter.clone(), tiers: Vec::new(), src: src.clone(), like: None };
            let tiers = &mut rates.entry(place.to_owned()).or_insert_with(new).tiers;
            if tiers.iter().any(|tier| tier.0 == from) {
                return Err(ImportError::Twice { key, place: place.to_owned(), from: from.into() });
            }
            tiers.push(Tier(from, price));
            tiers.sort_by(|one, other| one.0.value().total_cmp(&other.0.value()));
        }
        Ok(())
    }

    /// Key of the row's source, which is new or there already.
    fn source(&mut self, row: &Row) -> String {
        let trust = match row.verified.as_str() {
            "api-2src" => Trust::SeenTwice,
            verified if verified.starts_with("api") => Trust::SeenOnce,
            verified if verified.starts_with("secondary") || verified.starts_with("manual") => Trust::Quoted,
            _ => Trust::Unverified,
        };
        let source = Source { name: row.source.clone(), as_of: row.as_of.parse().ok(), trust };
        let place = self.sources.iter().position(|known| *known == source).unwrap_or_else(|| {
            self.sources.push(source);
            self.sources.len() - 1
        });
        format!("s{place:02}")
    }

    fn add_shape(&mut self, row: &Row, rule: &Rule) -> Result<(), ImportError> {
        let size = || ImportError::Size { row: row.name() };
        let cpu: f64 = row.vcpu.parse().map_err(|_| size())?;
        let memory_gib = memories(&row.memory_gib, cpu).ok_or_else(size)?;
        let name = if rule.note == "named" { row.sku_or_meter.to_lowercase() } else { String::new() };
        self.shapes.entry(rule.keys.clone()).or_default().push(Shape { name, cpu, memory_gib });
        Ok(())
    }

    fn finish(mut self, cloud: Cloud, version: &str) -> Result<Book, ImportError> {
        for like in &self.notes.likes {
            let wrong = || ImportError::Like { key: like.key.clone(), like: like.model.clone() };
            let rates = &mut self.prices.get_mut(&like.key).ok_or_else(wrong)?.places;
            let model = rates.get(&like.model).ok_or_else(wrong)?.clone();
            for region in &like.regions {
                let rate = Rate { like: Some(like.model.clone()), ..model.clone() };
                if rates.insert(region.clone(), rate).is_some() {
                    return Err(wrong());
                }
            }
        }
        let sources = self.sources.into_iter().enumerate().map(|(place, source)| (format!("s{place:02}"), source));
        let sources: BTreeMap<String, Source> = sources.collect();
        let book = Book {
            format: 1,
            cloud,
            currency: "USD".to_owned(),
            version: version.to_owned(),
            as_of: sources.values().filter_map(|source| source.as_of).max().unwrap_or(NaiveDate::MIN),
            sources,
            places: self.notes.places,
            prices: self.prices.into_values().collect(),
            grants: self.notes.grants,
            shapes: self.shapes,
        };
        let faults = book.check();
        if faults.is_empty() { Ok(book) } else { Err(ImportError::Faults { cloud, faults }) }
    }
}

/// Memory to choose: a number, a list, or a range in steps of a GiB (of 4 for 8 processors, of 8 for 16, as Fargate has them).
fn memories(text: &str, cpu: f64) -> Option<Vec<f64>> {
    let Some((low, high)) = text.split_once('-') else {
        return text.split(',').map(|part| part.trim().parse().ok()).collect();
    };
    let (low, high): (f64, f64) = (low.parse().ok()?, high.parse().ok()?);
    let step = if cpu >= 16.0 {
        8.0
    } else if cpu >= 8.0 {
        4.0
    } else {
        1.0
    };
    let sizes = std::iter::successors(Some(low), |size| Some(size + step));
    Some(sizes.take_while(|size| *size <= high).collect())
}
