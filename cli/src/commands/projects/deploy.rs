//! `mikrocloud deploy`: from a directory or a repository to a live URL.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::explanation;
use super::shown::Shown;
use super::target::{manifest, plan_of, project_name};
use crate::arguments::{DeployOptions, Output};
use crate::client::api::Api;
use crate::client::follow::{Position, Seen, follow};
use crate::client::operations;
use crate::client::output::{self, Progress};
use crate::client::upload::upload;
use server::Failure;

/// Interval at which a deployment that waits asks how many are before it.
const QUEUE_EVERY: Duration = Duration::from_secs(2);

/// Deploys and waits.
pub async fn deploy(options: DeployOptions) -> Result<(), Failure> {
    if options.explain {
        return explain(&options).await;
    }
    let api = Api::signed_in()?;
    let progress = Arc::new(Progress::new(options.output.json));
    let deployment = start(&api, &options, &progress).await;
    if deployment.is_err() {
        progress.finish();
    }
    let deployment = deployment?;
    if options.detach {
        progress.finish();
        finish(&deployment, options.output);
        return Ok(());
    }
    wait(&api, &deployment, &progress, options.output).await
}

async fn start(api: &Api, options: &DeployOptions, progress: &Arc<Progress>) -> Result<Value, Failure> {
    let mut input = json!({
        "environment": options.environment.environment, "cloud": options.cloud, "region": options.region,
        "directory": options.directory,
    });
    let name = if is_repository(&options.source) {
        input["repository"] = json!(options.source);
        input["reference"] = json!(options.reference);
        match &options.project.project {
            Some(name) => name.clone(),
            None => repository_name(&options.source)?,
        }
    } else {
        if options.reference.is_some() {
            return Err(Failure::usage("--ref chooses a branch, tag or commit of a repository; a directory has none"));
        }
        let directory = Path::new(&options.source);
        if !directory.is_dir() {
            return Err(Failure::failed(
                "SOURCE",
                format!("{} is no directory: name one, or a repository's address", directory.display()),
            ));
        }
        // Says what is wrong with the project file before anything is uploaded.
        manifest(directory)?;
        // One of several projects in a directory has a name of its own.
        let named = options.directory.as_ref().map(|inner| directory.join(inner)).filter(|inner| inner.is_dir());
        project_name(options.project.project.as_deref(), named.as_deref().unwrap_or(directory))?
    };
    let project = match operations::find_project(api, &name).await? {
        Some(id) => id,
        None => operations::create_project(api, json!({"name": name})).await?,
    };
    if !is_repository(&options.source) {
        input["upload"] = json!(upload(api, Path::new(&options.source), progress).await?);
    }
    input["projectId"] = json!(project);
    operations::change_deployment(api, "triggerDeployment", "TriggerDeploymentInput", input).await
}

/// Shows the plan for a directory, made with the programs of this machine.
async fn explain(options: &DeployOptions) -> Result<(), Failure> {
    if is_repository(&options.source) {
        return Err(Failure::usage("--explain looks at a directory: clone the repository and name the clone"));
    }
    let (_, plan) = plan_of(Path::new(&options.source), options.directory.as_deref()).await?;
    explanation::print(&plan, options.output);
    Ok(())
}

/// Returns true if a source is the address of a repository rather than a directory.
fn is_repository(source: &str) -> bool {
    let remote = source.contains("://") || (source.contains('@') && source.contains(':'));
    remote && !Path::new(source).exists()
}

fn repository_name(address: &str) -> Result<String, Failure> {
    let last = address.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
    let name = domain::name::ProjectName::suggest(last.trim_end_matches(".git"));
    name.map(|name| name.to_string())
        .ok_or_else(|| Failure::usage("no project name can be made of the repository's address: choose one with --project"))
}

