//! Secret Manager.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use super::context::page;
use super::region::project_number;
use super::{Context, GoogleError, Outcome, policy};
use crate::http::Answer;
use crate::world::{Object, State};

/// Kind of a secret.
const SECRET: &str = "secretmanager.secrets";
/// Kind of a version of a secret.
const VERSION: &str = "secretmanager.versions";
/// Most bytes of a version.
const LONGEST: usize = 65_536;

/// Answers a call to `secretmanager.googleapis.com`.
pub(super) fn answer(context: &mut Context<'_>) -> Outcome {
    let parts = context.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let ["v1", "projects", project, "secrets", rest @ ..] = parts.as_slice() else { return Err(context.unknown_method()) };
    context.need_api(project)?;
    let verb = context.verb.clone();
    let method = context.call.method.clone();
    match (&method, rest, verb.as_str()) {
        (&Method::POST, [], "") => create(context, project),
        (&Method::GET, [], "") => list(context, project),
        (_, [secret], verb) => Secret::find(context, project, secret)?.answer(context, &method, verb),
        (_, [secret, "versions"], "") if method == Method::GET => Secret::find(context, project, secret)?.versions(context),
        (_, [secret, "versions", version], verb) => {
            Secret::find(context, project, secret)?.version(context, &method, version, verb)
        }
        _ => Err(context.unknown_method()),
    }
}

fn key(project: &str, secret: &str) -> String {
    format!("secretmanager/projects/{project}/secrets/{secret}")
}

fn create(context: &mut Context<'_>, project: &str) -> Outcome {
    context.need("secretmanager.secrets.create", &format!("projects/{project}"))?;
    let id = context.call.parameter("secretId").unwrap_or_default().to_owned();
    let is_id =
        (1..=255).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !is_id {
        return Err(GoogleError::invalid(format!(
            "The provided Secret ID [{id}] does not match the expected format [[a-zA-Z_0-9]+]."
        )));
    }
    let mut body = context.body()?;
    if body.get("replication").is_none_or(Value::is_null) {
        return Err(GoogleError::invalid("Secret.replication is required."));
    }
    let key = key(project, &id);
    if context.state.google.contains(&key) {
        return Err(GoogleError::exists(format!("Secret [projects/{}/secrets/{id}] already exists.", project_number(project))));
    }
    body["name"] = json!(format!("projects/{}/secrets/{id}", project_number(project)));
    body["createTime"] = json!(context.state.stamp());
    body["etag"] = json!(etag());
    context.state.google.insert(key, Object::new(SECRET, body.clone()).hiding(json!({"next": 1})));
    Ok(Answer::ok(&body))
}

fn etag() -> String {
    format!("\"{}\"", &uuid::Uuid::new_v4().simple().to_string()[..14])
}

fn list(context: &mut Context<'_>, project: &str) -> Outcome {
    context.need("secretmanager.secrets.list", &format!("projects/{project}"))?;
    let collection = format!("secretmanager/projects/{project}/secrets/");
    let filter = context.call.parameter("filter").unwrap_or_default();
    let all = context.state.google.children(&collection).filter(|(_, object)| fits_filter(object, filter));
    let secrets = all.map(|(key, object)| (key.clone(), object.body.clone())).collect::<Vec<_>>();
    let total = secrets.len();
    let (secrets, next) = page(context.call, "pageSize", secrets);
    let mut answer = json!({"secrets": secrets, "totalSize": total});
    if let Some(next) = next {
        answer["nextPageToken"] = json!(next);
    }
    Ok(Answer::ok(&answer))
}

/// Understands `labels.<name>=<value>` and `name:<part>`, joined by `AND`; anything else fits everything.
fn fits_filter(object: &Object, filter: &str) -> bool {
    filter.split(" AND ").map(str::trim).all(|term| match (term.strip_prefix("labels."), term.strip_prefix("name:")) {
        (Some(label), _) => label
            .split_once(['=', ':'])
            .is_none_or(|(name, value)| object.body["labels"][name].as_str() == Some(value.trim_matches('"'))),
        (None, Some(part)) => object.text("/name").contains(part),
        (None, None) => true,
    })
}

