//! Values that Cloud Run fills in.

use serde_json::{Value, json};

use super::Place;
use crate::google::{Context, GoogleError, iam};

/// Longest name of a service; that of a tag and the name together may have 46 characters (documentation of tags).
const LONGEST_NAME: usize = 49;

/// Checks the name of a new service.
pub(super) fn check_name(name: &str) -> Result<(), GoogleError> {
    let fits = (1..=LONGEST_NAME).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let message = "must use only lowercase alphanumeric characters and dashes, cannot begin or end with a dash, and must be less than 50 characters";
    if fits { Ok(()) } else { Err(GoogleError::invalid(format!("Violation in CreateServiceRequest.service_id: {message}."))) }
}

/// Checks a service as a client wants it, and fills in what it leaves out.
pub(super) fn fill(context: &Context<'_>, place: &Place, service: &mut Value) -> Result<(), GoogleError> {
    let template = service.get_mut("template").and_then(Value::as_object_mut);
    let template = template.ok_or_else(|| GoogleError::invalid("Violation in Service.template: a template is required."))?;
    let account = template.entry("serviceAccount").or_insert(Value::Null);
    if account.as_str().unwrap_or_default().is_empty() {
        *account = json!(iam::default_account(&place.project));
    }
    let email = account.as_str().unwrap_or_default().to_owned();
    if !iam::exists(context.state, &place.project, &email) {
        let message = format!("projects/{}/serviceAccounts/{email}", place.project);
        return Err(GoogleError::denied("iam.serviceaccounts.actAs", &message));
    }
    template.entry("timeout").or_insert_with(|| json!("300s"));
    template.entry("maxInstanceRequestConcurrency").or_insert_with(|| json!(80));
    template.entry("scaling").or_insert_with(|| json!({"maxInstanceCount": 100}));
    let containers = template.get_mut("containers").and_then(Value::as_array_mut).filter(|containers| !containers.is_empty());
    let containers =
        containers.ok_or_else(|| GoogleError::invalid("Violation in Service.template.containers: at least one is required."))?;
    for container in containers {
        fill_container(container)?;
    }
    fill_service(service);
    Ok(())
}

fn fill_service(service: &mut Value) {
    let defaults = [
        ("ingress", json!("INGRESS_TRAFFIC_ALL")),
        ("launchStage", json!("GA")),
        ("scaling", json!({})),
        ("traffic", json!([{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}])),
    ];
    for (field, value) in defaults {
        let is_missing = service.get(field).is_none_or(|given| given.is_null() || given.as_array().is_some_and(Vec::is_empty));
        if is_missing {
            service[field] = value;
        }
    }
}

fn fill_container(container: &mut Value) -> Result<(), GoogleError> {
    if container.get("image").and_then(Value::as_str).unwrap_or_default().is_empty() {
        return Err(GoogleError::invalid("Violation in Service.template.containers[0].image: an image is required."));
    }
    let reserved = ["PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"];
    let names =
        container.get("env").and_then(Value::as_array).into_iter().flatten().filter_map(|variable| variable["name"].as_str());
    if let Some(name) = names.into_iter().find(|name| reserved.contains(name)) {
        let message = format!(
            "spec.template.spec.containers[0].env: The following reserved env names were provided: {name}. These values are automatically set by the system."
        );
        return Err(GoogleError::invalid(message));
    }
    if container.get("ports").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        container["ports"] = json!([{"name": "http1", "containerPort": 8080}]);
    }
    for port in container["ports"].as_array_mut().into_iter().flatten() {
        if port.get("name").is_none() {
            port["name"] = json!("http1");
        }
    }
    if container.get("resources").is_none_or(Value::is_null) {
        container["resources"] = json!({"limits": {"cpu": "1000m", "memory": "512Mi"}, "cpuIdle": true, "startupCpuBoost": true});
    }
    if container.get("startupProbe").is_none_or(Value::is_null) {
        let port = container["ports"][0]["containerPort"].clone();
        let probe = json!({"timeoutSeconds": 240, "periodSeconds": 240, "failureThreshold": 1, "tcpSocket": {"port": port}});
        container["startupProbe"] = probe;
    }
    Ok(())
}
