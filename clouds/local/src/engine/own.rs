//! The machine's container engine, as one MikroCloud uses it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clouds_contract::{CloudError, ErrorKind};
use domain::engine::ContainerEngine;
use tokio::sync::{Mutex, MutexGuard};

use super::Client;
use crate::process::has_program;

/// Time within which an engine has to answer. Podman's first answer after a boot takes some seconds.
pub(super) const ANSWER_DEADLINE: Duration = Duration::from_secs(10);

/// The machine's container engine, as one MikroCloud uses it: what it makes there carries its label. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(super) instance: String,
    /// A file that is there once anything was made in an engine: without it, nothing has to be looked for at a start.
    pub(super) used: PathBuf,
    /// Held while an image is loaded or removed.
    images: Arc<Mutex<()>>,
}

impl Engine {
    /// The engine for this instance, whose name is unique on the machine and the same after every restart. `used` names a file of
    /// its own, which remembers that there is something to clean up.
    pub fn new(instance: impl Into<String>, used: PathBuf) -> Self {
        Self { instance: instance.into(), used, images: Arc::default() }
    }

    /// One that is only asked whether it is there, from outside of a MikroCloud.
    pub fn for_questions() -> Self {
        Self::new(format!("mikrocloud-question-{}", std::process::id()), PathBuf::from("/dev/null"))
    }

    /// Returns the engine that answers. Asks each installed client, for ten seconds at most.
    pub async fn find(&self) -> ContainerEngine {
        match self.ask().await {
            Ok((_, name)) => ContainerEngine::Answers { name },
            Err(silent) => silent,
        }
    }

    /// The client whose engine answers; `ENGINE_MISSING` or `ENGINE_SILENT` otherwise.
    pub(crate) async fn client(&self) -> Result<Client, CloudError> {
        match self.ask().await {
            Ok((client, _)) => Ok(client),
            Err(ContainerEngine::Silent { client, reason }) => {
                let message = format!("the container engine of `{client}` does not answer ({reason}): start it");
                Err(CloudError::new(ErrorKind::Unavailable, "ENGINE_SILENT", message))
            }
            Err(_) => {
                let message = "this machine has no container engine any more: install and start Docker or Podman";
                Err(CloudError::new(ErrorKind::Unavailable, "ENGINE_MISSING", message))
            }
        }
    }

    async fn ask(&self) -> Result<(Client, String), ContainerEngine> {
        let mut found = ContainerEngine::Missing;
        for client in Client::ALL {
            if !has_program(client.program()) {
                continue;
            }
            match self.call(client, &client.question(), ANSWER_DEADLINE).await {
                Ok(name) => return Ok((client, name.trim().to_owned())),
                Err(error) if found == ContainerEngine::Missing => {
                    found = ContainerEngine::Silent { client: client.program().to_owned(), reason: error.to_string() };
                }
                Err(_) => {}
            }
        }
        Err(found)
    }

    /// Waits until nobody else loads or removes an image of this MikroCloud.
    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.images.lock().await
    }

    /// Remembers that there is something to clean up, before there is.
    pub(crate) async fn mark_used(&self) -> Result<(), CloudError> {
        let mark = async {
            if let Some(parent) = self.used.parent() {
                tokio::fs::create_dir_all(parent).await?;
            }
            tokio::fs::write(&self.used, "").await
        };
        mark.await.map_err(|error: io::Error| CloudError::internal(format!("{} cannot be written", self.used.display()), error))
    }
}
