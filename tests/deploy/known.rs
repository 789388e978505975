//! The binary knows every command, flag and variable that is named.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::chart::{VALUES, pods, rendered};
use crate::compose::services;
use crate::tools::{installed, root, text, texts};
use crate::units::units;

const SERVERS: [&str; 5] = ["up", "migrate", "api", "worker", "edge"];
/// Read by the compose file itself.
const OF_COMPOSE: &str = "MIKROCLOUD_VERSION";

/// The help of a command; fails when there is no such command.
fn help(command: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_mikrocloud")).args([command, "--help"]).output().unwrap();
    assert!(output.status.success(), "`mikrocloud {command}` is no command: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The words of a text that are made of these characters and begin like this.
fn words(text: &str, beginning: &str, inside: impl Fn(char) -> bool) -> BTreeSet<String> {
    let words = text.split(|c: char| !inside(c)).filter(|word| word.starts_with(beginning) && word.len() > beginning.len());
    words.map(|word| word.trim_end_matches('_').to_owned()).collect()
}

fn variables(text: &str) -> BTreeSet<String> {
    words(text, "MIKROCLOUD_", |c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

fn flags(text: &str) -> BTreeSet<String> {
    words(text, "--", |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn assert_known(place: &str, command: &[String]) {
    let known = flags(&help(&command[0]));
    let given = command[1..].iter().map(|word| word.split('=').next().unwrap().to_owned()).filter(|word| word.starts_with("--"));
    let unknown: Vec<String> = given.filter(|flag| !known.contains(flag)).collect();
    assert!(unknown.is_empty(), "{place}: `mikrocloud {}` does not know {unknown:?}", command[0]);
}

fn files_below(directory: &Path, into: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_below(&path, into) } else { into.push(path) }
    }
}

#[test]
fn every_variable_that_is_named_anywhere_is_read() {
    let mut known: BTreeSet<String> = SERVERS.iter().flat_map(|role| variables(&help(role))).collect();
    assert!(known.contains("MIKROCLOUD_MASTER_KEY") && known.len() > 25, "{known:?}");
    known.insert(OF_COMPOSE.to_owned());
    let mut files = vec![root().join("docker-compose.yml"), root().join(".env.example"), root().join("docs/installing.md")];
    files_below(&root().join("deploy"), &mut files);
    assert!(files.len() > 20);
    for file in files {
        let unknown: Vec<_> = variables(&std::fs::read_to_string(&file).unwrap()).difference(&known).cloned().collect();
        assert!(unknown.is_empty(), "{}: nothing reads {unknown:?}", file.display());
    }
    let roles = help("api");
    assert!(roles.contains("[env: DATABASE_URL]") && roles.contains("[env: REDIS_URL]"));
}

#[test]
fn units_start_commands_that_there_are() {
    for (name, unit) in units() {
        let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/mikrocloud ")).unwrap();
        assert_known(&name, &command.split(' ').map(str::to_owned).collect::<Vec<_>>());
    }
}

#[test]
fn the_compose_file_starts_commands_that_there_are() {
    let Some(services) = installed().and_then(|tools| services(&tools)) else { return };
    let ours = services.as_object().unwrap().iter().filter(|(_, service)| service["build"].is_object());
    let commands: Vec<_> = ours.map(|(name, service)| (name, texts(&service["command"]))).collect();
    assert_eq!(commands.len(), 5);
    for (name, command) in commands {
        assert_known(name, &command);
    }
}

#[test]
fn the_chart_starts_commands_that_there_are() {
    let Some(tools) = installed() else { return };
    for values in VALUES {
        let manifests = rendered(&tools, values);
        let pods = pods(&manifests);
        assert!(pods.len() >= 5);
        for (name, pod) in pods {
            assert_known(&name, &texts(&pod["spec"]["containers"][0]["args"]));
        }
    }
}

#[test]
fn the_documentation_gives_commands_that_there_are() {
    let page = text("docs/installing.md");
    let lines: Vec<&str> = page.lines().filter_map(|line| line.trim_start().strip_prefix("mikrocloud ")).collect();
    assert!(!lines.is_empty());
    for line in lines {
        assert_known("docs/installing.md", &line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    }
}
