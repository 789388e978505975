//! Images as far as the sandbox runs them: the application layer and the start command.

use serde_json::Value;

use crate::world::Blobs;

/// Annotation of the layer that has the application's files, set by MikroCloud when it assembles an image.
const ANNOTATION: &str = "org.mikrocloud.layer";
const APPLICATION: &str = "application";

/// An image as far as the sandbox runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Image {
    /// Digest of the application layer, without `sha256:`; `None` if MikroCloud did not assemble the image.
    pub layer: Option<String>,
    pub entrypoint: Vec<String>,
    pub arguments: Vec<String>,
    pub directory: String,
    pub env: Vec<(String, String)>,
}

impl Image {
    /// Reads the manifest with this digest and its configuration.
    pub fn read(blobs: &Blobs, digest: &str) -> Result<Self, String> {
        let manifest = document(blobs, digest)?;
        if let Some(manifests) = manifest.get("manifests").and_then(Value::as_array) {
            let is_ours = |entry: &&Value| {
                let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
                text("/platform/os") == "linux" && text("/platform/architecture") == "amd64"
            };
            let chosen = manifests.iter().find(is_ours).or(manifests.first());
            let digest = chosen.and_then(|entry| entry.get("digest")).and_then(Value::as_str);
            return Self::read(blobs, digest.ok_or("the image index is empty")?);
        }
        let config_digest = manifest.pointer("/config/digest").and_then(Value::as_str).ok_or("the image has no configuration")?;
        let document = document(blobs, config_digest)?;
        let config = document.get("config").cloned().unwrap_or_default();
        let layers = manifest.get("layers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let layer = layers.iter().find(|layer| layer["annotations"][ANNOTATION].as_str() == Some(APPLICATION));
        let layer = layer.and_then(|layer| layer["digest"].as_str()).map(|digest| bare(digest).to_owned());
        Ok(Self {
            layer,
            entrypoint: texts(&config, "Entrypoint"),
            arguments: texts(&config, "Cmd"),
            directory: config.get("WorkingDir").and_then(Value::as_str).unwrap_or("/").to_owned(),
            env: texts(&config, "Env").iter().filter_map(|entry| entry.split_once('=')).map(owned).collect(),
        })
    }
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn bare(digest: &str) -> &str {
    digest.strip_prefix("sha256:").unwrap_or(digest)
}

fn document(blobs: &Blobs, digest: &str) -> Result<Value, String> {
    let content = blobs.get(bare(digest)).map_err(|error| format!("{digest} cannot be read: {error}"))?;
    serde_json::from_slice(&content).map_err(|error| format!("{digest} is no JSON document: {error}"))
}

fn texts(config: &Value, field: &str) -> Vec<String> {
    let list = config.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
