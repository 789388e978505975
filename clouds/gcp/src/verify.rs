//! Looking at an account: who it is, and what it may do.

use std::time::Duration;

use clouds_contract::{CloudError, ErrorKind, Followed, Verification};
use domain::cloud::{Check, CheckOutcome};
use http::Method;
use serde_json::{Value, json};

use crate::client::{Body, Client, address};
use crate::operations::{APIS_ENABLE, PERMISSIONS_TEST, PROJECT_GET, permissions};
use crate::policy::remedy;

/// API that answers who may do what.
const API: &str = "cloudresourcemanager.googleapis.com";

/// Most permissions of one question (cloud.google.com/resource-manager/reference/rest/v3/projects/testIamPermissions).
const MOST: usize = 100;

/// Questions about the enabling of the API.
const LOOKS: u32 = 20;

/// Name and rights of the account: one check per permission.
///
/// Fails with `SignedOut` if its key is not accepted, and with `Denied` if it may not see the project.
pub(crate) async fn verify(client: &Client) -> Result<Verification, CloudError> {
    let project = format!("v3/projects/{}", client.project);
    let principal = client.login.key.email.clone();
    let url = address("cloudresourcemanager", &project, &[])?;
    match client.ask(PROJECT_GET, Method::GET, url.clone(), Body::None).await {
        Ok(_) => {}
        // Without this API nothing can be found out: it is enabled, which the account may have to do for others anyway.
        Err(error) if error.kind == ErrorKind::Busy => {
            if let Err(reason) = enable(client).await {
                return Ok(Verification { principal, checks: unknown(&permissions(), &reason) });
            }
        }
        // It may lack this one permission; the checks say so.
        Err(error) if error.kind == ErrorKind::Denied => {}
        Err(error) => return Err(error),
    }
    let mut checks = Vec::new();
    for asked in permissions().chunks(MOST) {
        let url = address("cloudresourcemanager", &format!("{project}:testIamPermissions"), &[])?;
        match client.ask(PERMISSIONS_TEST, Method::POST, url, Body::Json(json!({"permissions": asked}))).await {
            Ok(answer) => {
                let granted = answer["permissions"].as_array().cloned().unwrap_or_default();
                checks.extend(asked.iter().map(|permission| check(client, permission, &granted)));
            }
            // A permission that Google does not know by this name spoils the question, not the account.
            Err(error) if error.kind == ErrorKind::Invalid => checks.extend(unknown(asked, &error)),
            Err(error) => return Err(error),
        }
    }
    Ok(Verification { principal, checks })
}

fn check(client: &Client, permission: &str, granted: &[Value]) -> Check {
    let is_granted = granted.contains(&json!(permission));
    Check {
        permission: permission.to_owned(),
        outcome: if is_granted { CheckOutcome::Granted } else { CheckOutcome::Missing },
        remedy: (!is_granted).then(|| remedy(&client.project, permission)),
    }
}

fn unknown(asked: &[&str], reason: &CloudError) -> Vec<Check> {
    let check = |permission: &&str| Check {
        permission: (*permission).to_owned(),
        outcome: CheckOutcome::Unknown,
        remedy: Some(format!("it could not be found out: {reason}")),
    };
    asked.iter().map(check).collect()
}

/// Enables the API and waits until it is.
async fn enable(client: &Client) -> Result<(), CloudError> {
    let url = address("serviceusage", &format!("v1/projects/{}/services:batchEnable", client.project), &[])?;
    let answer = client.ask(APIS_ENABLE, Method::POST, url, Body::Json(json!({"serviceIds": [API]}))).await?;
    let Some(operation) = client.operation("serviceusage", "v1", &answer)? else { return Ok(()) };
    for _ in 0..LOOKS {
        match client.follow(&operation, "the API").await? {
            Followed::Running(wait) => tokio::time::sleep(wait.retry_after.max(Duration::from_millis(1))).await,
            Followed::Done | Followed::Unknown => return Ok(()),
            Followed::Failed(error) => return Err(error),
        }
    }
    Err(CloudError::new(
        ErrorKind::Busy,
        "BUSY",
        "Google is still enabling the Cloud Resource Manager API: verify again in some minutes",
    ))
}
