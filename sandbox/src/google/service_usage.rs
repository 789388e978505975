//! Service Usage: enables APIs.

use http::Method;
use serde_json::{Value, json};

use super::{Context, GoogleError, Outcome, apis, operation};
use crate::http::Answer;

/// Most APIs that one call enables.
const MOST: usize = 20;

/// Answers a call to `serviceusage.googleapis.com`.
pub(super) fn answer(context: &mut Context<'_>) -> Outcome {
    let parts = context.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let verb = context.verb.clone();
    match (&context.call.method, parts.as_slice(), verb.as_str()) {
        (&Method::GET, ["v1", "operations", _], "") => operation::get(context, "serviceusage"),
        (&Method::POST, ["v1", "projects", project, "services"], "batchEnable") => {
            let body = context.body()?;
            let ids = body.get("serviceIds").and_then(Value::as_array).cloned().unwrap_or_default();
            let ids: Vec<String> = ids.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            enable(context, project, &ids)
        }
        (&Method::POST, ["v1", "projects", project, "services", api], "enable") => enable(context, project, &[(*api).to_owned()]),
        (&Method::POST, ["v1", "projects", project, "services", api], "disable") => disable(context, project, api),
        (&Method::GET, ["v1", "projects", project, "services", api], "") => {
            context.need("serviceusage.services.get", &format!("projects/{project}"))?;
            Ok(Answer::ok(&apis::describe(context.state, project, api)))
        }
        (&Method::GET, ["v1", "projects", project, "services"], "batchGet") => {
            context.need("serviceusage.services.get", &format!("projects/{project}"))?;
            let names = context.call.query.iter().filter(|(name, _)| name == "names");
            let names = names.filter_map(|(_, name)| name.rsplit('/').next());
            let services: Vec<_> = names.map(|api| apis::describe(context.state, project, api)).collect();
            Ok(Answer::ok(&json!({"services": services})))
        }
        _ => Err(context.unknown_method()),
    }
}

fn enable(context: &mut Context<'_>, project: &str, ids: &[String]) -> Outcome {
    context.need("serviceusage.services.enable", &format!("projects/{project}"))?;
    if ids.is_empty() || ids.len() > MOST {
        return Err(GoogleError::invalid(format!("Between 1 and {MOST} service names are required.")));
    }
    if let Some(strange) = ids.iter().find(|id| !id.ends_with(".googleapis.com")) {
        return Err(GoogleError::denied("serviceusage.services.enable", strange));
    }
    let phase = context.phase(apis::KIND, "enabled");
    let mut targets = Vec::new();
    for api in ids.iter().filter(|api| !apis::is_enabled(context.state, project, api)).cloned().collect::<Vec<_>>() {
        let key = apis::put(context.state, project, &api, "ENABLED");
        if let Some(object) = context.state.google.get_mut(&key) {
            object.phase = Some(phase.clone());
        }
        targets.push(key);
    }
    let services: Vec<_> = ids.iter().map(|api| apis::describe(context.state, project, api)).collect();
    let services: Vec<_> = services
        .into_iter()
        .map(|mut service| {
            service["state"] = json!("ENABLED");
            service
        })
        .collect();
    let response = json!({
        "@type": "type.googleapis.com/google.api.serviceusage.v1.BatchEnableServicesResponse", "services": services,
    });
    Ok(operation::begin_with_response(context, "serviceusage", "", &targets, &response))
}

fn disable(context: &mut Context<'_>, project: &str, api: &str) -> Outcome {
    context.need("serviceusage.services.disable", &format!("projects/{project}"))?;
    apis::put(context.state, project, api, "DISABLED");
    let service = apis::describe(context.state, project, api);
    let response = json!({
        "@type": "type.googleapis.com/google.api.serviceusage.v1.DisableServiceResponse", "service": service,
    });
    Ok(operation::begin_with_response(context, "serviceusage", "", &[], &response))
}
