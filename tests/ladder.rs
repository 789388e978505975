//! Each crate, and each area of `services`, stands only on what ARCHITECTURE.md says it stands on.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{DependencyKind, MetadataCommand};

type Ladder = BTreeMap<String, BTreeSet<String>>;

const CRATES: &str = "## The ladder";
const AREAS: &str = "## The areas of `services`";

/// Crates that only tests and benchmarks use.
const APART: [&str; 2] = ["testkit", "bench"];

fn root() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/..")
}

/// A table of ARCHITECTURE.md whose first column names something, and whose last column names what that stands on.
fn written(heading: &str) -> Ladder {
    let text = std::fs::read_to_string(format!("{}/ARCHITECTURE.md", root())).unwrap();
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    let section = text.split(heading).nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_end_matches(['|', ' ']).split('|').collect();
        let below = if cells.len() > 2 { names(cells[cells.len() - 1]) } else { BTreeSet::new() };
        (names(cells[1]).pop_first().unwrap(), below)
    })
    .collect()
}

/// The dependencies that the crates really have.
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

/// The Rust files below a folder, each without its tests.
fn production_files(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            files.extend(if name == "tests" { Vec::new() } else { production_files(&path) });
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests.rs" {
            let text = std::fs::read_to_string(&path).unwrap();
            files.push(text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned());
        }
    }
    files
}

/// The handles that an area defines: the names by which the others call it.
fn handles(area: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(area.join("lib.rs")).unwrap();
    let blocks = text.split("handle! {\n").skip(1).map(|block| block.split("\n}").next().unwrap());
    blocks.filter_map(|block| block.lines().last()?.trim().split_once(':')).map(|(accessor, _)| accessor.to_owned()).collect()
}

/// Dependencies of the areas of `services` in the code: crates that they import, and handles that they call. An area dereferences to the
/// one below it, so that a handle can be called without a dependency in `Cargo.toml`.
fn areas() -> Ladder {
    let source = |name: &String| Path::new(root()).join("services").join(name).join("src");
    let names: Vec<String> = written(AREAS).into_keys().collect();
    let handles: BTreeMap<&String, BTreeSet<String>> = names.iter().map(|name| (name, handles(&source(name)))).collect();
    let uses = |text: &str, other: &String| {
        text.contains(&format!("services_{other}::"))
            || handles[other].iter().any(|handle| text.contains(&format!(".{handle}()")))
    };
    names
        .iter()
        .map(|name| {
            let files = production_files(&source(name));
            let below = names.iter().filter(|other| *other != name && files.iter().any(|text| uses(text, other)));
            (name.clone(), below.cloned().collect())
        })
        .collect()
}

#[test]
fn the_crates_stand_on_each_other_as_architecture_says() {
    assert_eq!(written(CRATES), built());
}

#[test]
fn the_areas_of_services_stand_on_each_other_as_architecture_says() {
    assert_eq!(written(AREAS), areas());
}

#[test]
fn no_ladder_runs_back_up() {
    for heading in [CRATES, AREAS] {
        never_runs_back_up(&written(heading));
    }
}

fn never_runs_back_up(ladder: &Ladder) {
    let mut standing: BTreeSet<String> = BTreeSet::new();
    for _ in 0..ladder.len() {
        let next = ladder.iter().filter(|(_, below)| below.is_subset(&standing)).map(|(name, _)| name.clone());
        let next: Vec<_> = next.collect();
        standing.extend(next);
    }
    assert_eq!(standing.len(), ladder.len(), "a circle among {:?}", ladder.keys().filter(|name| !standing.contains(*name)));
}
