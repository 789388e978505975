//! Questions of an operator on the machine itself, without a server.

use std::path::{Path, PathBuf};

use clouds_local::engine::Engine;
use domain::engine::ContainerEngine;
use domain::secret::Secret;
use store::Store;

use crate::data_directory::{DATABASE, default_directory};
use crate::failure::Failure;

/// The container engine of this machine.
pub async fn container_engine() -> ContainerEngine {
    Engine::for_questions().find().await
}

/// Describes the problem of the database in a file, in a sentence.
pub async fn check_database(path: &Path) -> Result<(), String> {
    let unopened = |error| format!("{} cannot be opened: {}", path.display(), jobs::handler::chain(&error));
    let store = Store::sqlite(path).await.map_err(unopened)?;
    store.ping().await.map_err(|error| format!("{}: {error}: restore it from a backup", path.display()))
}

/// A new one-time sign-in token for the owner of an installation: of that behind a database, or of that in a data directory.
pub async fn owner_link(database_url: Option<&Secret>, directory: Option<PathBuf>) -> Result<Secret, Failure> {
    let store = match database_url {
        Some(url) => Store::postgres(url.expose(), 1).await.map_err(anyhow::Error::from)?,
        None => embedded_store(directory).await?,
    };
    let token = services::owner_link(&store).await.map_err(anyhow::Error::from)?;
    store.close().await;
    token.ok_or_else(|| {
        Failure::failed(
            "NOT_SET_UP",
            "this MikroCloud has no owner yet: start it once with `mikrocloud up`, or run `mikrocloud migrate`",
        )
    })
}

/// The database of the embedded form.
async fn embedded_store(directory: Option<PathBuf>) -> Result<Store, Failure> {
    let directory = directory.map_or_else(default_directory, Ok)?;
    let path = directory.join(DATABASE);
    if !path.exists() {
        return Err(Failure::failed(
            "DATABASE",
            format!("there is no MikroCloud in {}: say where its state is with --data DIR", directory.display()),
        ));
    }
    Ok(Store::sqlite(&path).await.map_err(anyhow::Error::from)?)
}
