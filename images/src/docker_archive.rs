//! An image's archive as `docker save` and `podman save` write it, as an image of the OCI.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use clouds_contract::{CloudError, ErrorKind};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::digest::Digesting;
use crate::manifest::{CONFIG, LAYER};
use crate::{Architecture, Blob, BlobDigest, BlobSource, Descriptor, Image};

/// Name of the archive in an artifact.
pub const ARCHIVE: &str = "image.tar";

/// First bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Longest document in an archive that is read.
const LONGEST: u64 = 8 << 20;

/// Port of a program that names none.
const USUAL_PORT: u16 = 8080;

/// The file `manifest.json` of an archive: one entry per image.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    config: String,
    layers: Vec<String>,
}

/// Reads the image of an archive. `port` is the one on which its program listens, if the project says so.
///
/// Fails with `IMAGE_INVALID` for an archive of anything else, and with `IMAGE_ARCHITECTURE` for an image that no cloud of ours runs.
pub async fn read(archive: &Path, port: Option<u16>, labels: &[(&str, String)]) -> Result<Image, CloudError> {
    let archive = archive.to_owned();
    let labels: Map<_, _> = labels.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let read = tokio::task::spawn_blocking(move || convert(&archive, port, &labels));
    read.await.map_err(|error| CloudError::internal("the image's archive", error))?
}

/// Port on which the program of an archive's image listens: the given one, else the one that the image exposes, else 8080.
pub async fn port(archive: &Path, given: Option<u16>) -> Result<u16, CloudError> {
    if let Some(port) = given {
        return Ok(port);
    }
    let archive = archive.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let listed: Vec<Listed> = document(&archive, "manifest.json")?;
        let first = listed.first().ok_or_else(|| invalid("it holds no image"))?;
        document::<Value>(&archive, &first.config).map(|config| exposed(&config))
    });
    read.await.map_err(|error| CloudError::internal("the image's archive", error))?
}

fn convert(archive: &Path, port: Option<u16>, labels: &Map<String, Value>) -> Result<Image, CloudError> {
    let failed = |error: io::Error| CloudError::internal("the image's archive could not be read", error);
    let listed: Vec<Listed> = document(archive, "manifest.json")?;
    let [listed] = listed.as_slice() else { return Err(invalid(format!("it holds {} images, not one", listed.len()))) };
    let mut config: Value = document(archive, &listed.config)?;
    check_architecture(&config)?;
    let scratch = tempfile::tempdir().map_err(failed)?;
    let mut found = layers(archive, &listed.layers, scratch.path()).map_err(failed)?;
    let mut ordered = Vec::with_capacity(listed.layers.len());
    for name in &listed.layers {
        // The same layer may be listed twice: an empty one, say.
        let layer = found.get(name).cloned().ok_or_else(|| invalid(format!("the layer {name} is missing")))?;
        ordered.push(layer);
    }
    found.clear();
    let own = config["config"].as_object_mut().map(|own| own.entry("Labels").or_insert(Value::Null));
    if let Some(own) = own {
        let mut all = own.as_object().cloned().unwrap_or_default();
        all.extend(labels.clone());
        *own = Value::Object(all);
    }
    let port = port.unwrap_or_else(|| exposed(&config));
    let bytes = serde_json::to_vec(&config).map_err(|error| CloudError::internal("the image's configuration", error))?;
    let mut image = Image::of(Blob::bytes(CONFIG, Bytes::from(bytes)), ordered, port);
    image.files = Some(Arc::new(scratch));
    Ok(image)
}

fn invalid(reason: impl std::fmt::Display) -> CloudError {
    let message = format!("the image's archive cannot be used: {reason}. Build the image again");
    CloudError::new(ErrorKind::Invalid, "IMAGE_INVALID", message)
}

/// The one port that an image exposes, or the usual one.
fn exposed(config: &Value) -> u16 {
    let ports = config["config"]["ExposedPorts"].as_object();
    let ports: Vec<u16> =
        ports.into_iter().flat_map(Map::keys).filter_map(|port| port.strip_suffix("/tcp")?.parse().ok()).collect();
    if let [port] = ports.as_slice() { *port } else { USUAL_PORT }
}

fn check_architecture(config: &Value) -> Result<(), CloudError> {
    let name = config["architecture"].as_str().unwrap_or_default();
    if name == Architecture::Amd64.name() || name == Architecture::Arm64.name() {
        return Ok(());
    }
    let message = format!("the image is for the processor `{name}`: build it for linux/amd64");
    Err(CloudError::new(ErrorKind::Invalid, "IMAGE_ARCHITECTURE", message))
}

