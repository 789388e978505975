//! Projects.

use std::io::{BufRead, IsTerminal, Write};

use serde_json::{Value, json};

use crate::arguments::{EnvironmentChoice, Output, ProjectsCommand, ProjectsOptions};
use crate::client::api::Api;
use crate::client::operations;
use crate::client::output::{self, moment, text};
use server::Failure;

/// Lists, creates, shows and deletes projects.
pub async fn run(options: ProjectsOptions) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    match options.command.unwrap_or(ProjectsCommand::List { after: None }) {
        ProjectsCommand::List { after } => list(&api, after, options.output).await,
        ProjectsCommand::Create { name, repository, reference } => {
            let id =
                operations::create_project(&api, json!({"name": name, "repository": repository, "reference": reference})).await?;
            if options.output.json {
                output::json(&json!({"id": id, "slug": name}));
            } else {
                println!("Created {name} ({id}). Next: mikrocloud deploy --project {name}");
            }
            Ok(())
        }
        ProjectsCommand::Update { name, rename, repository, reference } => {
            let id = operations::project(&api, &name).await?;
            let input = json!({"projectId": id, "name": rename, "repository": repository, "reference": reference});
            let fields = "project { id slug repository reference }";
            let payload = api.mutate("updateProject", "UpdateProjectInput", input, fields).await?;
            output::say(&payload["project"], &format!("Changed {}.", text(&payload["project"]["slug"])), options.output);
            Ok(())
        }
        ProjectsCommand::Show { name } => show(&api, &name, options.output).await,
        ProjectsCommand::Protect { name, environment } => protect(&api, &name, environment, true, options.output).await,
        ProjectsCommand::Unprotect { name, environment } => protect(&api, &name, environment, false, options.output).await,
        ProjectsCommand::Delete { name, yes } => delete(&api, &name, yes, options.output).await,
    }
}

async fn list(api: &Api, after: Option<String>, output: Output) -> Result<(), Failure> {
    let query = "query($after: String) { projects(first: 100, after: $after) {
        nodes { id slug repository createdAt deleting environment { url liveDeployment { number status changedAt } } }
        totalCount pageInfo { hasNextPage endCursor } } }";
    let data = api.run(query, json!({"after": after})).await?;
    let page = &data["projects"];
    if output.json {
        output::json(page);
        return Ok(());
    }
    let rows = page["nodes"].as_array().into_iter().flatten().map(row).collect();
    output::table(
        &["PROJECT", "LIVE", "SINCE (UTC)", "URL"],
        rows,
        "No projects yet: make one with `mikrocloud deploy` in its directory",
    );
    if page["pageInfo"]["hasNextPage"] == true {
        println!("more: mikrocloud projects list --after {}", text(&page["pageInfo"]["endCursor"]));
    }
    Ok(())
}

fn row(project: &Value) -> Vec<String> {
    let live = &project["environment"]["liveDeployment"];
    let state = match (project["deleting"] == true, live.is_null()) {
        (true, _) => "being deleted".to_owned(),
        (false, true) => "-".to_owned(),
        (false, false) => format!("number {}", text(&live["number"])),
    };
    vec![text(&project["slug"]), state, moment(&live["changedAt"]), text(&project["environment"]["url"])]
}

async fn show(api: &Api, name: &str, output: Output) -> Result<(), Failure> {
    let query = |variables: &str| {
        format!(
            "query($slug: String) {{ project(slug: $slug) {{ id slug repository reference createdAt deleting
                environments {{ name url protected liveDeployment {{ id number changedAt }} {variables} }}
                resources {{ cloud kind externalId createdAt }} }} }}"
        )
    };
    let data = match api.run(&query("variables { name }"), json!({"slug": name})).await {
        // Not everybody who may look at a project may see what its variables are called.
        Err(failure) if failure.code == "FORBIDDEN" => api.run(&query(""), json!({"slug": name})).await?,
        answer => answer?,
    };
    let project = &data["project"];
    if project.is_null() {
        operations::project(api, name).await?;
    }
    if output.json {
        output::json(project);
        return Ok(());
    }
    println!("{} ({})", text(&project["slug"]), text(&project["id"]));
    if !project["repository"].is_null() {
        println!("repository: {} {}", text(&project["repository"]), text(&project["reference"]));
    }
    let environments = project["environments"].as_array().into_iter().flatten().map(|environment| {
        let live = &environment["liveDeployment"];
        let variables = environment["variables"].as_array().map_or_else(|| "?".to_owned(), |names| names.len().to_string());
        let name = if environment["protected"] == true { " (protected)" } else { "" };
        vec![format!("{}{name}", text(&environment["name"])), text(&environment["url"]), text(&live["id"]), variables]
    });
    output::table(&["ENVIRONMENT", "URL", "LIVE DEPLOYMENT", "VARIABLES"], environments.collect(), "No environments");
    let resources = project["resources"].as_array().into_iter().flatten();
    let resources = resources
        .map(|found| vec![text(&found["cloud"]), text(&found["kind"]), text(&found["externalId"]), moment(&found["createdAt"])]);
    output::table(
        &["CLOUD", "RESOURCE", "NAME", "SINCE (UTC)"],
        resources.collect(),
        "Nothing of it runs on MikroCloud's own machines. `mikrocloud clouds show ACCOUNT` lists what is in a cloud.",
    );
    Ok(())
}

async fn protect(api: &Api, name: &str, choice: EnvironmentChoice, protected: bool, output: Output) -> Result<(), Failure> {
    let input =
        json!({"projectId": operations::project(api, name).await?, "environment": choice.environment, "protected": protected});
    let payload = api.mutate("protectEnvironment", "ProtectEnvironmentInput", input, "environment { id name protected }").await?;
    let environment = &payload["environment"];
    if output.json {
        output::json(environment);
    } else if protected {
        println!("{} of {name} is protected: what is deployed to it waits for an approval.", text(&environment["name"]));
    } else {
        println!("{} of {name} is no longer protected.", text(&environment["name"]));
    }
    Ok(())
}

async fn delete(api: &Api, name: &str, yes: bool, output: Output) -> Result<(), Failure> {
    let id = operations::project(api, name).await?;
    if !yes && !confirmed(name)? {
        return Err(Failure::usage("not deleted: confirm by typing the project's name, or pass --yes"));
    }
    api.mutate("deleteProject", "DeleteProjectInput", json!({"projectId": id}), "project { id }").await?;
    let progress = output::Progress::new(output.json);
    progress.status(&format!("removing all that {name} has on its cloud"));
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_mins(5);
    let mut pause = std::time::Duration::from_millis(50);
    while operations::find_project(api, name).await?.is_some() {
        if tokio::time::Instant::now() > deadline {
            progress.finish();
            return Err(Failure::failed("TIMEOUT", format!("{name} is still being deleted; the server goes on with it")));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(std::time::Duration::from_secs(1));
    }
    progress.finish();
    if output.json {
        output::json(&json!({"id": id, "slug": name, "deleted": true}));
    } else {
        println!("Deleted {name} and all it had.");
    }
    Ok(())
}

fn confirmed(name: &str) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    print!("This deletes {name}, its deployments and all it has on its cloud. Type its name to go on: ");
    std::io::stdout().flush().map_err(anyhow::Error::from)?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(anyhow::Error::from)?;
    Ok(line.trim() == name)
}
