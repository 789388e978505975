//! Everything that is to run, derived from the world.

use domain::id::DeploymentId;
use serde_json::{Value, json};

use crate::aws;
use crate::azure;
use crate::google::run;
use crate::google::run::{REVISION, SERVICE};
use crate::world::{Object, State};

/// One thing that is to run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wanted {
    /// Key of the revision.
    pub key: String,
    pub workload: DeploymentId,
    pub source: Source,
    /// Variables with the values of secrets.
    pub env: Vec<(String, String)>,
    /// Port in the container.
    pub port: u16,
    /// Path that is probed; any answer below 500 counts as healthy.
    pub health_path: String,
    pub memory_mib: u64,
    pub replicas: u32,
    /// Traffic goes there.
    pub live: bool,
}

/// Origin of its files.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Source {
    /// An image by the digest of its manifest, with command and arguments in place of its own.
    Image { digest: String, command: Vec<String>, arguments: Vec<String> },
    /// An image that no registry of the sandbox has.
    Elsewhere(String),
    /// Files with the digests of their contents.
    Site(Vec<(String, String)>),
}

/// Everything that is to run.
pub(super) fn plan(state: &State) -> Vec<Wanted> {
    let revisions = state.google.iter().filter(|(_, object)| object.kind == REVISION && object.phase.is_none());
    let services = revisions.filter_map(|(key, object)| of_cloud_run(state, key, &object.body, object.secret("workload")));
    let revisions = state.azure.iter().filter(|(_, object)| object.kind == azure::REVISION);
    let apps = revisions.filter_map(|(key, object)| of_container_app(state, key, object));
    let tasks = state.aws.iter().filter(|(_, object)| object.kind == aws::SERVICE);
    services.chain(apps).chain(tasks.filter_map(|(key, object)| of_ecs(state, key, object))).collect()
}

/// A service of ECS that wants tasks, whose image and parameters are there.
fn of_ecs(state: &State, key: &str, service: &Object) -> Option<Wanted> {
    let replicas = service.body["desiredCount"].as_u64().filter(|count| *count > 0)?;
    let definition = aws::definition(state, service)?;
    let container = definition.body.pointer("/containerDefinitions/0")?;
    let image = container["image"].as_str().unwrap_or_default();
    let source = match state.images.resolve(image) {
        Some(digest) => Source::Image { digest, command: texts(container, "entryPoint"), arguments: texts(container, "command") },
        None if crate::http::is_registry(image.split('/').next().unwrap_or_default()) => return None,
        None => Source::Elsewhere(image.to_owned()),
    };
    let number = |place: &str, usual: u64| container.pointer(place).and_then(Value::as_u64).unwrap_or(usual);
    Some(Wanted {
        key: key.to_owned(),
        workload: service.secret("workload").parse().ok()?,
        source,
        env: aws::variables(state, definition).ok()?,
        port: u16::try_from(number("/portMappings/0/containerPort", 8080)).unwrap_or(8080),
        health_path: aws::health_path(state, service).to_owned(),
        memory_mib: number("/memory", 512),
        replicas: u32::try_from(replicas.min(4)).unwrap_or(1),
        live: aws::is_steady(service),
    })
}

/// An active revision whose image and secrets are there.
fn of_container_app(state: &State, key: &str, revision: &Object) -> Option<Wanted> {
    let properties = &revision.body["properties"];
    let app = state.azure.get(key.split("/revisions/").next()?).filter(|_| properties["active"] == json!(true))?;
    let mut env = azure::variables(app, revision).ok()?;
    let container = properties.pointer("/template/containers/0")?;
    let image = container["image"].as_str().unwrap_or_default();
    let source = match azure::image_of(state, revision) {
        Some(digest) => Source::Image { digest, command: texts(container, "command"), arguments: texts(container, "args") },
        None if crate::http::is_registry(image.split('/').next().unwrap_or_default()) => return None,
        None => Source::Elsewhere(image.to_owned()),
    };
    let fqdn = app.text("/properties/configuration/ingress/fqdn");
    for (variable, value) in [
        ("CONTAINER_APP_NAME", app.text("/name")),
        ("CONTAINER_APP_REVISION", revision.text("/name")),
        ("CONTAINER_APP_HOSTNAME", fqdn),
    ] {
        env.push((variable.to_owned(), value.to_owned()));
    }
    let port = app.body.pointer("/properties/configuration/ingress/targetPort").and_then(Value::as_u64).unwrap_or(80);
    Some(Wanted {
        key: key.to_owned(),
        workload: revision.secret("workload").parse().ok()?,
        source,
        env,
        port: u16::try_from(port).unwrap_or(80),
        health_path: probed(container).unwrap_or("/").to_owned(),
        memory_mib: mebibytes(container.pointer("/resources/memory").and_then(Value::as_str).unwrap_or("1Gi")),
        replicas: 1,
        live: properties["trafficWeight"].as_u64().unwrap_or(0) > 0,
    })
}

