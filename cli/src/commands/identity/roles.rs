//! Roles.

use std::collections::HashMap;

use domain::access::Role;
use serde_json::{Value, json};

use crate::arguments::{Output, RolesCommand, RolesOptions};
use crate::client::api::Api;
use crate::client::output::{self, text};
use server::Failure;

const ROLE: &str = "role { id name permissions }";

/// Lists, makes, changes and deletes roles.
pub async fn run(options: RolesOptions) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    let output = options.output;
    match options.command.unwrap_or(RolesCommand::List) {
        RolesCommand::List => {
            show(&all(&api).await?, output);
            Ok(())
        }
        RolesCommand::Create { name, permissions } => {
            let input = json!({"name": name, "permissions": permissions});
            let payload = api.mutate("createRole", "CreateRoleInput", input, ROLE).await?;
            show(&json!([payload["role"]]), output);
            Ok(())
        }
        RolesCommand::Update { name, permissions, rename } => {
            let permissions = (!permissions.is_empty()).then_some(permissions);
            let input = json!({"roleId": find(&api, &name).await?, "name": rename, "permissions": permissions});
            let payload = api.mutate("updateRole", "UpdateRoleInput", input, ROLE).await?;
            show(&json!([payload["role"]]), output);
            Ok(())
        }
        RolesCommand::Delete { name } => {
            api.mutate("deleteRole", "DeleteRoleInput", json!({"roleId": find(&api, &name).await?}), "done").await?;
            if output.json {
                output::json(&json!({"deleted": name}));
            } else {
                println!("Deleted {name}.");
            }
            Ok(())
        }
    }
}

async fn all(api: &Api) -> Result<Value, Failure> {
    Ok(api.run("{ roles { id name permissions } }", json!({})).await?["roles"].take())
}

fn show(roles: &Value, output: Output) {
    if output.json {
        output::json(roles);
        return;
    }
    let rows = roles.as_array().into_iter().flatten().map(|role| {
        let permissions: Vec<_> = role["permissions"].as_array().into_iter().flatten().map(text).collect();
        vec![text(&role["name"]), permissions.join(" ")]
    });
    output::table(&["ROLE", "PERMISSIONS"], rows.collect(), "No roles");
}

/// The names of the roles that the team made, by id.
pub async fn names(api: &Api) -> Result<HashMap<String, String>, Failure> {
    let roles = all(api).await?;
    Ok(roles.as_array().into_iter().flatten().map(|role| (text(&role["id"]), text(&role["name"]))).collect())
}

async fn find(api: &Api, name: &str) -> Result<String, Failure> {
    let found = names(api).await?.into_iter().find(|(id, known)| !id.is_empty() && known == name);
    found.map(|(id, _)| id).ok_or_else(|| {
        Failure::failed("NOT_FOUND", format!("the team made no role `{name}`: `mikrocloud roles` lists all there are"))
    })
}

/// The field of an input and its value that choose the role of this name.
pub async fn choice(api: &Api, name: &str) -> Result<(&'static str, String), Failure> {
    match Role::from_name(name) {
        Some(_) => Ok(("role", name.to_uppercase())),
        None => Ok(("customRoleId", find(api, name).await?)),
    }
}