/// A secret that exists.
struct Secret {
    key: String,
    /// Name with the project's id.
    name: String,
}

impl Secret {
    fn find(context: &Context<'_>, project: &str, secret: &str) -> Result<Self, GoogleError> {
        let (key, name) = (key(project, secret), format!("projects/{project}/secrets/{secret}"));
        if context.state.google.contains(&key) {
            return Ok(Self { key, name });
        }
        let full = format!("projects/{}/secrets/{secret}", project_number(project));
        Err(GoogleError::not_found(format!("Secret [{full}] not found.")))
    }

    fn answer(&self, context: &mut Context<'_>, method: &Method, verb: &str) -> Outcome {
        match (method, verb) {
            (&Method::GET, "") => {
                context.need("secretmanager.secrets.get", &self.name)?;
                Ok(Answer::ok(&context.state.google.get(&self.key).map(|object| object.body.clone()).unwrap_or_default()))
            }
            (&Method::DELETE, "") => {
                context.need("secretmanager.secrets.delete", &self.name)?;
                context.state.google.remove_below(&format!("{}/", self.key));
                context.state.google.remove(&self.key);
                Ok(Answer::ok(&json!({})))
            }
            (&Method::PATCH, "") => self.update(context),
            (&Method::POST, "addVersion") => self.add_version(context),
            (&Method::GET, "getIamPolicy") => {
                context.need("secretmanager.secrets.getIamPolicy", &self.name)?;
                Ok(Answer::ok(&policy::get(context.state, &self.key)))
            }
            (&Method::POST, "setIamPolicy") => {
                context.need("secretmanager.secrets.setIamPolicy", &self.name)?;
                let wanted = context.body()?.get("policy").cloned().unwrap_or_default();
                Ok(Answer::ok(&policy::set(context, &self.key, &wanted)?))
            }
            (&Method::POST, "testIamPermissions") => Ok(Answer::ok(&policy::granted(context, &context.body()?))),
            _ => Err(context.unknown_method()),
        }
    }

    fn update(&self, context: &mut Context<'_>) -> Outcome {
        context.need("secretmanager.secrets.update", &self.name)?;
        let wanted = context.body()?;
        let mask = context.call.parameter("updateMask").unwrap_or_default().to_owned();
        let object = context.state.google.get_mut(&self.key).ok_or_else(|| GoogleError::not_found("Secret not found."))?;
        for field in mask.split(',').filter(|field| matches!(*field, "labels" | "annotations" | "ttl" | "topics")) {
            object.body[field] = wanted.get(field).cloned().unwrap_or_default();
        }
        object.body["etag"] = json!(etag());
        Ok(Answer::ok(&object.body))
    }

    fn add_version(&self, context: &mut Context<'_>) -> Outcome {
        context.need("secretmanager.versions.add", &self.name)?;
        let body = context.body()?;
        let data = body.pointer("/payload/data").and_then(Value::as_str).unwrap_or_default().to_owned();
        let bytes = STANDARD.decode(&data).map_err(|_| GoogleError::invalid("Invalid value at 'payload.data' (TYPE_BYTES)."))?;
        if bytes.len() > LONGEST {
            return Err(GoogleError::invalid(format!("The SecretPayload must be at most {LONGEST} bytes.")));
        }
        let stamp = context.state.stamp();
        let secret = context.state.google.get_mut(&self.key).ok_or_else(|| GoogleError::not_found("Secret not found."))?;
        let number = secret.hidden["next"].as_u64().unwrap_or(1);
        secret.hidden["next"] = json!(number + 1);
        let name = format!("{}/versions/{number}", secret.text("/name"));
        let version = json!({
            "name": name, "createTime": stamp, "state": "ENABLED", "etag": etag(), "replicationStatus": {"automatic": {}},
        });
        let stored = Object::new(VERSION, version.clone()).hiding(json!({"data": data}));
        context.state.google.insert(format!("{}/versions/{number}", self.key), stored);
        Ok(Answer::ok(&version))
    }

