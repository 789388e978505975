//! The operations that several commands use.

use serde_json::{Value, json};

use super::api::Api;
use server::Failure;

/// Fields of a deployment that commands display.
pub const DEPLOYMENT: &str = "id number status trigger kind url commitSha createdAt logCount rollbackAvailable failure { code message } environment { name url } project { slug }";

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
            format!("there is no project `{name}` in your team: `mikrocloud projects` lists them, --project chooses one"),
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
