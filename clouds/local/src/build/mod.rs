//! Builds on this machine: processes under limits, without our environment.

mod added;
mod cache;
mod environment;
mod image;
mod log;
mod output;
mod site;
mod step;
#[cfg(test)]
mod tests;
mod watch;

use std::collections::HashSet;
use std::path::PathBuf;

use async_trait::async_trait;
use clouds_contract::{BuildOutcome, BuildRequest, Builds, CloudError, ErrorKind, LogSink};
use domain::engine::ContainerEngine;
use domain::id::ProjectId;
use tempfile::TempDir;
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use log::Log;
use output::Before;
use step::Step;

/// Configuration of this machine's builder.
#[derive(Debug, Clone)]
pub struct BuilderConfig {
    /// Directory of caches, with one directory per project.
    pub cache_directory: PathBuf,
    /// Begins the marker of every process of a build; unique to this MikroCloud.
    pub instance: String,
    /// The machine's container engine, as this MikroCloud uses it.
    pub engine: Engine,
    /// Keeps images in the engine, because the artifacts that are built on this machine run on it, too.
    pub keeps_images: bool,
}

/// Runs builds on this machine.
#[derive(Debug, Clone)]
pub struct LocalBuilder {
    config: BuilderConfig,
}

impl LocalBuilder {
    /// A builder that is set up like this.
    pub fn new(config: BuilderConfig) -> Self {
        Self { config }
    }

    /// Returns the common prefix of all builds' markers, for [`crate::process::kill_marked`] after a restart.
    pub fn marker_prefix(&self) -> String {
        format!("{}:build:", self.config.instance)
    }

    /// Removes what an earlier process left in the container engine: for a machine that keeps no images.
    pub async fn clean_engine(&self) {
        self.config.engine.clean(&HashSet::new()).await;
    }

    fn cache(&self, project_id: ProjectId) -> PathBuf {
        self.config.cache_directory.join(project_id.to_string())
    }
}

/// One build under way.
struct Build<'a> {
    request: &'a BuildRequest,
    config: &'a BuilderConfig,
    /// Its home and temporary files, beside its directory: on the same disk, and not in the artifact.
    aside: TempDir,
    cache: PathBuf,
    marker: String,
    deadline: Instant,
    stop: CancellationToken,
}

#[async_trait]
impl Builds for LocalBuilder {
    async fn build(&self, request: BuildRequest, log: &dyn LogSink, stop: CancellationToken) -> Result<BuildOutcome, CloudError> {
        let failed = |error: std::io::Error| CloudError::internal("the build's directories could not be made", error);
        let parent = request.directory.parent().unwrap_or(&request.directory);
        let build = Build {
            request: &request,
            config: &self.config,
            aside: TempDir::with_prefix_in(".build-", parent).map_err(failed)?,
            cache: self.cache(request.project_id),
            marker: format!("{}{}", self.marker_prefix(), request.deployment_id),
            deadline: Instant::now() + Duration::from_secs(request.limits.wall_seconds),
            stop,
        };
        environment::prepare(&build).await.map_err(failed)?;
        let mut log = Log::new(log, &request);
        let outcome = build.run(&mut log).await;
        let aside = build.aside.keep();
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || environment::remove(&aside)).await {
            tracing::warn!(%error, "the build's temporary files were not removed");
        }
        log.finish().await?;
        outcome
    }

    async fn forget(&self, project_id: ProjectId) -> Result<(), CloudError> {
        let cache = self.cache(project_id);
        let removed = tokio::task::spawn_blocking(move || environment::remove(&cache)).await;
        let removed = removed.map_err(std::io::Error::from).flatten();
        removed.map_err(|error| CloudError::internal("the project's build cache could not be removed", error))?;
        self.config.engine.forget(project_id).await
    }

    async fn container_engine(&self) -> ContainerEngine {
        self.config.engine.find().await
    }
}

impl Build<'_> {
    async fn run(&self, log: &mut Log<'_>) -> Result<BuildOutcome, CloudError> {
        let before = self.prepare_source().await?;
        for step in &self.request.plan.steps {
            if self.stop.is_cancelled() {
                return Err(step::cancelled());
            }
            self.move_caches(cache::restore).await;
            let title = shown(&step.command);
            log.system(format!("$ {title}")).await?;
            let env = environment::variables(self, step);
            Step {
                build: self,
                title,
                command: step.command.clone(),
                directory: self.request.directory.join(&step.directory),
                env,
                grace: Duration::ZERO,
            }
            .run(log)
            .await?;
        }
        if let Some(image) = &self.request.plan.image {
            let workload = self.request.plan.workload.clone();
            return self.image(image, log).await.map(|output| BuildOutcome { output, workload });
        }
        self.move_caches(cache::keep).await;
        let (directory, plan) = (self.request.directory.clone(), self.request.plan.clone());
        let found = tokio::task::spawn_blocking(move || output::find(&directory, &plan, &before)).await;
        let found = found.map_err(|error| CloudError::internal("the output could not be looked for", error))??;
        if let Some(note) = found.note {
            log.system(format!("Note: {note}")).await?;
        }
        site::prepare(&self.request.directory, &found.workload, &found.output, log).await?;
        Ok(BuildOutcome { output: found.output, workload: found.workload })
    }

    /// Adds the plan's files to the source, and looks at what is there before the build.
    async fn prepare_source(&self) -> Result<Before, CloudError> {
        let (directory, plan) = (self.request.directory.clone(), self.request.plan.clone());
        let prepared = tokio::task::spawn_blocking(move || {
            added::write(&directory, &plan.files)?;
            Ok(Before::of(&directory, &plan))
        });
        prepared.await.map_err(|error| CloudError::internal("the source could not be prepared", error))?
    }

    /// A cache that cannot be moved costs time and nothing else.
    async fn move_caches(&self, moving: fn(&std::path::Path, &std::path::Path) -> std::io::Result<()>) {
        let (directory, cache) = (self.request.directory.clone(), self.cache.clone());
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || moving(&directory, &cache)).await {
            tracing::warn!(%error, deployment_id = %self.request.deployment_id, "the framework's cache was not moved");
        }
    }
}

/// A command as it is shown in the log.
fn shown(command: &[String]) -> String {
    let quote = |word: &String| {
        let plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_./:=@,+%$[]~^".contains(c));
        if plain { word.clone() } else { format!("'{word}'") }
    };
    command.iter().map(quote).collect::<Vec<_>>().join(" ")
}

fn failure(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> CloudError {
    CloudError::new(kind, code, message)
}
