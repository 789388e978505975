//! An application on a base image: one layer of files, and a configuration that starts it.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use clouds_contract::{CloudError, ErrorKind};
use domain::workload::Server;
use serde_json::{Map, Value, json};

use crate::base::Base;
use crate::command::{HOST, in_container, variable};
use crate::evidence::Evidence;
use crate::layer::{self, Layer, ROOT, USER};
use crate::manifest::{CONFIG, LAYER};
use crate::{APPLICATION_LAYER, Blob, BlobSource, Descriptor, Image};

/// Port on which programs are told to listen, unless they have one of their own.
const PORT: u16 = 8080;

/// Path of programs where a base image names none.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Looks at an artifact for what its base has to be.
pub async fn look(directory: &Path, server: &Server) -> Result<Evidence, CloudError> {
    let (directory, command) = (directory.to_owned(), server.command.clone());
    blocking(move || Evidence::find(&directory, &command)).await
}

/// Puts an image together: the artifact's files, which are not changed, at `/app` on a base. The same files, base and labels always
/// make the same image.
///
/// Fails with `LISTENS_ON_LOOPBACK` if the command would listen on the container's own loopback address alone.
pub async fn assemble(directory: &Path, server: &Server, base: Base, labels: &[(&str, String)]) -> Result<Image, CloudError> {
    let port = server.port.unwrap_or(PORT);
    let command = in_container(&server.command, port)?;
    if command.is_empty() {
        return Err(CloudError::new(ErrorKind::Invalid, "NO_COMMAND", "the server has no start command"));
    }
    let scratch = blocking(tempfile::tempdir).await?;
    let (source, target) = (directory.to_owned(), scratch.path().join("layer.tar.gz"));
    let layer = blocking(move || layer::pack(&source, &target)).await?;
    let config = configuration(&base, server, &command, port, &layer, labels);
    let bytes = serde_json::to_vec(&config).map_err(|error| CloudError::internal("an image's configuration", error))?;
    let config = Blob::bytes(CONFIG, Bytes::from(bytes));
    let mut layers = base.layers;
    layers.push(application(layer));
    let mut image = Image::of(config, layers, port);
    image.notes.push(base.note);
    image.files = Some(Arc::new(scratch));
    Ok(image)
}

