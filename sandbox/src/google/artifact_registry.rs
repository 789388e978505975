//! Artifact Registry: repositories, and the images in them.

use http::Method;
use serde_json::{Value, json};

use super::context::{listed, page};
use super::operation::{self, Work};
use super::{Context, GoogleError, Outcome, policy};
use crate::http::Answer;
use crate::registry::StoredManifest;
use crate::world::{Object, Phase};

/// Kind of a repository.
pub(super) const REPOSITORY: &str = "artifactregistry.repositories";

/// Answers a call to `artifactregistry.googleapis.com`.
pub(super) fn answer(context: &mut Context<'_>) -> Outcome {
    let parts = context.parts();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let ["v1", "projects", project, "locations", location, rest @ ..] = parts.as_slice() else {
        return Err(context.unknown_method());
    };
    context.need_api(project)?;
    let parent = format!("projects/{project}/locations/{location}");
    let verb = context.verb.clone();
    match (&context.call.method, rest, verb.as_str()) {
        (&Method::GET, ["operations", _], "") => operation::get(context, "artifactregistry"),
        (&Method::POST, ["repositories"], "") => create(context, &parent),
        (&Method::GET, ["repositories"], "") => list(context, &parent),
        (_, ["repositories", repository, rest @ ..], verb) => {
            let name = format!("{parent}/repositories/{repository}");
            let key = format!("artifactregistry/{name}");
            if !context.state.google.contains(&key) {
                return Err(GoogleError::not_found(format!("Repository does not exist: \"{name}\"")));
            }
            let images = format!("{location}-docker.pkg.dev/{project}/{repository}/");
            Repository { parent, name, key, images }.answer(context, rest, verb)
        }
        _ => Err(context.unknown_method()),
    }
}

fn create(context: &mut Context<'_>, parent: &str) -> Outcome {
    context.need("artifactregistry.repositories.create", parent)?;
    let id = context.call.parameter("repositoryId").unwrap_or_default().to_owned();
    let is_id = (1..=63).contains(&id.len())
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && !id.ends_with('-')
        && id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if !is_id {
        return Err(GoogleError::invalid(format!("invalid repository ID \"{id}\"")));
    }
    let mut body = context.body()?;
    if body.get("format").and_then(Value::as_str).unwrap_or_default().is_empty() {
        return Err(GoogleError::invalid("repository.format is required"));
    }
    let (name, stamp) = (format!("{parent}/repositories/{id}"), context.state.stamp());
    let key = format!("artifactregistry/{name}");
    if context.state.google.contains(&key) {
        return Err(GoogleError::exists("the repository already exists"));
    }
    let mut parts = parent.split('/').skip(1).step_by(2);
    let (project, location) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let defaults = json!({
        "name": name, "createTime": stamp, "updateTime": stamp, "mode": "STANDARD_REPOSITORY",
        "registryUri": format!("{location}-docker.pkg.dev/{project}/{id}"),
    });
    merge(&mut body, defaults);
    let mut object = Object::new(REPOSITORY, body);
    object.phase = Some(context.phase(REPOSITORY, "ready"));
    context.state.google.insert(key.clone(), object);
    Ok(begin(context, parent, &key, "google.devtools.artifactregistry.v1.Repository"))
}

fn merge(body: &mut Value, more: Value) {
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
}

fn begin(context: &mut Context<'_>, parent: &str, target: &str, response_type: &str) -> Answer {
    let metadata = json!({"@type": "type.googleapis.com/google.devtools.artifactregistry.v1.OperationMetadata"});
    operation::begin(context, Work { service: "artifactregistry", parent, target, response_type, metadata })
}

fn list(context: &mut Context<'_>, parent: &str) -> Outcome {
    context.need("artifactregistry.repositories.list", parent)?;
    let collection = format!("artifactregistry/{parent}/repositories/");
    let all = context.state.google.children(&collection);
    Ok(Answer::ok(&listed(
        "repositories",
        page(context.call, "pageSize", all.map(|(key, object)| (key.clone(), object.body.clone())).collect()),
    )))
}

/// Ends the change of a repository.
pub(super) fn settle(context: &mut Context<'_>, key: &str, phase: &Phase) {
    let failure = operation::failure_of(&phase.ending);
    if phase.to == "gone" && failure.is_none() {
        let images = context.state.google.get(key).map(|object| format!("{}/", object.text("/registryUri")));
        context.state.google.remove(key);
        if let Some(images) = images {
            context.state.images.remove_below(&images);
        }
        return;
    }
    if let Some(object) = context.state.google.get_mut(key) {
        object.phase = None;
        object.hidden["failure"] = json!(failure);
    }
}