    fn versions(&self, context: &mut Context<'_>) -> Outcome {
        context.need("secretmanager.versions.list", &self.name)?;
        let collection = format!("{}/versions/", self.key);
        let mut versions: Vec<_> = context.state.google.children(&collection).map(|(_, object)| object.body.clone()).collect();
        versions.sort_by_key(|version| std::cmp::Reverse(number_of(version)));
        let total = versions.len();
        Ok(Answer::ok(&json!({"versions": versions, "totalSize": total})))
    }

    fn version(&self, context: &mut Context<'_>, method: &Method, version: &str, verb: &str) -> Outcome {
        let missing = || GoogleError::not_found(format!("Secret Version [{}/versions/{version}] not found.", self.name));
        let key = version_key(context.state, &self.key, version).ok_or_else(missing)?;
        let action = match (method, verb) {
            (&Method::GET, "") => "get",
            (&Method::GET, "access") => "access",
            (&Method::POST, "destroy" | "disable" | "enable") => verb,
            _ => return Err(context.unknown_method()),
        };
        context.need(&format!("secretmanager.versions.{action}"), &self.name)?;
        let stamp = context.state.stamp();
        let object = context.state.google.get_mut(&key).ok_or_else(missing)?;
        let state = object.text("/state").to_owned();
        match action {
            "access" if state == "ENABLED" => {
                return Ok(Answer::ok(&json!({"name": object.body["name"], "payload": {"data": object.hidden["data"]}})));
            }
            "access" => {
                let message = format!("Secret Version [{}] is in {state} state.", object.text("/name"));
                return Err(GoogleError::precondition(message));
            }
            "destroy" => {
                object.body["state"] = json!("DESTROYED");
                object.body["destroyTime"] = json!(stamp);
                object.hidden = json!({});
            }
            "disable" | "enable" if state != "DESTROYED" => {
                object.body["state"] = json!(if action == "enable" { "ENABLED" } else { "DISABLED" });
            }
            "disable" | "enable" => return Err(GoogleError::precondition("The version is destroyed.")),
            _ => {}
        }
        Ok(Answer::ok(&object.body))
    }
}

fn number_of(version: &Value) -> u64 {
    let name = version.get("name").and_then(Value::as_str).unwrap_or_default();
    name.rsplit('/').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The key of a version by number or as `latest`.
fn version_key(state: &State, secret: &str, version: &str) -> Option<String> {
    let collection = format!("{secret}/versions/");
    if version != "latest" {
        let key = format!("{collection}{version}");
        return state.google.contains(&key).then_some(key);
    }
    let newest = state.google.children(&collection).max_by_key(|(_, object)| number_of(&object.body))?;
    Some(newest.0.clone())
}

/// The value of an enabled version; the reason for which there is none otherwise.
pub(crate) fn secret_value(state: &State, project: &str, secret: &str, version: &str) -> Result<String, String> {
    let missing = || format!("Secret projects/{project}/secrets/{secret}/versions/{version} was not found");
    let (project, secret) = match secret.strip_prefix("projects/").and_then(|rest| rest.split_once("/secrets/")) {
        Some((owner, name)) => (owner, name),
        None => (project, secret),
    };
    let key = version_key(state, &key(project, secret), version).ok_or_else(missing)?;
    let object = state.google.get(&key).ok_or_else(missing)?;
    if object.text("/state") != "ENABLED" {
        return Err(format!(
            "Secret projects/{project}/secrets/{secret}/versions/{version} is in {} state",
            object.text("/state")
        ));
    }
    let bytes = STANDARD.decode(object.secret("data")).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| format!("the value of secret {secret} is no UTF-8 text"))
}
