#![doc = include_str!("../README.md")]

mod amount;
mod book;
mod compare;
mod estimate;
pub mod import;
mod matching;
mod prices;
mod profile;
mod recipe;
mod unit;

pub use amount::{Amount, AmountError};
pub use book::{Book, BookError, Fault, Grant, Price, Rate, Shape, Source, Tier, Trust};
pub use compare::{Comparison, ProfileCosts, Table, compare};
pub use estimate::{Assumption, Estimate, Line, estimate, price};
pub use matching::{Match, exactly_one};
pub use prices::{Cloud, Grants, Place, Prices};
pub use profile::{Database, Kind, Origin, Profile, ProfileError};
pub use recipe::{Base, Bases, Item, items};
pub use unit::{Unit, vendor_factor};

#[cfg(test)]
mod tests;
