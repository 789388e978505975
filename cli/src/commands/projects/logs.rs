//! `mikrocloud logs`.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::shown::Shown;
use super::target::{deployment_id, project_name};
use crate::arguments::LogsOptions;
use crate::client::api::Api;
use crate::client::follow::{Position, Seen, follow};
use crate::client::operations;
use crate::client::output::{self, text};
use server::Failure;

/// Shows the log of a deployment, and what is to come with `-f`.
pub async fn logs(options: LogsOptions) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    let id = match &options.deployment {
        Some(given) => {
            let id = deployment_id(&api, given, &options.project).await?;
            text(&operations::deployment(&api, &id).await?["id"])
        }
        None => live_deployment(&api, &options).await?,
    };
    if options.follow {
        return follow_log(&api, &id, options.after).await;
    }
    let (mut all, mut shown) = (Vec::new(), Shown::default());
    let mut after = options.after;
    loop {
        let lines = operations::log_lines(&api, &id, after).await?;
        let Some(last) = lines.last().and_then(|line| line["number"].as_i64()) else { break };
        after = last;
        for line in &lines {
            shown.add(&text(&line["text"]));
        }
        if options.output.json {
            all.extend(lines);
        } else if !lines.iter().all(print) {
            return Ok(());
        }
    }
    if options.output.json {
        output::json(&json!({"deployment": id, "lines": all}));
        return Ok(());
    }
    let failure = operations::deployment(&api, &id).await?["failure"].take();
    if let Some(message) = failure["message"].as_str() {
        eprintln!("this deployment ended: {}", shown.told_once(message));
    }
    Ok(())
}

async fn follow_log(api: &Api, id: &str, after: i64) -> Result<(), Failure> {
    // Events are not shown here, so none has to be replayed.
    let mut position = Position { event: i64::from(i32::MAX), line: after };
    let following = follow(api, id, &mut position, |seen| match seen {
        Seen::Line(line) => !print(&line),
        Seen::Event(_) => false,
    });
    tokio::select! {
        followed = following => followed,
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

/// Prints a line; `false` when nobody reads any more.
fn print(line: &Value) -> bool {
    writeln!(std::io::stdout(), "{}", text(&line["text"])).is_ok()
}

async fn live_deployment(api: &Api, options: &LogsOptions) -> Result<String, Failure> {
    let name = project_name(options.project.project.as_deref(), Path::new("."))?;
    operations::project(api, &name).await?;
    let query =
        "query($slug: String, $name: String) { project(slug: $slug) { environment(name: $name) { liveDeployment { id } } } }";
    let data = api.run(query, json!({"slug": name, "name": options.environment.environment})).await?;
    let live = data["project"]["environment"]["liveDeployment"]["id"].as_str().map(str::to_owned);
    live.ok_or_else(|| {
        Failure::failed(
            "NOT_FOUND",
            format!("`{name}` shows no deployment there yet: name one that `mikrocloud deployments` lists"),
        )
    })
}
