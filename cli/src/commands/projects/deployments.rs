//! Deployments: list, promote, roll back, cancel.

use std::path::Path;

use serde_json::{Value, json};

use super::deploy::wait;
use super::target::{deployment_id, project_name};
use crate::arguments::{CancelOptions, DeploymentsOptions, Output, PromoteOptions, RollbackOptions};
use crate::client::api::Api;
use crate::client::operations::{self, DEPLOYMENT};
use crate::client::output::{self, Progress, moment, text};
use server::Failure;

/// Lists a project's deployments.
pub async fn list(options: DeploymentsOptions) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    let name = project_name(options.project.project.as_deref(), Path::new("."))?;
    let query = format!(
        "query($slug: String, $first: Int, $after: String, $environment: String) {{ project(slug: $slug) {{
            deployments(first: $first, after: $after, environment: $environment) {{
                nodes {{ {DEPLOYMENT} }} totalCount pageInfo {{ hasNextPage endCursor }} }} }} }}"
    );
    let environment = &options.environment.environment;
    let after = match &options.after {
        Some(given) => Some(deployment_id(&api, given, &options.project).await?),
        None => None,
    };
    let variables = json!({"slug": name, "first": options.limit, "after": after, "environment": environment});
    let data = api.run(&query, variables).await?;
    if data["project"].is_null() {
        operations::project(&api, &name).await?;
    }
    let page = &data["project"]["deployments"];
    if options.output.json {
        output::json(page);
        return Ok(());
    }
    let rows = page["nodes"].as_array().into_iter().flatten().map(row).collect();
    let head = ["NUMBER", "DEPLOYMENT", "STATUS", "ROLLBACK", "ENVIRONMENT", "CLOUD", "TRIGGER", "CREATED (UTC)", "COMMIT"];
    output::table(&head, rows, &format!("`{name}` has no deployments yet: make one with `mikrocloud deploy`"));
    if page["pageInfo"]["hasNextPage"] == true {
        println!("more: mikrocloud deployments --after {}", text(&page["pageInfo"]["endCursor"]));
    }
    Ok(())
}

/// The cloud and account of a deployment's place.
fn cloud(place: &Value) -> String {
    let simulated = if place["simulated"] == true { " SIMULATED" } else { "" };
    match place["cloud"].as_str() {
        Some(cloud) => format!("{cloud}:{}{simulated}", text(&place["account"])),
        None => "local".to_owned(),
    }
}

fn row(deployment: &Value) -> Vec<String> {
    vec![
        text(&deployment["number"]),
        text(&deployment["id"]),
        text(&deployment["status"]).to_lowercase(),
        if deployment["rollbackAvailable"] == true { "yes" } else { "-" }.to_owned(),
        text(&deployment["environment"]["name"]),
        cloud(&deployment["place"]),
        text(&deployment["trigger"]).to_lowercase(),
        moment(&deployment["createdAt"]),
        text(&deployment["commitSha"]).chars().take(10).collect(),
    ]
}

/// Makes the artifact of a deployment live in another environment.
pub async fn promote(options: PromoteOptions) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    let id = deployment_id(&api, &options.deployment, &options.project).await?;
    let input = json!({"deploymentId": id, "environment": options.environment.environment});
    let deployment = operations::change_deployment(&api, "promoteDeployment", "PromoteDeploymentInput", input).await?;
    follow_up(&api, &deployment, options.output).await
}

/// Brings back what an environment showed before.
pub async fn rollback(options: RollbackOptions) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    let to = match &options.deployment {
        Some(given) => Some(deployment_id(&api, given, &options.project).await?),
        None => None,
    };
    let name = match (&to, &options.project.project) {
        (Some(id), None) => text(&operations::deployment(&api, id).await?["project"]["slug"]),
        (_, given) => project_name(given.as_deref(), Path::new("."))?,
    };
    let project = operations::project(&api, &name).await?;
    let input = json!({"projectId": project, "environment": options.environment.environment, "toDeploymentId": to});
    let deployment = operations::change_deployment(&api, "rollbackDeployment", "RollbackDeploymentInput", input).await?;
    follow_up(&api, &deployment, options.output).await
}

/// Cancels a deployment.
pub async fn cancel(options: CancelOptions) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    let input = json!({"deploymentId": deployment_id(&api, &options.deployment, &options.project).await?});
    let deployment = operations::change_deployment(&api, "cancelDeployment", "CancelDeploymentInput", input).await?;
    let status = text(&deployment["status"]).to_lowercase();
    if options.output.json {
        output::json(&json!({"deployment": deployment["id"], "status": status}));
    } else {
        println!("{status}: deployment {}", text(&deployment["id"]));
    }
    Ok(())
}

async fn follow_up(api: &Api, deployment: &Value, output: Output) -> Result<(), Failure> {
    wait(api, deployment, &Progress::new(output.json), output).await
}
