//! Jobs and queues.

use serde_json::{Value, json};

use crate::arguments::{JobsCommand, JobsOptions, Output};
use crate::client::api::Api;
use crate::client::output::{self, moment, text};
use server::Failure;

const JOB: &str =
    "id kind queue state attempts maxAttempts createdAt runAt startedAt finishedAt worker lastError payload traceId";
const QUEUE: &str = "name waiting delayed running dead oldestDueAt pausedAt concurrency teamConcurrency";

/// Lists, shows, retries and discards jobs; shows and changes queues.
pub async fn run(options: JobsOptions) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    let output = options.output;
    match options.command.unwrap_or(JobsCommand::List { queue: None, state: None, after: None }) {
        JobsCommand::List { queue, state, after } => {
            list(&api, queue, state.map(|state| state.to_uppercase()), after, output).await
        }
        JobsCommand::Show { job } => show(&api, &job, output).await,
        JobsCommand::Retry { job } => change(&api, "retryJob", &job, output).await,
        JobsCommand::Discard { job } => change(&api, "discardJob", &job, output).await,
        JobsCommand::Queues => queues(&api, output).await,
        JobsCommand::Pause { queue } => update(&api, json!({"name": queue, "paused": true}), output).await,
        JobsCommand::Resume { queue } => update(&api, json!({"name": queue, "paused": false}), output).await,
        JobsCommand::Limit { queue, total, team } => {
            update(&api, json!({"name": queue, "concurrency": total, "teamConcurrency": team}), output).await
        }
    }
}

async fn list(
    api: &Api,
    queue: Option<String>,
    state: Option<String>,
    after: Option<String>,
    output: Output,
) -> Result<(), Failure> {
    let query = format!(
        "query($queue: String, $state: JobState, $after: ID) {{ jobs(first: 50, queue: $queue, state: $state, after: $after) {{
            nodes {{ {JOB} }} pageInfo {{ hasNextPage endCursor }} }} }}"
    );
    let data = api.run(&query, json!({"queue": queue, "state": state, "after": after})).await?;
    let page = &data["jobs"];
    if output.json {
        output::json(page);
        return Ok(());
    }
    let rows = page["nodes"].as_array().into_iter().flatten().map(|job| {
        let attempts = format!("{} of {}", text(&job["attempts"]), text(&job["maxAttempts"]));
        let error: String = text(&job["lastError"]).chars().take(60).collect();
        vec![text(&job["id"]), text(&job["kind"]), text(&job["state"]).to_lowercase(), attempts, moment(&job["createdAt"]), error]
    });
    output::table(
        &["JOB", "KIND", "STATE", "ATTEMPTS", "WRITTEN (UTC)", "LAST ERROR"],
        rows.collect(),
        "No such jobs: a deployment makes some",
    );
    if page["pageInfo"]["hasNextPage"] == true {
        println!("more: mikrocloud jobs list --after {}", text(&page["pageInfo"]["endCursor"]));
    }
    Ok(())
}

async fn show(api: &Api, id: &str, output: Output) -> Result<(), Failure> {
    let query = format!("query($id: ID!) {{ job(id: $id) {{ {JOB} failures {{ attempt worker error at }} }} }}");
    let data = api.run(&query, json!({"id": id})).await?;
    let job = &data["job"];
    if job.is_null() {
        return Err(Failure::failed("NOT_FOUND", format!("there is no job `{id}` in your team: `mikrocloud jobs` lists them")));
    }
    if output.json {
        output::json(job);
        return Ok(());
    }
    let shown = [
        ("job", "id"),
        ("kind", "kind"),
        ("queue", "queue"),
        ("state", "state"),
        ("worker", "worker"),
        ("payload", "payload"),
        ("trace", "traceId"),
    ];
    for (name, key) in shown {
        println!("{name:8} {}", text(&job[key]));
    }
    let rows = job["failures"].as_array().into_iter().flatten();
    let rows = rows.map(|failure| {
        vec![text(&failure["attempt"]), moment(&failure["at"]), text(&failure["worker"]), text(&failure["error"])]
    });
    output::table(&["ATTEMPT", "FAILED (UTC)", "WORKER", "ERROR"], rows.collect(), "No attempt of it has failed.");
    Ok(())
}

async fn change(api: &Api, mutation: &str, id: &str, output: Output) -> Result<(), Failure> {
    let payload = api.mutate(mutation, "JobInput", json!({"jobId": id}), &format!("job {{ {JOB} }}")).await?;
    if output.json {
        output::json(&payload["job"]);
    } else {
        println!("{} is {} now.", text(&payload["job"]["id"]), text(&payload["job"]["state"]).to_lowercase());
    }
    Ok(())
}

async fn queues(api: &Api, output: Output) -> Result<(), Failure> {
    let data = api.run(&format!("{{ queues {{ {QUEUE} }} }}"), json!({})).await?;
    show_queues(&data["queues"], output);
    Ok(())
}

async fn update(api: &Api, input: Value, output: Output) -> Result<(), Failure> {
    let payload = api.mutate("updateQueue", "UpdateQueueInput", input, &format!("queue {{ {QUEUE} }}")).await?;
    show_queues(&json!([payload["queue"]]), output);
    Ok(())
}

fn show_queues(queues: &Value, output: Output) {
    if output.json {
        output::json(queues);
        return;
    }
    let limit = |value: &Value| if value.is_null() { "any".to_owned() } else { text(value) };
    let rows = queues.as_array().into_iter().flatten().map(|queue| {
        let state = if queue["pausedAt"].is_null() { "open" } else { "paused" };
        let mut row = vec![text(&queue["name"]), state.to_owned()];
        row.extend(["waiting", "delayed", "running", "dead"].map(|key| text(&queue[key])));
        row.extend([moment(&queue["oldestDueAt"]), limit(&queue["concurrency"]), limit(&queue["teamConcurrency"])]);
        row
    });
    let head = ["QUEUE", "STATE", "WAITING", "DELAYED", "RUNNING", "DEAD", "OLDEST SINCE (UTC)", "AT ONCE", "PER TEAM"];
    output::table(&head, rows.collect(), "There are no queues.");
}