/// A repository that exists.
struct Repository {
    parent: String,
    name: String,
    key: String,
    /// Beginning of the names of its images among all registries.
    images: String,
}

impl Repository {
    fn answer(&self, context: &mut Context<'_>, rest: &[&str], verb: &str) -> Outcome {
        let method = context.call.method.clone();
        match (&method, rest, verb) {
            (&Method::GET, [], "") => {
                context.need("artifactregistry.repositories.get", &self.name)?;
                operation::settle(context, &self.key, true);
                let body = context.state.google.get(&self.key).map(|object| object.body.clone());
                body.map(|body| Answer::ok(&body)).ok_or_else(|| GoogleError::not_found("Repository does not exist"))
            }
            (&Method::PATCH, [], "") => self.update(context),
            (&Method::DELETE, [], "") => self.delete(context),
            (&Method::GET, [], "getIamPolicy") => {
                context.need("artifactregistry.repositories.getIamPolicy", &self.name)?;
                Ok(Answer::ok(&policy::get(context.state, &self.key)))
            }
            (&Method::POST, [], "setIamPolicy") => {
                context.need("artifactregistry.repositories.setIamPolicy", &self.name)?;
                let wanted = context.body()?.get("policy").cloned().unwrap_or_default();
                Ok(Answer::ok(&policy::set(context, &self.key, &wanted)?))
            }
            (&Method::GET, ["dockerImages"], "") => self.docker_images(context),
            (&Method::GET, ["dockerImages", image], "") => self.docker_image(context, image),
            (&Method::GET, ["packages"], "") => self.packages(context),
            (&Method::GET, ["packages", package], "") => self.package(context, package),
            (&Method::DELETE, ["packages", package], "") => self.delete_package(context, package),
            (&Method::GET, ["packages", package, "versions"], "") => self.versions(context, package),
            (&Method::DELETE, ["packages", package, "versions", digest], "") => self.delete_version(context, package, digest),
            (&Method::DELETE, ["packages", package, "tags", tag], "") => self.delete_tag(context, package, tag),
            _ => Err(context.unknown_method()),
        }
    }

    fn update(&self, context: &mut Context<'_>) -> Outcome {
        context.need("artifactregistry.repositories.update", &self.name)?;
        let (wanted, stamp) = (context.body()?, context.state.stamp());
        let mask = context.call.parameter("updateMask").unwrap_or("description,labels").to_owned();
        let object =
            context.state.google.get_mut(&self.key).ok_or_else(|| GoogleError::not_found("Repository does not exist"))?;
        for field in mask.split(',').filter(|field| matches!(*field, "description" | "labels" | "cleanupPolicies")) {
            object.body[field] = wanted.get(field).cloned().unwrap_or_default();
        }
        object.body["updateTime"] = json!(stamp);
        Ok(Answer::ok(&object.body))
    }

    fn delete(&self, context: &mut Context<'_>) -> Outcome {
        context.need("artifactregistry.repositories.delete", &self.name)?;
        let phase = context.phase(REPOSITORY, "gone");
        if let Some(object) = context.state.google.get_mut(&self.key) {
            object.phase = Some(phase);
        }
        Ok(begin(context, &self.parent, &self.key, "google.protobuf.Empty"))
    }

    fn image(&self, name: &str, digest: &str, manifest: &StoredManifest, tags: &[&str]) -> Value {
        json!({
            "name": format!("{}/dockerImages/{name}@{digest}", self.name),
            "uri": format!("{}{name}@{digest}", self.images),
            "tags": tags,
            "imageSizeBytes": manifest.bytes.to_string(),
            "uploadTime": manifest.at,
            "updateTime": manifest.at,
            "mediaType": manifest.media_type,
        })
    }

    fn all_images(&self, context: &Context<'_>) -> Vec<(String, Value)> {
        let mut all = Vec::new();
        for (key, repository) in context.state.images.below(&self.images) {
            let name = &key[self.images.len()..];
            for (digest, manifest) in &repository.manifests {
                let tags: Vec<_> = repository.tags_of(digest).collect();
                all.push((format!("{name}@{digest}"), self.image(name, digest, manifest, &tags)));
            }
        }
        all
    }

