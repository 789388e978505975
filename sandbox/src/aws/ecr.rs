//! ECR: repositories are moto's, their images are those of the registry protocol.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Value, json};

use super::ACCOUNT;
use super::operation::Operation;
use crate::http::{Answer, Call};
use crate::login::{Vendor, issue};
use crate::registry::Repository;
use crate::world::{Blobs, Object, State};

/// Kind of a repository; moto has it, too.
pub(super) const REPOSITORY: &str = "ecr.repositories";

/// Validity of authorization tokens, in seconds.
const LIFETIME: i64 = 12 * 3600;

fn host(region: &str) -> String {
    format!("{ACCOUNT}.dkr.ecr.{region}.amazonaws.com")
}

/// Learns from an answer of moto which repositories there are.
pub(super) fn observe(state: &mut State, call: &Call, operation: &Operation, answer: Answer) -> Answer {
    let name = name_of(call);
    let image = format!("{}/{name}", host(&operation.region));
    match (operation.name.as_str(), answer.status == StatusCode::OK) {
        ("CreateRepository", true) => state.aws.insert(format!("ecr/{image}"), Object::new(REPOSITORY, json!({"name": name}))),
        ("DeleteRepository", true) => {
            state.aws.remove(&format!("ecr/{image}"));
            state.images.remove(&image);
        }
        _ => {}
    }
    answer
}

fn name_of(call: &Call) -> String {
    call.json().unwrap_or_default()["repositoryName"].as_str().unwrap_or_default().to_owned()
}

/// Answers what is about images; `None` for everything else.
pub(super) fn answer(state: &mut State, blobs: &Blobs, call: &Call, operation: &Operation) -> Option<Answer> {
    let body = call.json().unwrap_or_default();
    let image = format!("{}/{}", host(&operation.region), name_of(call));
    let refused =
        |code: &str, message: String| Answer::json(StatusCode::BAD_REQUEST, &json!({"__type": code, "message": message}));
    match operation.name.as_str() {
        "GetAuthorizationToken" => return Some(token(state, operation)),
        "DescribeImages" | "ListImages" | "BatchGetImage" | "BatchDeleteImage" => {}
        "DeleteRepository" => {
            let holds = state.images.repository(&image).is_some_and(|repository| !repository.manifests.is_empty());
            let message =
                format!("The repository with name '{}' cannot be deleted because it still contains images", name_of(call));
            return (holds && body["force"] != json!(true)).then(|| refused("RepositoryNotEmptyException", message));
        }
        _ => return None,
    }
    if !state.aws.contains(&format!("ecr/{image}")) {
        let message = format!("The repository with name '{}' does not exist in the registry with id '{ACCOUNT}'", name_of(call));
        return Some(refused("RepositoryNotFoundException", message));
    }
    let ids = body["imageIds"].as_array().cloned().unwrap_or_default();
    let images = Images { name: name_of(call), key: image };
    Some(match operation.name.as_str() {
        "DescribeImages" => images.describe(state, &ids).unwrap_or_else(|message| refused("ImageNotFoundException", message)),
        "ListImages" => images.list(state),
        "BatchGetImage" => images.get(state, blobs, &ids),
        _ => images.delete(state, &ids),
    })
}

fn token(state: &State, operation: &Operation) -> Answer {
    let token = issue(state, Vendor::Aws, &operation.key, LIFETIME, json!({}));
    let data = json!({
        "authorizationToken": STANDARD.encode(format!("AWS:{token}")), "expiresAt": state.millis() / 1000 + LIFETIME,
        "proxyEndpoint": format!("https://{}", host(&operation.region)),
    });
    Answer::ok(&json!({"authorizationData": [data]}))
}

/// Images of a repository.
struct Images {
    name: String,
    key: String,
}

impl Images {
    fn repository<'s>(&self, state: &'s State) -> Option<&'s Repository> {
        state.images.repository(&self.key)
    }

    /// The digest that an id such as `{"imageTag": "v1"}` names.
    fn digest(&self, state: &State, id: &Value) -> Option<String> {
        let reference = id["imageDigest"].as_str().or(id["imageTag"].as_str())?;
        self.repository(state)?.digest(reference)
    }

    fn describe(&self, state: &State, ids: &[Value]) -> Result<Answer, String> {
        let missing =
            |id: &Value| format!("The image with imageId {id} does not exist within the repository with name '{}'", self.name);
        let digests: Vec<String> = match ids {
            [] => self.repository(state).into_iter().flat_map(|repository| repository.manifests.keys().cloned()).collect(),
            ids => ids.iter().map(|id| self.digest(state, id).ok_or_else(|| missing(id))).collect::<Result<_, _>>()?,
        };
        let details = digests.iter().filter_map(|digest| {
            let repository = self.repository(state)?;
            let manifest = repository.manifests.get(digest)?;
            let tags: Vec<_> = repository.tags_of(digest).collect();
            let at = chrono::DateTime::parse_from_rfc3339(&manifest.at).map_or(0, |at| at.timestamp());
            Some(json!({
                "registryId": ACCOUNT, "repositoryName": self.name, "imageDigest": digest, "imageTags": tags,
                "imageSizeInBytes": manifest.bytes, "imagePushedAt": at, "imageManifestMediaType": manifest.media_type,
            }))
        });
        Ok(Answer::ok(&json!({"imageDetails": details.collect::<Vec<_>>()})))
    }

    fn list(&self, state: &State) -> Answer {
        let mut ids = Vec::new();
        for (digest, repository) in
            self.repository(state).into_iter().flat_map(|all| all.manifests.keys().map(move |digest| (digest, all)))
        {
            let tags: Vec<_> = repository.tags_of(digest).map(|tag| json!({"imageDigest": digest, "imageTag": tag})).collect();
            ids.extend(if tags.is_empty() { vec![json!({"imageDigest": digest})] } else { tags });
        }
        Answer::ok(&json!({"imageIds": ids}))
    }

    fn get(&self, state: &State, blobs: &Blobs, ids: &[Value]) -> Answer {
        let (mut images, mut failures) = (Vec::new(), Vec::new());
        for id in ids {
            let digest = self.digest(state, id);
            let manifest = digest.as_ref().and_then(|digest| blobs.get(digest.trim_start_matches("sha256:")).ok());
            match (digest, manifest) {
                (Some(digest), Some(manifest)) => images.push(json!({
                    "registryId": ACCOUNT, "repositoryName": self.name, "imageId": {"imageDigest": digest},
                    "imageManifest": String::from_utf8_lossy(&manifest),
                })),
                _ => failures
                    .push(json!({"imageId": id, "failureCode": "ImageNotFound", "failureReason": "Requested image not found"})),
            }
        }
        Answer::ok(&json!({"images": images, "failures": failures}))
    }

    fn delete(&self, state: &mut State, ids: &[Value]) -> Answer {
        let (mut deleted, mut failures) = (Vec::new(), Vec::new());
        for id in ids {
            match self.digest(state, id) {
                None => failures
                    .push(json!({"imageId": id, "failureCode": "ImageNotFound", "failureReason": "Requested image not found"})),
                Some(digest) => {
                    let repository = state.images.repository_mut(&self.key);
                    match (id["imageDigest"].as_str(), id["imageTag"].as_str()) {
                        (None, Some(tag)) => {
                            repository.tags.remove(tag);
                        }
                        _ => {
                            repository.remove_manifest(&digest);
                        }
                    }
                    deleted.push(json!({"imageDigest": digest}));
                }
            }
        }
        Answer::ok(&json!({"imageIds": deleted, "failures": failures}))
    }
}
