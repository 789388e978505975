//! An image as an artifact: its archive, and beside it what has to be known without opening that.

use std::path::Path;
use std::time::Duration;

use clouds_contract::{CloudError, ErrorKind};
use domain::id::ProjectId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Client, Engine};

/// The archive's name in the artifact.
pub(crate) const ARCHIVE: &str = "image.tar";

/// The description's name in the artifact.
const DESCRIPTION: &str = "image.json";

/// The port of a container that names none, as other platforms have it.
const USUAL_PORT: u16 = 8080;

/// Timeout of loading an archive.
const LOAD_DEADLINE: Duration = Duration::from_mins(8);
const SHORT_DEADLINE: Duration = Duration::from_secs(30);

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Image {
    /// Its id, `sha256:` and 64 hexadecimal digits.
    pub id: String,
    /// The TCP ports that it exposes, sorted.
    pub ports: Vec<u16>,
}

impl Image {
    /// Reads the description in an artifact.
    pub async fn read(artifact: &Path) -> Result<Self, CloudError> {
        let unreadable = |error: Box<dyn std::error::Error + Send + Sync>| {
            CloudError::internal("the artifact does not describe its image: deploy the source again", error)
        };
        let text = tokio::fs::read(artifact.join(DESCRIPTION)).await.map_err(|error| unreadable(error.into()))?;
        let image: Self = serde_json::from_slice(&text).map_err(|error| unreadable(error.into()))?;
        if is_id(&image.id) { Ok(image) } else { Err(unreadable("the image's id is none".into())) }
    }

    /// Writes the description beside the archive.
    pub async fn write(&self, directory: &Path) -> Result<(), CloudError> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| CloudError::internal("the image's description", error);
        let text = serde_json::to_vec(self).map_err(|error| failed(error.into()))?;
        tokio::fs::write(directory.join(DESCRIPTION), text).await.map_err(|error| failed(error.into()))
    }

    /// The port on which its program is expected, and how that was decided.
    pub fn port(&self, configured: Option<u16>) -> (u16, &'static str) {
        match (configured, self.ports.as_slice()) {
            (Some(port), _) => (port, "container.port in mikrocloud.toml"),
            (None, [port]) => (*port, "the image exposes it"),
            (None, []) => (USUAL_PORT, "the image exposes none; container.port in mikrocloud.toml names another"),
            (None, _) => (USUAL_PORT, "the image exposes several; container.port in mikrocloud.toml names one"),
        }
    }
}