/// A base as an image of its own: it starts what it always starts, as nobody.
pub fn alone(mut base: Base) -> Result<Image, CloudError> {
    let own = base.config.as_object_mut().map(|document| document.entry("config").or_insert_with(|| json!({})));
    if let Some(own) = own.and_then(Value::as_object_mut) {
        own.insert("User".to_owned(), json!(format!("{USER}:{USER}")));
    }
    let bytes = serde_json::to_vec(&base.config).map_err(|error| CloudError::internal("an image's configuration", error))?;
    let mut image = Image::of(Blob::bytes(CONFIG, Bytes::from(bytes)), base.layers, PORT);
    image.notes.push(base.note);
    Ok(image)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> Result<T, CloudError> {
    let failed = |error| CloudError::internal("the image could not be put together", error);
    tokio::task::spawn_blocking(work).await.map_err(|error| CloudError::internal("the image", error))?.map_err(failed)
}

fn application(layer: Layer) -> Blob {
    let (name, value) = APPLICATION_LAYER;
    let descriptor = Descriptor {
        media_type: LAYER.to_owned(),
        digest: layer.digest,
        size: layer.size,
        annotations: [(name.to_owned(), value.to_owned())].into(),
    };
    Blob { descriptor, source: BlobSource::File(layer.path) }
}

fn configuration(base: &Base, server: &Server, command: &[String], port: u16, layer: &Layer, labels: &[(&str, String)]) -> Value {
    let mut document = base.config.as_object().cloned().unwrap_or_default();
    document.insert("architecture".to_owned(), json!(base.architecture.name()));
    document.insert("os".to_owned(), json!("linux"));
    let inherited = document.get("config").and_then(|config| config["Env"].as_array()).cloned().unwrap_or_default();
    let directory = [ROOT, server.directory.as_str()].join("/");
    let labels: Map<_, _> = labels.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    // What the base starts, exposes and checks is another program's.
    let config = json!({
        "User": format!("{USER}:{USER}"),
        "WorkingDir": directory.trim_end_matches('/'),
        "Entrypoint": command,
        "Env": environment(&inherited, server, port),
        "ExposedPorts": {format!("{port}/tcp"): {}},
        "Labels": labels,
    });
    document.insert("config".to_owned(), config);
    let mut diffs = base.config["rootfs"]["diff_ids"].as_array().cloned().unwrap_or_default();
    diffs.push(json!(layer.diff_id.to_string()));
    document.insert("rootfs".to_owned(), json!({"type": "layers", "diff_ids": diffs}));
    if let Some(Value::Array(history)) = document.get_mut("history") {
        history.push(json!({"created": "1980-01-01T00:00:00Z", "created_by": "mikrocloud"}));
    }
    Value::Object(document)
}

/// The base's variables, those of the server in place of them, and where to listen.
fn environment(inherited: &[Value], server: &Server, port: u16) -> Vec<String> {
    let inherited = inherited.iter().filter_map(|entry| entry.as_str()?.split_once('='));
    let mut all: Vec<(String, String)> = inherited.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut set = |name: &str, value: String| match all.iter_mut().find(|(known, _)| known == name) {
        Some((_, current)) => *current = value,
        None => all.push((name.to_owned(), value)),
    };
    // The user has no home of its own.
    set("HOME", "/tmp".to_owned());
    for (name, value) in &server.env {
        set(name, variable(name, value));
    }
    set("HOST", HOST.to_owned());
    set("PORT", port.to_string());
    if !server.path.is_empty() {
        let known = all.iter().find(|(name, _)| name == "PATH").map_or(USUAL_PATH, |(_, value)| value.as_str());
        let own = server.path.iter().map(|entry| format!("{ROOT}/{entry}"));
        let path = own.chain([known.to_owned()]).collect::<Vec<_>>().join(":");
        all.retain(|(name, _)| name != "PATH");
        all.push(("PATH".to_owned(), path));
    }
    all.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Architecture, Manifest};

    fn server() -> Server {
        Server {
            command: ["python3", "-m", "uvicorn", "main:app", "--host", "127.0.0.1", "--port", "$PORT"]
                .map(str::to_owned)
                .to_vec(),
            directory: "web".to_owned(),
            path: vec![".venv/bin".to_owned()],
            env: vec![("PYTHONPATH".to_owned(), "lib".to_owned()), ("HOST".to_owned(), "127.0.0.1".to_owned())],
            port: None,
            health_path: "/".to_owned(),
            replicas: 1,
            memory_mib: 512,
            cpu: 1.0,
            image: None,
        }
    }

    async fn image(deployment: &str) -> Image {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("main.py"), "x").unwrap();
        let labels = [("org.mikrocloud.deployment", deployment.to_owned())];
        assemble(directory.path(), &server(), Base::empty(Architecture::Amd64), &labels).await.unwrap()
    }

    #[tokio::test]
    async fn an_image_starts_the_program_as_nobody_and_listens_for_everyone() {
        let image = image("dep_1").await;
        let manifest: Manifest = serde_json::from_slice(&image.manifest).unwrap();
        assert_eq!(manifest.layers[0].annotations["org.mikrocloud.layer"], "application");
        let BlobSource::Bytes(config) = &image.blobs.last().unwrap().source else { panic!("the configuration is in memory") };
        let document: Value = serde_json::from_slice(config).unwrap();
        let config = &document["config"];
        assert_eq!(config["User"], "65532:65532");
        assert_eq!(config["WorkingDir"], "/app/web");
        let command = ["python3", "-m", "uvicorn", "main:app", "--host", "0.0.0.0", "--port", "8080"];
        assert_eq!(config["Entrypoint"], json!(command));
        let expected = [
            "HOME=/tmp",
            "PYTHONPATH=lib",
            "HOST=0.0.0.0",
            "PORT=8080",
            "PATH=/app/.venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ];
        assert_eq!(config["Env"], json!(expected));
        assert_eq!(document["rootfs"]["diff_ids"].as_array().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn deployments_of_the_same_files_share_layers_and_have_images_of_their_own() {
        let (first, again, second) = (image("dep_1").await, image("dep_1").await, image("dep_2").await);
        assert_eq!(first.digest, again.digest);
        assert_ne!(first.digest, second.digest);
        assert_eq!(first.blobs[0].descriptor, second.blobs[0].descriptor);
    }
}
