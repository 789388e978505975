//! Row counts and digests of tables.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The sums of each table that has a row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sums(BTreeMap<String, TableSum>);

/// The sum of a table: the same in whatever order its rows are read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSum {
    /// Number of rows.
    pub rows: u64,
    /// The SHA-256 digests of the rows as lines, as four numbers each, added up (modulo 2^64).
    pub digest: [u64; 4],
}

impl Sums {
    /// Adds a row.
    pub(super) fn add(&mut self, table: &str, line: &str) {
        if !self.0.contains_key(table) {
            self.0.insert(table.to_owned(), TableSum::default());
        }
        let Some(sum) = self.0.get_mut(table) else { return };
        sum.rows += 1;
        let digest = Sha256::digest(line.as_bytes());
        for (lane, bytes) in sum.digest.iter_mut().zip(digest.as_chunks::<8>().0) {
            *lane = lane.wrapping_add(u64::from_be_bytes(*bytes));
        }
    }

    /// The tables that have a row, with their sums.
    pub fn tables(&self) -> impl Iterator<Item = (&str, &TableSum)> {
        self.0.iter().map(|(table, sum)| (table.as_str(), sum))
    }

    /// Returns the total number of rows.
    pub fn rows(&self) -> u64 {
        self.0.values().map(|sum| sum.rows).sum()
    }

    /// The first table that differs.
    pub(super) fn difference<'a>(&'a self, other: &'a Self) -> Option<&'a str> {
        let mut names = self.0.keys().chain(other.0.keys());
        names.find(|name| self.0.get(*name) != other.0.get(*name)).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_rows_does_not_matter_but_each_row_does() {
        let sums = |rows: &[&str]| {
            let mut sums = Sums::default();
            for row in rows {
                sums.add("t", row);
            }
            sums
        };
        assert_eq!(sums(&["a", "b", "b"]).difference(&sums(&["b", "a", "b"])), None);
        for other in [&["a", "b"][..], &["a", "a", "b"], &["a", "b", "c"], &[]] {
            assert_eq!(sums(&["a", "b", "b"]).difference(&sums(other)), Some("t"), "{other:?}");
        }
    }
}