/// Follows a deployment to its end, and says how it ended.
pub async fn wait(api: &Api, deployment: &Value, progress: &Progress, output: Output) -> Result<(), Failure> {
    let id = output::text(&deployment["id"]);
    let (mut position, shown) = (Position::default(), RefCell::new(Shown::default()));
    let print = |line: &Value| {
        let text = output::text(&line["text"]);
        shown.borrow_mut().add(&text);
        progress.line(&text);
    };
    let following = Box::pin(follow(api, &id, &mut position, |seen| match seen {
        Seen::Event(event) => {
            let status = output::text(&event["status"]);
            let is_over = matches!(status.as_str(), "LIVE" | "SUPERSEDED" | "FAILED" | "CANCELLED");
            // How it ended is said once, below.
            progress.status(&if is_over { status.to_lowercase() } else { output::text(&event["message"]) });
            is_over
        }
        Seen::Line(line) => {
            print(&line);
            false
        }
    }));
    tokio::select! {
        followed = following => followed?,
        () = tell_queue(api, &id, progress) => {}
        _ = tokio::signal::ctrl_c() => {
            progress.finish();
            let message = format!("interrupted; the deployment goes on. Follow it with `mikrocloud logs -f {id}`, stop it with `mikrocloud cancel {id}`");
            return Err(Failure::failed("INTERRUPTED", message));
        }
    }
    remaining_lines(api, &id, position.line, print).await?;
    progress.finish();
    let deployment = operations::deployment(api, &id).await?;
    finish(&deployment, output);
    if matches!(deployment["status"].as_str(), Some("LIVE" | "SUPERSEDED")) {
        return Ok(());
    }
    let failure = &deployment["failure"];
    let message = output::text(&failure["message"]);
    let mut failed = Failure::failed(output::text(&failure["code"]), shown.borrow().told_once(&message));
    failed.printed = output.json;
    Err(failed)
}

/// Says how many builds come first, for as long as the deployment waits for its own. Never returns.
async fn tell_queue(api: &Api, id: &str, progress: &Progress) {
    let mut told = None;
    // Most begin at once, and need no word about it.
    tokio::time::sleep(QUEUE_EVERY).await;
    // What cannot be asked is not told: whoever follows the deployment says so if the server is gone.
    while let Ok(Some(before)) = operations::builds_before(api, id).await {
        if told.replace(before) != Some(before) {
            progress.status(&match before {
                0 => "queued: yours is built next".to_owned(),
                1 => "queued: 1 build before yours".to_owned(),
                more => format!("queued: {more} builds before yours"),
            });
        }
        tokio::time::sleep(QUEUE_EVERY).await;
    }
    std::future::pending::<()>().await;
}

/// The lines written before the last event that did not come through yet.
async fn remaining_lines(api: &Api, id: &str, mut after: i64, print: impl Fn(&Value)) -> Result<(), Failure> {
    let until = operations::deployment(api, id).await?["logCount"].as_i64().unwrap_or(0);
    while after < until {
        let lines = operations::log_lines(api, id, after).await?;
        let Some(last) = lines.last().and_then(|line| line["number"].as_i64()) else { return Ok(()) };
        lines.iter().for_each(&print);
        after = last;
    }
    Ok(())
}

fn finish(deployment: &Value, output: Output) {
    let status = output::text(&deployment["status"]).to_lowercase();
    let is_shown = matches!(status.as_str(), "live" | "superseded");
    if output.json {
        // Before its first release on another cloud an environment has no address there yet.
        let has_address = is_shown || deployment["place"].is_null();
        let mut document = json!({
            "deployment": deployment["id"],
            "status": status,
            "url": if has_address { &deployment["environment"]["url"] } else { &Value::Null },
            "deploymentUrl": deployment["url"],
            "project": deployment["project"]["slug"],
            "environment": deployment["environment"]["name"],
            "place": deployment["place"],
        });
        if !deployment["failure"].is_null() {
            document["failure"] = deployment["failure"].clone();
        }
        output::json(&document);
    } else if is_shown {
        println!("{status}: {}{}", output::text(&deployment["environment"]["url"]), operations::place(&deployment["place"]));
        if let Some(alone) = deployment["url"].as_str() {
            println!("this deployment alone: {alone}");
        }
    } else {
        println!("{status}: deployment {}", output::text(&deployment["id"]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_told_from_directories() {
        for source in
            ["https://example.org/shop.git", "ssh://git@example.org/shop", "git@example.org:team/shop.git", "file:///srv/shop"]
        {
            assert!(is_repository(source), "{source}");
        }
        for source in [".", "shop", "/srv/shop", "./a:b"] {
            assert!(!is_repository(source), "{source}");
        }
        assert_eq!(repository_name("git@example.org:team/My_Shop.git").unwrap(), "my-shop");
    }
}
