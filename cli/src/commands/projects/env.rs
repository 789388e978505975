//! Environment variables.

use std::io::Read;
use std::path::Path;

use serde_json::{Value, json};

use super::target::project_name;
use crate::arguments::{EnvCommand, EnvOptions, EnvironmentChoice, Output, ProjectChoice};
use crate::client::api::Api;
use crate::client::operations;
use crate::client::output::{self, moment, text};
use server::Failure;

/// Lists, sets and unsets variables.
pub async fn run(options: EnvOptions) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    match options.command {
        EnvCommand::List { project, environment } => list(&api, &project, &environment, options.output).await,
        EnvCommand::Set { variables, project, environment } => {
            let variables = variables.iter().map(|given| variable(given)).collect::<Result<Vec<_>, _>>()?;
            let input = json!({"projectId": chosen(&api, &project).await?, "environment": environment.environment, "variables": variables});
            let payload = api.mutate("setEnvironmentVariable", "SetEnvironmentVariableInput", input, "names").await?;
            changed(&payload["names"], options.output);
            Ok(())
        }
        EnvCommand::Unset { name, project, environment } => {
            let input = json!({"projectId": chosen(&api, &project).await?, "environment": environment.environment, "name": name});
            let payload = api.mutate("unsetEnvironmentVariable", "UnsetEnvironmentVariableInput", input, "names").await?;
            changed(&payload["names"], options.output);
            Ok(())
        }
    }
}

async fn chosen(api: &Api, project: &ProjectChoice) -> Result<String, Failure> {
    operations::project(api, &project_name(project.project.as_deref(), Path::new("."))?).await
}

/// A variable from `NAME=VALUE`, or `NAME` with the value on stdin.
fn variable(given: &str) -> Result<Value, Failure> {
    if let Some((name, value)) = given.split_once('=') {
        return Ok(json!({"name": name, "value": value}));
    }
    let mut value = String::new();
    let read = std::io::stdin().read_to_string(&mut value);
    read.map_err(|error| Failure::usage(format!("the value of {given} cannot be read from stdin: {error}")))?;
    Ok(json!({"name": given, "value": value.strip_suffix('\n').unwrap_or(&value)}))
}

async fn list(api: &Api, project: &ProjectChoice, environment: &EnvironmentChoice, output: Output) -> Result<(), Failure> {
    let name = project_name(project.project.as_deref(), Path::new("."))?;
    operations::project(api, &name).await?;
    let query = "query($slug: String, $name: String) { project(slug: $slug) { environment(name: $name) { name variables { name createdAt } } } }";
    let data = api.run(query, json!({"slug": name, "name": environment.environment})).await?;
    let found = &data["project"]["environment"];
    if output.json {
        output::json(
            &json!({"environment": found["name"], "variables": found["variables"].as_array().cloned().unwrap_or_default()}),
        );
        return Ok(());
    }
    let rows = found["variables"].as_array().into_iter().flatten();
    let rows = rows.map(|variable| vec![text(&variable["name"]), moment(&variable["createdAt"])]).collect();
    output::table(&["NAME", "SET (UTC)"], rows, "No variables yet: set one with `mikrocloud env set NAME=VALUE`");
    Ok(())
}

fn changed(names: &Value, output: Output) {
    if output.json {
        output::json(&json!({"variables": names}));
    } else {
        let names: Vec<_> = names.as_array().into_iter().flatten().map(text).collect();
        println!(
            "Set now: {}. The next deployment has them.",
            if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
        );
    }
}
