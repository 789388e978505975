//! Program that is started for a replica: the project's own, or the client that runs its image.

use std::path::PathBuf;

use domain::secret::Secret;
use domain::workload::Image;

use super::group::ServerGroup;
use crate::edge::instance::StartFailure;
use crate::engine::{Call, Container, Run};
use crate::process::path_before;

/// Program that is started for a replica.
pub(super) struct Program {
    /// The program and its arguments; `$PORT` is replaced later.
    pub command: Vec<String>,
    pub directory: PathBuf,
    pub env: Vec<(String, Secret)>,
    /// Standard input of the program.
    pub input: Option<Secret>,
    /// The container that it runs.
    pub container: Option<Container>,
}

impl Program {
    /// The program of a server whose artifact is in this directory, with these variables.
    pub async fn of(
        group: &ServerGroup,
        artifact: PathBuf,
        env: Vec<(String, Secret)>,
        marker: &str,
    ) -> Result<Self, StartFailure> {
        if let Some(image) = &group.spec.image {
            return Self::contained(group, image, artifact, &env, marker).await;
        }
        let root = group.place.shared.workdirs.prepare(group.place.id(), artifact).await?;
        let mut env = env;
        if !group.spec.path.is_empty() && !env.iter().any(|(name, _)| name == "PATH") {
            env.push(("PATH".to_owned(), path_before(&root, &group.spec.path)));
        }
        let directory = root.join(&group.spec.directory);
        Ok(Self { command: group.spec.command.clone(), directory, env, input: None, container: None })
    }

    /// The client that runs the image in a container.
    async fn contained(
        group: &ServerGroup,
        configured: &Image,
        artifact: PathBuf,
        variables: &[(String, Secret)],
        marker: &str,
    ) -> Result<Self, StartFailure> {
        let place = &group.place;
        let (engine, project) = (&place.shared.config.engine, place.desired.project_id);
        let client = engine.client().await?;
        engine.mark_used().await?;
        let image = engine.provide(client, &artifact, project).await?;
        let (port, why) = image.port(configured.port);
        if !group.was_ready() {
            place.logs.system(format!("the container's port ($PORT) is {port}: {why}"));
        }
        let container = Container::new(engine.clone(), client, marker, port, group.spec.memory_mib);
        let run = Run { deployment: place.id(), project, server: &group.spec, image: &image, variables };
        let Call { command, env, input } = container.call(&run)?;
        Ok(Self { command, directory: artifact, env, input: Some(input), container: Some(container) })
    }
}
