//! Credentials of accounts, read from where other users of the machine do not see them.

use std::io::{IsTerminal, Read};
use std::path::Path;

use serde_json::{Value, json};

use crate::arguments::NewCredential;
use server::Failure;

/// An access key of AWS, as the API takes it.
pub fn aws(access_key: &str, role_arn: Option<&str>, external_id: Option<&str>) -> Result<Value, Failure> {
    let secret = secret("AWS_SECRET_ACCESS_KEY")?;
    Ok(json!({"aws": {"accessKeyId": access_key, "secretAccessKey": secret, "roleArn": role_arn, "externalId": external_id}}))
}

/// A client secret of Azure.
pub fn azure(tenant: &str, client: &str) -> Result<Value, Failure> {
    Ok(json!({"azure": {"tenantId": tenant, "clientId": client, "clientSecret": secret("AZURE_CLIENT_SECRET")?}}))
}

/// A service account key of Google Cloud, and the project that it names.
pub fn google(file: &Path) -> Result<(Value, Option<String>), Failure> {
    let text = if file == Path::new("-") {
        standard_input()?
    } else {
        std::fs::read_to_string(file)
            .map_err(|error| Failure::failed("KEY_FILE", format!("{} cannot be read: {error}", file.display())))?
    };
    let document: Value = serde_json::from_str(&text).map_err(|error| {
        Failure::failed("KEY_FILE", format!("{} is no JSON: {error}. Give the file that Google made", file.display()))
    })?;
    let project = document["project_id"].as_str().map(str::to_owned);
    Ok((json!({"gcp": {"serviceAccountKey": text}}), project))
}

/// A service account key, and the project that it is connected for: the one named, or else the key's own.
pub fn google_project(file: &Path, project: Option<String>) -> Result<(String, Value), Failure> {
    let (credential, of_key) = google(file)?;
    let project = project.or(of_key).ok_or_else(|| {
        Failure::usage("the key file names no project: name it with --project, or give the file that Google made")
    })?;
    Ok((project, credential))
}

/// An account of a simulated cloud, which makes up its credential itself.
pub async fn simulated(sandbox: &str, cloud: &str) -> Result<(String, Value), Failure> {
    let name = if cloud == "gcp" { "google" } else { cloud };
    let unreachable = |error: reqwest::Error| {
        let error = anyhow::Error::from(error);
        Failure::failed(
            "SANDBOX",
            format!("no simulated clouds answer at {sandbox}: {error:#}. `mikrocloud sandbox` starts some"),
        )
    };
    let url = format!("{}/_sandbox/principals", sandbox.trim_end_matches('/'));
    let answer = reqwest::Client::new().post(url).json(&json!({"cloud": name})).send().await.map_err(unreachable)?;
    let made: Value = answer.error_for_status().map_err(unreachable)?.json().await.map_err(unreachable)?;
    let text = |field: &str| made[field].as_str().unwrap_or_default().to_owned();
    Ok(match cloud {
        "azure" => (
            text("subscription"),
            json!({"azure": {"tenantId": text("tenant"), "clientId": text("client"), "clientSecret": text("secret")}}),
        ),
        "gcp" => (text("project"), json!({"gcp": {"serviceAccountKey": made["key"].to_string()}})),
        _ => (text("account"), json!({"aws": {"accessKeyId": text("id"), "secretAccessKey": text("secret")}})),
    })
}

/// The credential of whichever cloud was given; `None` when none was.
pub fn other(given: NewCredential) -> Result<Option<Value>, Failure> {
    let NewCredential { key_file, tenant, client, access_key, role_arn, external_id } = given;
    Ok(match (key_file, tenant.zip(client), access_key) {
        (None, None, None) => None,
        (Some(file), None, None) => Some(google(&file)?.0),
        (None, Some((tenant, client)), None) => Some(azure(&tenant, &client)?),
        (None, None, Some(key)) => Some(aws(&key, role_arn.as_deref(), external_id.as_deref())?),
        _ => return Err(Failure::usage("give the credential of one cloud: the account's")),
    })
}

/// A secret from the environment, or from standard input.
fn secret(variable: &str) -> Result<String, Failure> {
    if let Ok(secret) = std::env::var(variable)
        && !secret.is_empty()
    {
        return Ok(secret);
    }
    if std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!("the secret is missing: set {variable}, or pipe it into the command")));
    }
    let text = standard_input()?;
    match text.trim() {
        "" => Err(Failure::usage(format!("the secret is missing: set {variable}, or pipe it into the command"))),
        secret => Ok(secret.to_owned()),
    }
}

fn standard_input() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Failure::usage(format!("standard input cannot be read: {error}")))?;
    Ok(text)
}
