//! Schedules.

use std::path::Path;

use serde_json::{Value, json};

use super::target::project_name;
use crate::arguments::{Output, ProjectChoice, SchedulesCommand, SchedulesOptions};
use crate::client::api::Api;
use crate::client::operations;
use crate::client::output::{self, moment, text};
use server::Failure;

const SCHEDULE: &str = "id name environment cron timeZone path missed enabled timeoutSeconds nextDueAt createdAt";

/// Lists, makes, changes and deletes the schedules of a project, and shows their runs.
pub async fn run(options: SchedulesOptions) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    let output = options.output;
    let project = project(&api, &options.project).await?;
    match options.command.unwrap_or(SchedulesCommand::List) {
        SchedulesCommand::List => list(&api, &project, output).await,
        SchedulesCommand::Create { name, cron, path, environment, time_zone, missed, timeout } => {
            let input = json!({
                "projectId": project, "name": name, "cron": cron, "path": path, "environment": environment.environment,
                "timeZone": time_zone, "missed": missed.map(|missed| missed.to_uppercase()), "timeoutSeconds": timeout,
            });
            let payload =
                api.mutate("createSchedule", "CreateScheduleInput", input, &format!("schedule {{ {SCHEDULE} }}")).await?;
            show(&json!([payload["schedule"]]), output);
            Ok(())
        }
        SchedulesCommand::Enable { name } => enable(&api, &project, &name, true, output).await,
        SchedulesCommand::Disable { name } => enable(&api, &project, &name, false, output).await,
        SchedulesCommand::Delete { name } => {
            let id = find(&api, &project, &name).await?;
            api.mutate("deleteSchedule", "DeleteScheduleInput", json!({"scheduleId": id}), "deleted").await?;
            if output.json {
                output::json(&json!({"deleted": name}));
            } else {
                println!("Deleted {name}.");
            }
            Ok(())
        }
        SchedulesCommand::Runs { name } => runs(&api, &project, &name, output).await,
    }
}

async fn project(api: &Api, choice: &ProjectChoice) -> Result<String, Failure> {
    operations::project(api, &project_name(choice.project.as_deref(), Path::new("."))?).await
}

async fn all(api: &Api, project: &str, fields: &str) -> Result<Value, Failure> {
    let query = format!("query($id: ID!) {{ schedules(projectId: $id) {{ {fields} }} }}");
    Ok(api.run(&query, json!({"id": project})).await?["schedules"].take())
}

async fn find(api: &Api, project: &str, name: &str) -> Result<String, Failure> {
    let schedules = all(api, project, "id name").await?;
    let found = schedules.as_array().into_iter().flatten().find(|schedule| schedule["name"] == name);
    found.map(|schedule| text(&schedule["id"])).ok_or_else(|| {
        Failure::failed("NOT_FOUND", format!("the project has no schedule `{name}`: `mikrocloud schedules list` shows them"))
    })
}

async fn list(api: &Api, project: &str, output: Output) -> Result<(), Failure> {
    show(&all(api, project, SCHEDULE).await?, output);
    Ok(())
}

fn show(schedules: &Value, output: Output) {
    if output.json {
        output::json(schedules);
        return;
    }
    let rows = schedules.as_array().into_iter().flatten().map(|schedule| {
        let what = if schedule["path"].is_null() { "deploy".to_owned() } else { format!("GET {}", text(&schedule["path"])) };
        let next = if schedule["enabled"] == true { moment(&schedule["nextDueAt"]) } else { "disabled".to_owned() };
        vec![
            text(&schedule["name"]),
            text(&schedule["cron"]),
            text(&schedule["timeZone"]),
            text(&schedule["environment"]),
            what,
            next,
        ]
    });
    let empty = "No schedules yet: make one with `mikrocloud schedules create NAME '0 3 * * *' --path /api/cron`";
    output::table(&["SCHEDULE", "WHEN", "TIME ZONE", "ENVIRONMENT", "WHAT", "NEXT (UTC)"], rows.collect(), empty);
}

async fn enable(api: &Api, project: &str, name: &str, enabled: bool, output: Output) -> Result<(), Failure> {
    let input = json!({"scheduleId": find(api, project, name).await?, "enabled": enabled});
    let payload = api.mutate("enableSchedule", "EnableScheduleInput", input, &format!("schedule {{ {SCHEDULE} }}")).await?;
    show(&json!([payload["schedule"]]), output);
    Ok(())
}

async fn runs(api: &Api, project: &str, name: &str, output: Output) -> Result<(), Failure> {
    let schedules = all(api, project, "name runs(first: 50) { dueAt state outcome startedAt finishedAt }").await?;
    let found = schedules.as_array().into_iter().flatten().find(|schedule| schedule["name"] == name);
    let Some(found) = found else {
        return Err(Failure::failed(
            "NOT_FOUND",
            format!("the project has no schedule `{name}`: `mikrocloud schedules list` shows them"),
        ));
    };
    if output.json {
        output::json(&found["runs"]);
        return Ok(());
    }
    let rows = found["runs"].as_array().into_iter().flatten();
    let rows = rows.map(|run| {
        vec![moment(&run["dueAt"]), text(&run["state"]).to_lowercase(), moment(&run["finishedAt"]), text(&run["outcome"])]
    });
    output::table(&["DUE (UTC)", "STATE", "ENDED (UTC)", "OUTCOME"], rows.collect(), "It has not been due yet.");
    Ok(())
}