/// The path that the first probe over HTTP asks for.
fn probed(container: &Value) -> Option<&str> {
    let probes = container["probes"].as_array()?;
    let path = |kind: &str| {
        probes.iter().filter(|probe| probe["type"] == json!(kind)).find_map(|probe| probe.pointer("/httpGet/path")?.as_str())
    };
    ["Startup", "Readiness", "Liveness"].into_iter().find_map(path)
}

fn texts(container: &Value, field: &str) -> Vec<String> {
    let list = container[field].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn of_cloud_run(state: &State, key: &str, revision: &Value, workload: &str) -> Option<Wanted> {
    let (service_key, name) = key.rsplit_once("/revisions/")?;
    let project = key.split('/').nth(2)?;
    let service = state.google.get(service_key).filter(|service| service.kind == SERVICE)?;
    let mut env = run::variables(state, project, revision).ok()?;
    let source = source_of(state, revision, &env)?;
    let short = service_key.rsplit('/').next().unwrap_or_default();
    for (variable, value) in [("K_SERVICE", short), ("K_REVISION", name), ("K_CONFIGURATION", short)] {
        env.push((variable.to_owned(), value.to_owned()));
    }
    let container = revision.pointer("/containers/0")?;
    let number = |pointer: &str, usual: u64| container.pointer(pointer).and_then(Value::as_u64).unwrap_or(usual);
    let statuses = service.body["trafficStatuses"].as_array().map(Vec::as_slice).unwrap_or_default();
    let latest = service.text("/latestReadyRevision").ends_with(&format!("/{name}"));
    let shows = |status: &Value| {
        let is_this = status["revision"].as_str().map_or(latest, |revision| revision == name);
        is_this && status["percent"].as_u64().unwrap_or(0) > 0
    };
    Some(Wanted {
        key: key.to_owned(),
        workload: workload.parse().ok()?,
        source,
        env,
        port: u16::try_from(number("/ports/0/containerPort", 8080)).unwrap_or(8080),
        health_path: container.pointer("/startupProbe/httpGet/path").and_then(Value::as_str).unwrap_or("/").to_owned(),
        memory_mib: mebibytes(container.pointer("/resources/limits/memory").and_then(Value::as_str).unwrap_or("512Mi")),
        replicas: 1,
        live: statuses.iter().any(shows),
    })
}

/// A mounted bucket with the variable `SITE` is a static site, whatever its image; everything else is what its image says.
fn source_of(state: &State, revision: &Value, env: &[(String, String)]) -> Option<Source> {
    let volumes = revision["volumes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let volume = volumes.iter().find_map(|volume| volume.get("gcs"));
    let site = env.iter().find(|(name, _)| name == "SITE").map(|(_, value)| value.as_str());
    if let (Some(volume), Some(site)) = (volume, site) {
        let options = volume["mountOptions"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let directory = options.into_iter().find_map(|option| option.strip_prefix("only-dir="));
        let prefix = directory.map_or_else(|| format!("sites/{site}/"), |directory| format!("{}/", directory.trim_matches('/')));
        return Some(Source::Site(crate::google::site_files(state, volume["bucket"].as_str()?, &prefix)));
    }
    let container = revision.pointer("/containers/0")?;
    let image = container["image"].as_str().unwrap_or_default();
    match run::image_of(state, revision) {
        Some((_, digest)) => {
            Some(Source::Image { digest, command: texts(container, "command"), arguments: texts(container, "args") })
        }
        None if crate::http::is_registry(image.split('/').next().unwrap_or_default()) => None,
        None => Some(Source::Elsewhere(image.to_owned())),
    }
}

/// Mebibytes in a quantity such as `512Mi`, `1Gi` or `0.5Gi`.
pub(super) fn mebibytes(quantity: &str) -> u64 {
    let split = quantity.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(quantity.len());
    let (number, unit) = quantity.split_at(split);
    let factor = match unit {
        "Ki" => 1.0 / 1024.0,
        "Mi" | "M" => 1.0,
        "Gi" | "G" => 1024.0,
        _ => 1.0 / 1_048_576.0,
    };
    let mebibytes = number.parse::<f64>().unwrap_or(512.0) * factor;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what a machine has")]
    let mebibytes = mebibytes.clamp(64.0, 1_048_576.0) as u64;
    mebibytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_become_mebibytes() {
        for (quantity, expected) in [("512Mi", 512), ("1Gi", 1024), ("0.5Gi", 512), ("1073741824", 1024), ("x", 512)] {
            assert_eq!(mebibytes(quantity), if quantity == "x" { 64 } else { expected }, "{quantity}");
        }
    }
}
