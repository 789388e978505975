//! Domains of the team's own.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::target::project_name;
use crate::arguments::{DomainsCommand, DomainsOptions, Output};
use crate::client::api::Api;
use crate::client::operations;
use crate::client::output::{self, Progress, moment, text};
use server::Failure;

const DOMAIN: &str = "id name unicodeName environment url state problem checkedAt nextCheckAt verifiedAt createdAt \
    records { type name value } certificate { state notAfter problem nextTryAt }";

/// Interval and duration of polling for the result of a DNS check.
const ASK_EVERY: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(90);

/// Lists, adds, shows, verifies, changes and removes the domains of a project.
pub async fn run(options: DomainsOptions) -> Result<(), Failure> {
    let (api, output) = (Api::signed_in()?, options.output);
    let project = operations::project(&api, &project_name(options.project.project.as_deref(), Path::new("."))?).await?;
    match options.command.unwrap_or(DomainsCommand::List) {
        DomainsCommand::List => list(&all(&api, &project).await?, output),
        DomainsCommand::Add { name, environment } => {
            let input = json!({"projectId": project, "name": name, "environment": environment.environment});
            show(&change(&api, "addDomain", "AddDomainInput", input).await?, output);
        }
        DomainsCommand::Show { name } => show(&find(&api, &project, &name).await?, output),
        DomainsCommand::Verify { name } => {
            return verify(&api, &find(&api, &project, &name).await?, output).await;
        }
        DomainsCommand::Update { name, environment } => {
            let domain = find(&api, &project, &name).await?;
            let input = json!({"domainId": domain["id"], "environment": environment});
            show(&change(&api, "updateDomain", "UpdateDomainInput", input).await?, output);
        }
        DomainsCommand::Remove { name } => {
            let domain = find(&api, &project, &name).await?;
            api.mutate("removeDomain", "RemoveDomainInput", json!({"domainId": domain["id"]}), "removed").await?;
            output::say(&json!({"removed": domain["name"]}), &format!("{} is removed.", text(&domain["name"])), output);
        }
    }
    Ok(())
}

async fn all(api: &Api, project: &str) -> Result<Value, Failure> {
    let query = format!("query($id: ID!) {{ project(id: $id) {{ domains {{ {DOMAIN} }} }} }}");
    Ok(api.run(&query, json!({"id": project})).await?["project"]["domains"].take())
}

/// The domain of this name, in ASCII or as people write it.
async fn find(api: &Api, project: &str, name: &str) -> Result<Value, Failure> {
    let wanted = name.trim_end_matches('.').to_lowercase();
    let domains = all(api, project).await?;
    let found = domains
        .as_array()
        .into_iter()
        .flatten()
        .find(|domain| [&domain["name"], &domain["unicodeName"]].contains(&&json!(wanted)));
    found.cloned().ok_or_else(|| {
        Failure::failed("NOT_FOUND", format!("the project has no domain `{name}`: `mikrocloud domains` lists them"))
    })
}

async fn change(api: &Api, mutation: &str, input_type: &str, input: Value) -> Result<Value, Failure> {
    let mut payload = api.mutate(mutation, input_type, input, &format!("domain {{ {DOMAIN} }}")).await?;
    Ok(payload["domain"].take())
}

/// Asks for a look at the DNS and waits for what it finds.
async fn verify(api: &Api, domain: &Value, output: Output) -> Result<(), Failure> {
    let progress = Progress::new(output.json);
    progress.status(&format!("looking at the DNS for {}", text(&domain["name"])));
    change(api, "verifyDomain", "VerifyDomainInput", json!({"domainId": domain["id"]})).await?;
    let looked = looked_after(api, domain).await;
    progress.finish();
    let looked = looked?;
    if looked["state"] == "VERIFIED" {
        show(&looked, output);
        return Ok(());
    }
    Err(Failure::failed("NOT_VERIFIED", format!("{}: {}", text(&looked["name"]), text(&looked["problem"]))))
}

/// The domain once it was looked at after this.
async fn looked_after(api: &Api, before: &Value) -> Result<Value, Failure> {
    let query = format!("query($id: ID!) {{ domain(id: $id) {{ {DOMAIN} }} }}");
    let until = Instant::now() + PATIENCE;
    loop {
        let mut data = api.run(&query, json!({"id": before["id"]})).await?;
        let now = data["domain"].take();
        if now.is_null() {
            return Err(Failure::failed("NOT_FOUND", format!("{} was removed meanwhile", text(&before["name"]))));
        }
        if now["checkedAt"] != before["checkedAt"] {
            return Ok(now);
        }
        if Instant::now() >= until {
            let message =
                "no worker has looked at the DNS yet: `mikrocloud jobs` shows what waits, `mikrocloud domains` how it stands";
            return Err(Failure::failed("TIMEOUT", message));
        }
        sleep(ASK_EVERY).await;
    }
}

fn list(domains: &Value, output: Output) {
    if output.json {
        output::json(domains);
        return;
    }
    let rows = domains.as_array().into_iter().flatten().map(|domain| {
        vec![
            text(&domain["unicodeName"]),
            text(&domain["environment"]),
            text(&domain["state"]).to_lowercase(),
            moment(&domain["checkedAt"]),
            certificate(&domain["certificate"]),
            problem(domain),
        ]
    });
    let empty = "No domains yet: add one of yours with `mikrocloud domains add www.example.org`";
    output::table(&["DOMAIN", "SHOWS", "STATE", "LOOKED AT (UTC)", "CERTIFICATE", "PROBLEM"], rows.collect(), empty);
}

/// Summarizes the status of a certificate.
fn certificate(certificate: &Value) -> String {
    match certificate["state"].as_str() {
        Some("ISSUED") => format!("until {}", moment(&certificate["notAfter"])),
        Some("WAITING") => "none yet".to_owned(),
        _ => "not by this server".to_owned(),
    }
}

/// Describes the problems of a domain and its certificate.
fn problem(domain: &Value) -> String {
    let problems = [&domain["problem"], &domain["certificate"]["problem"]];
    problems.into_iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
}

fn show(domain: &Value, output: Output) {
    if output.json {
        output::json(domain);
        return;
    }
    let is_verified = domain["state"] == "VERIFIED";
    println!("{}  {}", text(&domain["url"]), text(&domain["state"]).to_lowercase());
    println!("shows the environment {}", text(&domain["environment"]));
    if domain["certificate"]["state"] != "ELSEWHERE" {
        println!("certificate: {}", certificate(&domain["certificate"]));
    }
    let problem = problem(domain);
    if !problem.is_empty() {
        println!("{problem}");
    }
    if !is_verified {
        println!("Make these records in the DNS; it is served once they are seen:");
    }
    let records = domain["records"].as_array().into_iter().flatten();
    let rows = records.map(|record| vec![text(&record["name"]), text(&record["type"]), text(&record["value"])]);
    output::table(&["NAME", "TYPE", "VALUE"], rows.collect(), "");
    let name = text(&domain["name"]);
    if is_verified {
        return;
    }
    if domain["nextCheckAt"].is_null() {
        println!("It is looked for no longer: `mikrocloud domains verify {name}` looks again.");
    } else {
        println!("`mikrocloud domains` shows how it stands; `mikrocloud domains verify {name}` looks now.");
    }
}
