//! The project's repository at its Git host.

use std::io::Read;
use std::path::Path;

use serde_json::{Value, json};

use super::target::project_name;
use crate::arguments::{ConnectionRules, GitCommand, GitOptions, Output, ProjectChoice, TokenChoice};
use crate::client::api::Api;
use crate::client::operations;
use crate::client::output::{self, moment, text};
use server::Failure;

const CONNECTION: &str =
    "id host apiUrl repository reports byApp webhookPath branches { branch environment } previews previewHours createdAt";
const INSTALLATION: &str = "id account teamId suspended changedAt";
/// The variable that holds a token.
const TOKEN: &str = "MIKROCLOUD_GIT_TOKEN";

/// Connects a project's repository, changes that and ends it, and shows what the host told.
pub async fn run(options: GitOptions) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    let GitOptions { command, project, output } = options;
    match command.unwrap_or(GitCommand::Show) {
        GitCommand::Show => show(&api, &project, output).await,
        GitCommand::Connect { host, api_url, repository, token, rules } => {
            let mut input = json!({"projectId": chosen(&api, &project).await?});
            put(&mut input, "host", host.map(|host| host.to_uppercase()));
            put(&mut input, "apiUrl", api_url);
            put(&mut input, "repository", repository);
            put_choices(&mut input, &token, &rules)?;
            let fields = format!("connection {{ {CONNECTION} }} webhookSecret");
            let payload = api.mutate("connectRepository", "ConnectRepositoryInput", input, &fields).await?;
            connected(&api, &payload, output);
            Ok(())
        }
        GitCommand::Update { token, rules, new_secret } => {
            let mut input = json!({"projectId": chosen(&api, &project).await?, "newSecret": new_secret});
            put_choices(&mut input, &token, &rules)?;
            let fields = format!("connection {{ {CONNECTION} }} webhookSecret");
            let payload = api.mutate("updateGitConnection", "UpdateGitConnectionInput", input, &fields).await?;
            connected(&api, &payload, output);
            Ok(())
        }
        GitCommand::Disconnect => {
            let input = json!({"projectId": chosen(&api, &project).await?});
            api.mutate("disconnectRepository", "DisconnectRepositoryInput", input, "disconnected").await?;
            output::say(&json!({"disconnected": true}), "Disconnected. Remove the webhook at the host, too.", output);
            Ok(())
        }
        GitCommand::Deliveries { limit } => deliveries(&api, &project, limit, output).await,
        GitCommand::Previews => previews(&api, &project, output).await,
        GitCommand::Installations => {
            let data = api.run(&format!("{{ gitInstallations {{ {INSTALLATION} }} }}"), json!({})).await?;
            installations(&data["gitInstallations"], output);
            Ok(())
        }
        GitCommand::Assign { installation } => assign(&api, installation, true, output).await,
        GitCommand::Unassign { installation } => assign(&api, installation, false, output).await,
    }
}

async fn chosen(api: &Api, project: &ProjectChoice) -> Result<String, Failure> {
    operations::project(api, &project_name(project.project.as_deref(), Path::new("."))?).await
}

fn put(input: &mut Value, name: &str, value: Option<impl ToString>) {
    if let Some(value) = value {
        input[name] = json!(value.to_string());
    }
}

fn put_choices(input: &mut Value, token: &TokenChoice, rules: &ConnectionRules) -> Result<(), Failure> {
    if let Some(token) = read_token(token)? {
        input["token"] = json!(token);
    }
    if !rules.branches.is_empty() {
        let rules = rules.branches.iter().map(|(branch, environment)| json!({"branch": branch, "environment": environment}));
        input["branches"] = rules.collect();
    }
    if let Some(previews) = rules.previews {
        input["previews"] = json!(previews);
    }
    if let Some(hours) = rules.preview_hours {
        input["previewHours"] = json!(hours);
    }
    Ok(())
}

fn read_token(choice: &TokenChoice) -> Result<Option<String>, Failure> {
    if !choice.token_stdin {
        return Ok(std::env::var(TOKEN).ok().filter(|token| !token.is_empty()));
    }
    let mut token = String::new();
    let read = std::io::stdin().read_to_string(&mut token);
    read.map_err(|error| Failure::usage(format!("the token cannot be read from stdin: {error}")))?;
    Ok(Some(token.trim().to_owned()))
}

fn webhook_url(api: &Api, connection: &Value) -> String {
    api.url(&text(&connection["webhookPath"]))
}

/// Prints the new connection, and the steps that remain to be done at the host.
fn connected(api: &Api, payload: &Value, output: Output) {
    let (connection, secret) = (&payload["connection"], &payload["webhookSecret"]);
    let url = webhook_url(api, connection);
    if output.json {
        output::json(&json!({"connection": connection, "webhookUrl": url, "webhookSecret": secret}));
        return;
    }
    println!("{} is connected.", text(&connection["repository"]));
    if connection["byApp"] == true {
        println!("The GitHub App tells of its pushes and pull requests: nothing is to be set up.");
    }
    if let Some(secret) = secret.as_str() {
        let (where_, events) = if connection["host"] == "GITHUB" {
            ("Settings > Webhooks > Add webhook", "Events:        Pushes, Pull requests\nContent type:  application/json")
        } else {
            ("Settings > Webhooks > Add new webhook", "Triggers:      Push events, Merge request events")
        };
        println!("\nAdd a webhook in the repository ({where_}):\nURL:           {url}\nSecret:        {secret}\n{events}");
        println!("\nThe secret is not shown again. `mikrocloud git deliveries` shows what comes.");
    }
    if connection["reports"] == false {
        println!("The host is not told what becomes of commits: give a token with `mikrocloud git update --token-stdin`.");
    }
}

