//! `deploy/Dockerfile`.

use std::process::Command;

use crate::tools::{installed, run, text};

const FILE: &str = "deploy/Dockerfile";

#[test]
fn the_linter_has_nothing_to_say() {
    let Some(tools) = installed() else { return };
    let lint = |file: &str| run(Command::new(tools.join("bin/hadolint")).args(["--no-color", "-"]), "hadolint", file).unwrap();
    let said = lint(&text(FILE));
    assert!(said.well && said.out.is_empty(), "{}{}", said.out, said.err);
    let said = lint("FROM debian:latest\nRUN cd /tmp && sudo apt-get install curl\n");
    assert!(!said.well && said.out.contains("DL3004"), "it finds what is wrong: {}", said.out);
}

#[test]
fn every_stage_that_is_shipped_runs_as_nobody_in_particular_under_an_init() {
    let file = text(FILE);
    let stages: Vec<&str> = file.split("\nFROM ").skip(1).collect();
    // The dashboard and the binary are built in stages of their own.
    let [_, _, shipped @ ..] = stages.as_slice() else { panic!("{stages:?}") };
    assert_eq!(shipped.len(), 2);
    for stage in shipped {
        let last = stage.lines().rfind(|line| line.starts_with("USER ")).unwrap_or("none");
        assert_eq!(last, "USER 10001:10001");
        assert!(stage.contains("\nHEALTHCHECK "), "{stage}");
    }
    assert!(shipped[0].contains("\nENTRYPOINT [\"tini\", \"--\", \"mikrocloud\"]\n"));
    assert!(shipped[0].contains("org.opencontainers.image.licenses"));
}

#[test]
fn everything_that_cargo_reads_reaches_the_engine_and_nothing_else() {
    let ignored = text(".dockerignore");
    let let_in: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    assert!(ignored.lines().any(|line| line == "*"), "what is not named stays out");
    let manifest = text("Cargo.toml");
    let members = manifest.split("members = [").nth(1).unwrap().split(']').next().unwrap();
    for member in members.split('"').skip(1).step_by(2) {
        let inside = let_in.iter().any(|path| member == *path || member.starts_with(&format!("{path}/")));
        assert!(inside, "{member} stays out");
    }
    for file in ["Cargo.toml", "Cargo.lock", "migrations"] {
        assert!(let_in.contains(&file), "{file} stays out");
    }
}
