//! Approvals of deployments to protected environments.

use serde_json::{Value, json};

use super::target::deployment_id;
use crate::arguments::{DecisionOptions, Output};
use crate::client::api::Api;
use crate::client::operations;
use crate::client::output::{self, moment, text};
use server::Failure;

/// Lists what waits for an approval.
pub async fn list(output: Output) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    let query = "{ approvals { state requestedBy requestedAt expiresAt
        deployment { id number trigger commitSha originId source { repository reference upload } project { slug } environment { name } } } }";
    let approvals = api.run(query, json!({})).await?["approvals"].take();
    if output.json {
        output::json(&approvals);
        return Ok(());
    }
    let rows = approvals.as_array().into_iter().flatten().map(|approval| {
        let deployment = &approval["deployment"];
        vec![
            text(&deployment["id"]),
            text(&deployment["project"]["slug"]),
            text(&deployment["environment"]["name"]),
            text(&deployment["trigger"]).to_lowercase(),
            what(deployment),
            text(&approval["requestedBy"]),
            moment(&approval["expiresAt"]),
        ]
    });
    let head = ["DEPLOYMENT", "PROJECT", "ENVIRONMENT", "TRIGGER", "WHAT", "REQUESTED BY", "UNTIL (UTC)"];
    output::table(&head, rows.collect(), "Nothing waits for an approval.");
    Ok(())
}

/// Describes the subject of an approval: a deployment whose artifact is used again, a commit, or an upload.
fn what(deployment: &Value) -> String {
    let source = &deployment["source"];
    match (deployment["originId"].as_str(), deployment["commitSha"].as_str(), source["upload"].as_str()) {
        (Some(origin), ..) => origin.to_owned(),
        (_, Some(commit), _) => format!("{commit} of {}", text(&source["repository"])),
        (.., Some(digest)) => format!("upload {digest}"),
        _ => "a commit that is looked for".to_owned(),
    }
}

/// Approves a deployment.
pub async fn approve(options: DecisionOptions) -> Result<(), Failure> {
    decide("approveDeployment", "ApproveDeploymentInput", "approved", options).await
}

/// Rejects a deployment.
pub async fn reject(options: DecisionOptions) -> Result<(), Failure> {
    decide("rejectDeployment", "RejectDeploymentInput", "rejected", options).await
}

async fn decide(mutation: &str, input_type: &str, done: &str, options: DecisionOptions) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    let id = deployment_id(&api, &options.deployment, &options.project).await?;
    let input = json!({"deploymentId": id, "reason": options.reason});
    let deployment = operations::change_deployment(&api, mutation, input_type, input).await?;
    let status = text(&deployment["status"]).to_lowercase();
    if options.output.json {
        let commit = &deployment["commitSha"];
        output::json(&json!({"deployment": deployment["id"], "approval": done, "status": status, "commit": commit}));
    } else {
        let commit = deployment["commitSha"].as_str().map(|commit| format!(" of commit {commit}")).unwrap_or_default();
        println!("{done}: deployment {}{commit} is {status}", text(&deployment["id"]));
    }
    Ok(())
}