/// Returns true if a text is an image's id; nothing else becomes an argument.
fn is_id(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or_default();
    digits.len() == 64 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl Engine {
    /// Returns the engine's information about an image, by id or name; `None` if it does not have it.
    pub(crate) async fn inspect(&self, client: Client, image: &str) -> Option<Image> {
        let text = self.call(client, &["image", "inspect", image], SHORT_DEADLINE).await.ok()?;
        describe(&text)
    }

    /// Gives an image a name by which people see whose it is, and without which the engine's own clean-up would take it.
    pub(crate) async fn tag(&self, client: Client, image: &Image, project: ProjectId) -> Result<(), CloudError> {
        let name = self.name(image, project);
        self.require(client, &["tag", &image.id, &name], SHORT_DEADLINE, "name the image").await.map(drop)
    }

    /// Takes the name from an image, by which the engine removes it, unless somebody else has a name for it.
    pub(crate) async fn remove_image(&self, client: Client, image: &Image, project: ProjectId) -> Result<(), CloudError> {
        let name = self.name(image, project);
        match self.call(client, &["image", "rm", &name], SHORT_DEADLINE).await {
            Err(error) if self.inspect(client, &name).await.is_some() => {
                let message = format!("the container engine could not remove the image {name}: {error}");
                Err(CloudError::new(ErrorKind::Unavailable, "ENGINE_FAILED", message))
            }
            _ => Ok(()),
        }
    }

    fn name(&self, image: &Image, project: ProjectId) -> String {
        let short = image.id.get(7..19).unwrap_or("latest");
        format!("{}/{project}:{short}", self.instance)
    }

    /// Makes sure that the engine has the image of an artifact: loads its archive unless it is there.
    pub(crate) async fn provide(&self, client: Client, artifact: &Path, project: ProjectId) -> Result<Image, CloudError> {
        let image = Image::read(artifact).await?;
        let _turn = self.turn().await;
        if let Some(found) = self.inspect(client, &image.id).await {
            self.tag(client, &found, project).await?;
            return Ok(found);
        }
        let archive = artifact.join(ARCHIVE);
        let arguments = ["load", "--input", &archive.to_string_lossy()];
        let said = self.require(client, &arguments, LOAD_DEADLINE, "load the image").await?;
        // Engines with another store give another id to the same image, and say which.
        let id = if self.inspect(client, &image.id).await.is_some() { Some(image.id.clone()) } else { loaded_id(&said) };
        let loaded = match id {
            Some(id) => self.inspect(client, &id).await,
            None => None,
        };
        let loaded = loaded.ok_or_else(|| {
            let message = "the container engine loaded the image's archive but does not have the image: deploy the source again";
            CloudError::new(ErrorKind::Invalid, "IMAGE_LOST", message)
        })?;
        self.tag(client, &loaded, project).await?;
        Ok(loaded)
    }
}

/// An id in full: Podman leaves the algorithm out.
pub(super) fn with_algorithm(id: &str) -> String {
    if id.contains(':') { id.to_owned() } else { format!("sha256:{id}") }
}

/// Reads the answer to `image inspect`, a list of one.
fn describe(text: &str) -> Option<Image> {
    let answer: Value = serde_json::from_str(text).ok()?;
    let image = answer.get(0)?;
    let id = with_algorithm(image["Id"].as_str()?);
    let exposed = image["Config"]["ExposedPorts"].as_object();
    let exposed = exposed.into_iter().flat_map(|ports| ports.keys());
    let mut ports: Vec<u16> = exposed.filter_map(|port| port.strip_suffix("/tcp")?.parse().ok()).collect();
    ports.sort_unstable();
    is_id(&id).then_some(Image { id, ports })
}

/// The id that `load` says, such as in `Loaded image ID: sha256:...`.
fn loaded_id(said: &str) -> Option<String> {
    said.split_whitespace().rev().find(|word| is_id(word)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_both_engines_are_understood() {
        let digits = "3d064c9a4e681b4573e5d712fce23816e344a7b788a1d667a2bbd0c2568e7778";
        let id = format!("sha256:{digits}");
        let docker =
            format!(r#"[{{"Id": "{id}", "Config": {{"ExposedPorts": {{"8080/tcp": {{}}, "80/tcp": {{}}, "53/udp": {{}}}}}}}}]"#);
        assert_eq!(describe(&docker), Some(Image { id: id.clone(), ports: vec![80, 8080] }));
        let podman = format!(r#"[{{"Id": "{digits}", "Config": {{"Env": []}}}}]"#);
        assert_eq!(describe(&podman), Some(Image { id: id.clone(), ports: vec![] }));
        for text in ["", "[]", "[{}]", r#"[{"Id": "--privileged"}]"#] {
            assert_eq!(describe(text), None, "{text}");
        }
        assert_eq!(loaded_id(&format!("Loaded image ID: {id}\n")), Some(id));
        assert_eq!(loaded_id("Loaded image: shop:latest"), None);
    }

    #[test]
    fn the_port_is_the_configured_one_else_the_exposed_one_else_the_usual() {
        let image = |ports: &[u16]| Image { id: String::new(), ports: ports.to_vec() };
        assert_eq!(image(&[3000]).port(Some(80)).0, 80);
        assert_eq!(image(&[3000]).port(None).0, 3000);
        assert_eq!(image(&[]).port(None).0, 8080);
        assert_eq!(image(&[80, 3000]).port(None).0, 8080);
    }
}