    fn docker_images(&self, context: &mut Context<'_>) -> Outcome {
        context.need("artifactregistry.dockerimages.list", &self.name)?;
        Ok(Answer::ok(&listed("dockerImages", page(context.call, "pageSize", self.all_images(context)))))
    }

    fn docker_image(&self, context: &mut Context<'_>, image: &str) -> Outcome {
        context.need("artifactregistry.dockerimages.get", &self.name)?;
        let found = self.all_images(context).into_iter().find(|(name, _)| name == image);
        found.map(|(_, body)| Answer::ok(&body)).ok_or_else(|| GoogleError::not_found("Requested entity was not found."))
    }

    fn describe_package(&self, name: &str, at: &str) -> Value {
        let name = format!("{}/packages/{}", self.name, crate::http::encode_path(name));
        json!({"name": name, "createTime": at, "updateTime": at})
    }

    fn packages(&self, context: &mut Context<'_>) -> Outcome {
        context.need("artifactregistry.packages.list", &self.name)?;
        let packages = context.state.images.below(&self.images).filter(|(_, images)| !images.manifests.is_empty());
        let packages = packages.map(|(key, images)| {
            let at = images.manifests.values().map(|manifest| manifest.at.as_str()).max().unwrap_or_default();
            (key.clone(), self.describe_package(&key[self.images.len()..], at))
        });
        Ok(Answer::ok(&listed("packages", page(context.call, "pageSize", packages.collect()))))
    }

    fn package_key(&self, context: &Context<'_>, package: &str) -> Result<String, GoogleError> {
        let key = format!("{}{package}", self.images);
        let exists = context.state.images.repository(&key).is_some();
        if exists { Ok(key) } else { Err(GoogleError::not_found(format!("Package \"{package}\" was not found."))) }
    }

    fn package(&self, context: &mut Context<'_>, package: &str) -> Outcome {
        context.need("artifactregistry.packages.get", &self.name)?;
        self.package_key(context, package)?;
        let stamp = context.state.stamp();
        Ok(Answer::ok(&self.describe_package(package, &stamp)))
    }

    fn delete_package(&self, context: &mut Context<'_>, package: &str) -> Outcome {
        context.need("artifactregistry.packages.delete", &self.name)?;
        let key = self.package_key(context, package)?;
        context.state.images.remove(&key);
        Ok(self.done(context))
    }

    fn versions(&self, context: &mut Context<'_>, package: &str) -> Outcome {
        context.need("artifactregistry.versions.list", &self.name)?;
        let key = self.package_key(context, package)?;
        let manifests = context.state.images.repository(&key).into_iter().flat_map(|images| &images.manifests);
        let versions = manifests.map(|(digest, manifest)| {
            let name = format!("{}/packages/{}/versions/{digest}", self.name, crate::http::encode_path(package));
            (digest.clone(), json!({"name": name, "createTime": manifest.at, "updateTime": manifest.at}))
        });
        Ok(Answer::ok(&listed("versions", page(context.call, "pageSize", versions.collect()))))
    }

    fn delete_version(&self, context: &mut Context<'_>, package: &str, digest: &str) -> Outcome {
        context.need("artifactregistry.versions.delete", &self.name)?;
        let key = self.package_key(context, package)?;
        let force = context.call.parameter("force") == Some("true");
        let images = context.state.images.repository_mut(&key);
        if !force && images.tags_of(digest).next().is_some() {
            return Err(GoogleError::precondition("Cannot delete a version with tags: delete the tags first, or set force."));
        }
        if !images.remove_manifest(digest) {
            return Err(GoogleError::not_found(format!("Version \"{digest}\" was not found.")));
        }
        if images.manifests.is_empty() {
            context.state.images.remove(&key);
        }
        Ok(self.done(context))
    }

    fn delete_tag(&self, context: &mut Context<'_>, package: &str, tag: &str) -> Outcome {
        context.need("artifactregistry.tags.delete", &self.name)?;
        let key = self.package_key(context, package)?;
        if context.state.images.repository_mut(&key).tags.remove(tag).is_none() {
            return Err(GoogleError::not_found(format!("Tag \"{tag}\" was not found.")));
        }
        Ok(Answer::ok(&json!({})))
    }

    /// An operation that has nothing to wait for.
    fn done(&self, context: &mut Context<'_>) -> Answer {
        let response = json!({"@type": "type.googleapis.com/google.protobuf.Empty"});
        operation::begin_with_response(context, "artifactregistry", &self.parent, &[], &response)
    }
}
