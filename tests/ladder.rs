//! Each crate stands only on what ARCHITECTURE.md says it stands on.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

type Ladder = BTreeMap<String, BTreeSet<String>>;

/// What only tests and benchmarks use.
const APART: [&str; 2] = ["testkit", "bench"];

fn root() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/..")
}

/// The table of ARCHITECTURE.md.
fn written() -> Ladder {
    let text = std::fs::read_to_string(format!("{}/ARCHITECTURE.md", root())).unwrap();
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    let section = text.split("## The ladder").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<_> = row.split('|').collect();
        (names(cells[1]).pop_first().unwrap(), names(cells[2]))
    })
    .collect()
}

/// What the crates really stand on.
fn built() -> Ladder {
    let metadata = MetadataCommand::new().manifest_path(format!("{}/Cargo.toml", root())).no_deps().exec().unwrap();
    let ours: BTreeSet<String> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let packages = metadata.packages.iter().filter(|package| !APART.contains(&package.name.as_str()));
    packages
        .map(|package| {
            let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
            let below = normal.map(|dependency| dependency.name.clone()).filter(|name| ours.contains(name));
            (package.name.to_string(), below.collect())
        })
        .collect()
}

#[test]
fn the_crates_stand_on_each_other_as_architecture_says() {
    assert_eq!(written(), built());
}

#[test]
fn the_ladder_never_runs_back_up() {
    let ladder = written();
    let mut standing: BTreeSet<String> = BTreeSet::new();
    for _ in 0..ladder.len() {
        let next = ladder.iter().filter(|(_, below)| below.is_subset(&standing)).map(|(name, _)| name.clone());
        let next: Vec<_> = next.collect();
        standing.extend(next);
    }
    assert_eq!(standing.len(), ladder.len(), "a circle among {:?}", ladder.keys().filter(|name| !standing.contains(*name)));
}
