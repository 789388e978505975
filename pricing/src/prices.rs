//! Clouds, places, and the books of all.

use std::fmt;
use std::sync::Arc;

use chrono::NaiveDate;
use domain::region::{self, Region};
use serde::{Deserialize, Serialize};

use crate::book::Book;

/// A cloud that has price books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cloud {
    /// Amazon Web Services.
    Aws,
    /// Microsoft Azure.
    Azure,
    /// Google Cloud.
    Gcp,
}

impl Cloud {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Aws, Self::Azure, Self::Gcp];

    /// Short name, as `--cloud` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Gcp => "gcp",
        }
    }

    /// Regions with neutral names.
    pub fn regions(self) -> &'static [Region] {
        match self {
            Self::Aws => region::AWS,
            Self::Azure => region::AZURE,
            Self::Gcp => region::GCP,
        }
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A region of a cloud, by the vendor's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The cloud.
    pub cloud: Cloud,
    /// The vendor's name of the region.
    pub region: String,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.cloud, self.region)
    }
}

/// Free quantities of accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grants {
    /// Not counted.
    Off,
    /// Deducted once from the whole of a key's quantity, and shared by the lines of that key in proportion.
    On,
}

/// Books of all clouds.
#[derive(Debug, Clone)]
pub struct Prices {
    books: Vec<Arc<Book>>,
}

impl Prices {
    /// Books that are part of this program.
    pub fn embedded() -> Self {
        Self { books: Cloud::ALL.map(Book::embedded).to_vec() }
    }

    /// These books; of two of a cloud the first counts.
    pub fn new(books: Vec<Arc<Book>>) -> Self {
        Self { books }
    }

    /// Book of a cloud.
    pub fn book(&self, cloud: Cloud) -> Option<&Book> {
        self.books.iter().find(|book| book.cloud == cloud).map(AsRef::as_ref)
    }

    /// The books.
    pub fn books(&self) -> impl Iterator<Item = &Book> {
        self.books.iter().map(AsRef::as_ref)
    }

    /// Regions of all books; of a neutral name, or a vendor's, only those that it means.
    pub fn places(&self, region: Option<&str>) -> Vec<Place> {
        let of_book = |book: &Book| -> Vec<Place> {
            let wanted = region.map(|name| region::named(book.cloud.regions(), name).map_or(name, |(_, vendors)| vendors));
            let regions = book.regions().filter(|region| wanted.is_none_or(|wanted| wanted == *region));
            regions.map(|region| Place { cloud: book.cloud, region: region.to_owned() }).collect()
        };
        self.books().flat_map(of_book).collect()
    }

    /// Day of the oldest book.
    pub fn as_of(&self) -> Option<NaiveDate> {
        self.books().map(|book| book.as_of).min()
    }
}
