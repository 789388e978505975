//! Groups of the conformance suite that each cloud passed, as the last `make conformance` noted them.

use std::sync::LazyLock;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// A group of cases that a cloud passed for a kind of workload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Proof {
    /// The cloud, such as `gcp`.
    pub cloud: String,
    /// The kind of workload: `static` or `server`.
    pub kind: String,
    /// The group of cases, such as `life`.
    pub group: String,
    /// Cases that passed.
    pub cases: usize,
    /// Counterpart of the run: `real`, or the simulation.
    pub against: String,
    /// Day of the run, in UTC.
    pub day: NaiveDate,
}

/// Everything that was proven, from `proofs.json`. A file that cannot be read proves nothing; a test reads it.
static PROOFS: LazyLock<Vec<Proof>> = LazyLock::new(|| serde_json::from_str(include_str!("proofs.json")).unwrap_or_default());

/// Proofs of one kind of workload on one cloud, by group.
pub fn proofs<'a>(cloud: &'a str, kind: &'a str) -> impl Iterator<Item = &'static Proof> + 'a {
    PROOFS.iter().filter(move |proof| proof.cloud == cloud && proof.kind == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_sorted_and_holds_each_group_once() {
        let proofs: Vec<Proof> = serde_json::from_str(include_str!("proofs.json")).unwrap();
        assert!(!proofs.is_empty());
        let keys: Vec<_> = proofs.iter().map(|proof| (&proof.cloud, &proof.kind, &proof.group)).collect();
        assert!(keys.is_sorted_by(|one, next| one < next), "{keys:?}");
        assert!(proofs.iter().all(|proof| proof.cases > 0 && !proof.against.is_empty()));
    }
}
