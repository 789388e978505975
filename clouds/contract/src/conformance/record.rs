use std::fs::OpenOptions;
use std::io::Write as _;

use domain::time::now;

use super::{Fixture, Subject};
use crate::Proof;
use crate::testing::Cut;

/// Variable with the file that passed groups of cases are added to, one JSON line each.
const RECORD: &str = "MIKROCLOUD_CONFORMANCE";

/// Notes that a group of cases passed, where somebody asks for it.
pub(super) fn passed(subject: &dyn Subject, fixture: &Fixture, group: &str, cases: usize) {
    let Some(path) = std::env::var_os(RECORD) else { return };
    let proof = Proof {
        cloud: subject.open(Cut::never()).name.to_owned(),
        kind: fixture.kind.to_owned(),
        group: group.to_owned(),
        cases,
        against: subject.against().to_owned(),
        day: now().date_naive(),
    };
    let line = serde_json::to_string(&proof).unwrap_or_else(|error| panic!("{error}")) + "\n";
    let file = OpenOptions::new().create(true).append(true).open(&path);
    let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
    written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