async fn show(api: &Api, choice: &ProjectChoice, output: Output) -> Result<(), Failure> {
    let name = project_name(choice.project.as_deref(), Path::new("."))?;
    operations::project(api, &name).await?;
    let query = format!("query($slug: String) {{ project(slug: $slug) {{ gitConnection {{ {CONNECTION} }} }} }}");
    let data = api.run(&query, json!({"slug": name})).await?;
    let connection = &data["project"]["gitConnection"];
    if output.json {
        output::json(connection);
        return Ok(());
    }
    if connection.is_null() {
        println!("The repository is not connected: `mikrocloud git connect` lets its pushes deploy.");
        return Ok(());
    }
    let branches = connection["branches"].as_array().into_iter().flatten();
    let branches: Vec<_> = branches.map(|rule| format!("{} to {}", text(&rule["branch"]), text(&rule["environment"]))).collect();
    let yes = |value: &Value, yes: &str, no: &str| if value == true { yes.to_owned() } else { no.to_owned() };
    let previews = format!("yes, for {} hours after the last commit", connection["previewHours"]);
    let how = if connection["byApp"] == true { "by the GitHub App" } else { "with a token" };
    output::table(
        &["WHAT", "VALUE"],
        vec![
            vec!["Repository".to_owned(), text(&connection["repository"])],
            vec!["Host".to_owned(), text(&connection["apiUrl"])],
            vec!["Webhook".to_owned(), webhook_url(api, connection)],
            vec!["Host is told".to_owned(), yes(&connection["reports"], how, "no: it has no token")],
            vec!["Other branches".to_owned(), if branches.is_empty() { "none".to_owned() } else { branches.join(", ") }],
            vec!["Previews".to_owned(), yes(&connection["previews"], &previews, "no")],
        ],
        "",
    );
    Ok(())
}

async fn deliveries(api: &Api, choice: &ProjectChoice, limit: i64, output: Output) -> Result<(), Failure> {
    let name = project_name(choice.project.as_deref(), Path::new("."))?;
    operations::project(api, &name).await?;
    let query = "query($slug: String, $first: Int) { project(slug: $slug) { gitConnection { deliveries(first: $first) { nodes {
        id delivery event state outcome deploymentId receivedAt } } } } }";
    let data = api.run(query, json!({"slug": name, "first": limit})).await?;
    let connection = &data["project"]["gitConnection"];
    if connection.is_null() {
        return Err(Failure::failed("NOT_FOUND", "the repository is not connected: `mikrocloud git connect` does that"));
    }
    let nodes = &connection["deliveries"]["nodes"];
    if output.json {
        output::json(nodes);
        return Ok(());
    }
    let rows = nodes.as_array().into_iter().flatten().map(|delivery| {
        vec![
            moment(&delivery["receivedAt"]),
            text(&delivery["event"]),
            text(&delivery["state"]).to_lowercase(),
            text(&delivery["outcome"]),
        ]
    });
    let empty = "The host has told nothing yet: is the webhook set up? `mikrocloud git show` shows its address";
    output::table(&["RECEIVED (UTC)", "EVENT", "STATE", "OUTCOME"], rows.collect(), empty);
    Ok(())
}

async fn previews(api: &Api, choice: &ProjectChoice, output: Output) -> Result<(), Failure> {
    let name = project_name(choice.project.as_deref(), Path::new("."))?;
    operations::project(api, &name).await?;
    let query = "query($slug: String) { project(slug: $slug) { previews {
        id number title author branch commit isFork environment url closedBecause expiresAt } } }";
    let data = api.run(query, json!({"slug": name})).await?;
    let previews = &data["project"]["previews"];
    if output.json {
        output::json(previews);
        return Ok(());
    }
    let rows = previews.as_array().into_iter().flatten().map(|preview| {
        let until = if preview["closedBecause"].is_null() { moment(&preview["expiresAt"]) } else { "being removed".to_owned() };
        let from =
            if preview["isFork"] == true { format!("{} (fork)", text(&preview["author"])) } else { text(&preview["author"]) };
        vec![text(&preview["number"]), text(&preview["title"]), from, text(&preview["url"]), until]
    });
    let empty = "No previews: once the repository is connected (`mikrocloud git connect`), each pull request gets one";
    output::table(&["NUMBER", "TITLE", "FROM", "URL", "UNTIL (UTC)"], rows.collect(), empty);
    Ok(())
}

async fn assign(api: &Api, installation: u64, assigned: bool, output: Output) -> Result<(), Failure> {
    let input = json!({"installationId": installation.to_string(), "assigned": assigned});
    let fields = format!("installation {{ {INSTALLATION} }}");
    let payload = api.mutate("assignGitInstallation", "AssignGitInstallationInput", input, &fields).await?;
    installations(&json!([payload["installation"]]), output);
    Ok(())
}

fn installations(found: &Value, output: Output) {
    if output.json {
        output::json(found);
        return;
    }
    let rows = found.as_array().into_iter().flatten().map(|installation| {
        let team = if installation["teamId"].is_null() { "none yet".to_owned() } else { text(&installation["teamId"]) };
        let state = if installation["suspended"] == true { "suspended" } else { "works" };
        vec![text(&installation["id"]), text(&installation["account"]), team, state.to_owned()]
    });
    let empty = "The GitHub App is installed nowhere, or this server has none: see docs/git-hosts.md";
    output::table(&["INSTALLATION", "ACCOUNT", "TEAM", "STATE"], rows.collect(), empty);
}
