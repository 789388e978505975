//! The operations that several commands use.

use serde_json::{Value, json};

use super::api::Api;
use server::Failure;

/// Fields of a deployment that commands display.
pub const DEPLOYMENT: &str = "id number status trigger kind url commitSha createdAt logCount rollbackAvailable failure { code message } place { cloud account region state detail simulated } environment { name url } project { slug }";

/// Words on the place of a deployment in a vendor's cloud, to stand behind something; empty on one's own machines.
pub fn place(place: &Value) -> String {
    if place.is_null() {
        return String::new();
    }
    let text = |field: &str| super::output::text(&place[field]);
    let simulated = if place["simulated"] == true { ", SIMULATED" } else { "" };
    format!("  ({}:{} in {}{simulated})", text("cloud"), text("account"), text("region"))
}

/// The id of a project of this name; `None` when there is none.
pub async fn find_project(api: &Api, name: &str) -> Result<Option<String>, Failure> {
    let data = api.run("query($slug: String) { project(slug: $slug) { id } }", json!({"slug": name})).await?;
    Ok(data["project"]["id"].as_str().map(str::to_owned))
}

/// The id of a project that must be there.
pub async fn project(api: &Api, name: &str) -> Result<String, Failure> {
    find_project(api, name).await?.ok_or_else(|| {
        Failure::failed(
            "NOT_FOUND",
            format!(
                "there is no project `{name}` in your team: `mikrocloud projects` lists them, --project chooses one, and \
                 `mikrocloud projects create {name}` or its first `mikrocloud deploy` makes it"
            ),
        )
    })
}

/// Creates a project and returns its id.
pub async fn create_project(api: &Api, input: Value) -> Result<String, Failure> {
    let payload = api.mutate("createProject", "CreateProjectInput", input, "project { id }").await?;
    Ok(payload["project"]["id"].as_str().unwrap_or_default().to_owned())
}

/// A deployment as [`DEPLOYMENT`] has it.
pub async fn deployment(api: &Api, id: &str) -> Result<Value, Failure> {
    let query = format!("query($id: ID!) {{ deployment(id: $id) {{ {DEPLOYMENT} }} }}");
    let mut data = api.run(&query, json!({"id": id})).await?;
    if data["deployment"].is_null() {
        return Err(Failure::failed(
            "NOT_FOUND",
            format!("there is no deployment `{id}` in your team: `mikrocloud deployments` lists them"),
        ));
    }
    Ok(data["deployment"].take())
}

/// The id of a project's deployment with this number.
pub async fn deployment_of_number(api: &Api, project: &str, number: i64) -> Result<String, Failure> {
    let query = "query($slug: String, $after: String) { project(slug: $slug) {
        deployments(first: 100, after: $after) { nodes { id number } pageInfo { hasNextPage endCursor } } } }";
    let mut after = Value::Null;
    loop {
        let data = api.run(query, json!({"slug": project, "after": after})).await?;
        if data["project"].is_null() {
            self::project(api, project).await?;
        }
        let page = &data["project"]["deployments"];
        let nodes = page["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
        if let Some(found) = nodes.iter().find(|node| node["number"] == number) {
            return Ok(found["id"].as_str().unwrap_or_default().to_owned());
        }
        // The newest come first, so numbers fall.
        let is_passed = nodes.last().is_none_or(|last| last["number"].as_i64().is_some_and(|last| last < number));
        if is_passed || page["pageInfo"]["hasNextPage"] != true {
            let message =
                format!("`{project}` has no deployment number {number}: `mikrocloud deployments -p {project}` lists them");
            return Err(Failure::failed("NOT_FOUND", message));
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// Number of builds that come before a deployment's own. `None` once it no longer waits for its build.
pub async fn builds_before(api: &Api, id: &str) -> Result<Option<i64>, Failure> {
    let data = api.run("query($id: ID!) { deployment(id: $id) { buildsBefore } }", json!({"id": id})).await?;
    Ok(data["deployment"]["buildsBefore"].as_i64())
}

/// Runs a mutation on deployments and returns the deployment.
pub async fn change_deployment(api: &Api, mutation: &str, input_type: &str, input: Value) -> Result<Value, Failure> {
    let mut payload = api.mutate(mutation, input_type, input, &format!("deployment {{ {DEPLOYMENT} }}")).await?;
    Ok(payload["deployment"].take())
}

/// The log lines of a deployment with numbers above `after`, up to 100.
pub async fn log_lines(api: &Api, id: &str, after: i64) -> Result<Vec<Value>, Failure> {
    let query =
        "query($id: ID!, $after: Int!) { deployment(id: $id) { logs(first: 100, after: $after) { number stream text at } } }";
    let mut data = api.run(query, json!({"id": id, "after": after})).await?;
    match data["deployment"]["logs"].take() {
        Value::Array(lines) => Ok(lines),
        _ => Ok(Vec::new()),
    }
}
