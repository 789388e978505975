//! Servers written in Go.

use super::{DetectError, Project, Reading, Weight, node, plan};

/// Output path of the program: a separate directory, so that it collides with no file of the project.
const PROGRAM: &str = ".mikrocloud/server";

/// A module with a main package at its root, or one below `cmd`.
pub(super) fn detect(project: &Project<'_>) -> Result<Option<Reading>, DetectError> {
    if !project.may_serve() || !project.tree.exists("go.mod") {
        return Ok(None);
    }
    let mut steps = node::assets(project)?;
    if let Some(start) = &project.start {
        // Heroku's way: all programs of the module in bin/.
        let in_bin = start.command.iter().any(|word| word.trim_start_matches("./").contains("bin/"));
        let package = package(project).map_or_else(|_| "./...".to_owned(), |(package, _)| package);
        let output = if in_bin { "bin/" } else { PROGRAM };
        steps.push(plan::step(["go", "build", "-o", output, if in_bin { "./..." } else { &package }]));
        let reason = format!("there is go.mod, and {} says how it starts", start.file);
        return Ok(Some(Reading::new(Weight::Server, plan::server("Go", reason, steps, start.command.clone()))));
    }
    let (package, reason) = package(project)?;
    steps.push(plan::step(["go", "build", "-o", PROGRAM, &package]));
    Ok(Some(Reading::new(Weight::Server, plan::server("Go", reason, steps, plan::command(&[PROGRAM])))))
}

fn package(project: &Project<'_>) -> Result<(String, String), DetectError> {
    let is_go =
        |entry: &super::Entry| !entry.is_directory && entry.name.strip_suffix(".go").is_some_and(|name| !name.ends_with("_test"));
    let is_main = |file: &str| project.tree.read(file).is_some_and(|text| text.lines().any(|line| line.trim() == "package main"));
    if project.tree.list("").iter().filter(|entry| is_go(entry)).any(|entry| is_main(&entry.name)) {
        return Ok((".".to_owned(), "there is go.mod with a main package".to_owned()));
    }
    let commands: Vec<String> =
        project.tree.list("cmd").into_iter().filter(|entry| entry.is_directory).map(|entry| entry.name).collect();
    match commands.as_slice() {
        [one] => Ok((format!("./cmd/{one}"), format!("there is go.mod with cmd/{one}"))),
        _ if project.manifest.build.command.is_some() => Ok((".".to_owned(), "there is go.mod".to_owned())),
        [] => Err(DetectError::new(
            "START_UNKNOWN",
            "there is go.mod, but no main package at its root or in cmd/: name the build in mikrocloud.toml, for example [build] command = \
             \"go build -o .mikrocloud/server ./path\"",
        )),
        several => Err(DetectError::new(
            "START_UNKNOWN",
            format!(
                "there is go.mod with several programs in cmd/ ({}): choose one in mikrocloud.toml, for example [build] command = \
                 \"go build -o .mikrocloud/server ./cmd/{}\"",
                several.join(", "),
                several[0]
            ),
        )),
    }
}
