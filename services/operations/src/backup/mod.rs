//! The control plane's database as one sealed file, and back, into either database (docs/adr/0010-backups.md).
//!
//! The text in the file is lines of JSON: a head; for each table its columns and then a line per row; at the end how many rows each table
//! has and a digest of them.

mod error;
mod restore;
mod sealed;
mod sums;
#[cfg(test)]
mod tests;
mod write;

use serde::{Deserialize, Serialize};
use store::dump::CellKind;

pub use error::BackupError;
pub use restore::{Restored, restore};
pub use sums::Sums;
pub use write::write;

/// Description of the backup's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The version of the program that wrote it.
    pub program: String,
    /// The version of the schema.
    pub schema: i64,
    /// Time of the backup, as RFC 3339.
    pub taken_at: String,
}

/// A line that is not a row.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Head(Head),
    Table { name: String, columns: Vec<(String, CellKind)> },
    End(Sums),
}
