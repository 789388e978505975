//! The environments of a project.

use std::path::Path;

use serde_json::json;

use super::target::project_name;
use crate::arguments::{EnvironmentsCommand, EnvironmentsOptions};
use crate::client::api::Api;
use crate::client::operations;
use crate::client::output::{self, moment, text};
use server::Failure;

/// Lists environments, and deletes them.
pub async fn run(options: EnvironmentsOptions) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    let name = project_name(options.project.project.as_deref(), Path::new("."))?;
    let id = operations::project(&api, &name).await?;
    match options.command.unwrap_or(EnvironmentsCommand::List) {
        EnvironmentsCommand::List => {
            let query = "query($slug: String) { project(slug: $slug) { environments {
                id name url protected deleting createdAt liveDeployment { number } } } }";
            let data = api.run(query, json!({"slug": name})).await?;
            let environments = &data["project"]["environments"];
            if options.output.json {
                output::json(environments);
                return Ok(());
            }
            let rows = environments.as_array().into_iter().flatten().map(|environment| {
                let live = match environment["liveDeployment"]["number"].as_i64() {
                    _ if environment["deleting"] == true => "being deleted".to_owned(),
                    Some(number) => format!("deployment {number}"),
                    None => "nothing yet".to_owned(),
                };
                let protected = if environment["protected"] == true { "yes" } else { "no" };
                vec![
                    text(&environment["name"]),
                    live,
                    text(&environment["url"]),
                    protected.to_owned(),
                    moment(&environment["createdAt"]),
                ]
            });
            let empty = "You may see none of its environments: ask an owner or admin of the team";
            output::table(&["ENVIRONMENT", "SHOWS", "URL", "PROTECTED", "MADE (UTC)"], rows.collect(), empty);
            Ok(())
        }
        EnvironmentsCommand::Delete { name: environment } => {
            let input = json!({"projectId": id, "environment": environment});
            let fields = "environment { name deleting }";
            let payload = api.mutate("deleteEnvironment", "DeleteEnvironmentInput", input, fields).await?;
            if options.output.json {
                output::json(&payload["environment"]);
            } else {
                println!("{environment} is being deleted, with all it has in clouds.");
            }
            Ok(())
        }
    }
}