/// A JSON document of an archive.
fn document<T: serde::de::DeserializeOwned>(archive: &Path, name: &str) -> Result<T, CloudError> {
    let failed = |error: io::Error| CloudError::internal("the image's archive could not be read", error);
    let file = BufReader::new(File::open(archive).map_err(failed)?);
    for entry in tar::Archive::new(file).entries_with_seek().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.path().map_err(failed)?.as_os_str() == name {
            let mut text = Vec::new();
            entry.take(LONGEST).read_to_end(&mut text).map_err(failed)?;
            return serde_json::from_slice(&text).map_err(|error| invalid(format!("{name} is unreadable: {error}")));
        }
    }
    Err(invalid(format!("{name} is missing")))
}

/// Writes the layers of these names into files, compressed, and returns them by their names.
fn layers(archive: &Path, names: &[String], scratch: &Path) -> io::Result<HashMap<String, Blob>> {
    let mut found = HashMap::new();
    let mut links = Vec::new();
    for entry in tar::Archive::new(BufReader::new(File::open(archive)?)).entries_with_seek()? {
        let mut entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        if !names.contains(&name) {
            continue;
        }
        // Older archives have a layer that is another's again as a link to it.
        if let Some(target) = entry.link_name()? {
            links.push((name, target.to_string_lossy().trim_start_matches("../").to_owned()));
            continue;
        }
        let blob = compress(&mut entry, &scratch.join(format!("layer-{}", found.len())))?;
        found.insert(name, blob);
    }
    for (name, target) in links {
        if let Some(blob) = found.get(&target).cloned() {
            found.insert(name, blob);
        }
    }
    Ok(found)
}

fn compress(layer: &mut impl Read, path: &Path) -> io::Result<Blob> {
    let mut start = Vec::new();
    layer.by_ref().take(2).read_to_end(&mut start)?;
    let mut whole = start.as_slice().chain(layer);
    let mut target = Digesting::new(BufWriter::new(File::create(path)?));
    if start == GZIP {
        io::copy(&mut whole, &mut target)?;
    } else {
        let mut compressor = GzEncoder::new(target, Compression::fast());
        io::copy(&mut whole, &mut compressor)?;
        target = compressor.finish()?;
    }
    let (mut file, digest, size) = target.finish();
    file.flush()?;
    Ok(blob(digest, size, path))
}

fn blob(digest: BlobDigest, size: u64, path: &Path) -> Blob {
    let descriptor = Descriptor { media_type: LAYER.to_owned(), digest, size, annotations: std::collections::BTreeMap::new() };
    Blob { descriptor, source: BlobSource::File(path.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(files: &[(&str, &[u8])]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut builder = tar::Builder::new(file.reopen().unwrap());
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, *content).unwrap();
        }
        builder.into_inner().unwrap();
        file
    }

    const LISTED: &[u8] = br#"[{"Config": "c.json", "RepoTags": null, "Layers": ["a/layer.tar", "b"]}]"#;
    const CONFIGURED: &[u8] = br#"{"architecture": "amd64", "config": {"ExposedPorts": {"3000/tcp": {}}, "Labels": {"x": "y"}}}"#;

    #[tokio::test]
    async fn layers_are_compressed_once_and_the_image_is_marked() {
        let mut zipped = GzEncoder::new(Vec::new(), Compression::fast());
        zipped.write_all(b"second").unwrap();
        let zipped = zipped.finish().unwrap();
        // The list stands behind what it lists, as in archives of Docker.
        let file = archive(&[("a/layer.tar", b"first"), ("b", &zipped), ("c.json", CONFIGURED), ("manifest.json", LISTED)]);
        let labels = [("org.mikrocloud.deployment", "dep_1".to_owned())];
        let image = read(file.path(), None, &labels).await.unwrap();
        assert_eq!((image.port, image.blobs.len()), (3000, 3));
        assert_eq!(image.blobs[1].descriptor.digest, BlobDigest::of(&zipped));
        let BlobSource::File(path) = &image.blobs[0].source else { panic!("layers are files") };
        let mut text = String::new();
        flate2::read::GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
        assert_eq!(text, "first");
        let BlobSource::Bytes(config) = &image.blobs[2].source else { panic!("the configuration is in memory") };
        let config: Value = serde_json::from_slice(config).unwrap();
        assert_eq!(config["config"]["Labels"], json!({"x": "y", "org.mikrocloud.deployment": "dep_1"}));
        assert_eq!(read(file.path(), Some(80), &labels).await.unwrap().port, 80);
    }

    #[tokio::test]
    async fn archives_that_are_none_are_refused() {
        let other = br#"{"architecture": "s390x", "config": {}}"#.as_slice();
        let table = [
            (archive(&[("x", b"y")]), "IMAGE_INVALID"),
            (archive(&[("manifest.json", LISTED), ("c.json", CONFIGURED)]), "IMAGE_INVALID"),
            (archive(&[("manifest.json", LISTED), ("c.json", other)]), "IMAGE_ARCHITECTURE"),
        ];
        for (file, code) in table {
            assert_eq!(read(file.path(), None, &[]).await.unwrap_err().code, code);
        }
    }
}
