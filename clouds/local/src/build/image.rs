//! A build by the container engine: the image, and its archive as the result.

use std::path::{Path, PathBuf};

use clouds_contract::{CloudError, ErrorKind};
use domain::build::ImageBuild;
use domain::secret::Secret;
use tokio::time::Duration;

use super::log::Log;
use super::step::{self, Step};
use super::{Build, failure};
use crate::engine::{ARCHIVE, Client, Image, client_environment, is_read_by_clients};

/// Time within which a client has to cancel its build.
const GRACE: Duration = Duration::from_secs(5);

/// An engine that fails in the middle of a build: its reason is told, rather than the build tried again.
fn told(error: CloudError) -> CloudError {
    failure(ErrorKind::Invalid, error.code, error.message)
}

impl Build<'_> {
    /// Builds the image and returns the directory of its archive, beside the source's: a project's files cannot be in its way.
    pub(super) async fn image(&self, plan: &ImageBuild, log: &mut Log<'_>) -> Result<PathBuf, CloudError> {
        let failed = |error: std::io::Error| CloudError::internal("the image's directory could not be made", error);
        let client = self.config.engine.client().await.map_err(told)?;
        self.config.engine.mark_used().await?;
        let directory = self.aside.path().join("image");
        tokio::fs::create_dir(&directory).await.map_err(failed)?;
        let image = self.build_image(client, plan, log).await?;
        let saved = self.save(client, &image, &directory, log).await;
        // Of a failed build nobody asks for it again.
        if (saved.is_err() || !self.config.keeps_images)
            && let Err(error) = self.config.engine.remove_image(client, &image, self.request.project_id).await
        {
            tracing::warn!(%error, "an image that is not needed stays in the container engine until the next start");
        }
        saved?;
        let output = self.request.directory.with_file_name("image");
        tokio::fs::rename(&directory, &output).await.map_err(failed)?;
        Ok(output)
    }

    /// Names the image and writes its archive and description into this directory.
    async fn save(&self, client: Client, image: &Image, directory: &Path, log: &mut Log<'_>) -> Result<(), CloudError> {
        self.config.engine.tag(client, image, self.request.project_id).await.map_err(told)?;
        let archive = directory.join(ARCHIVE).to_string_lossy().into_owned();
        let mut save = vec!["save".to_owned(), "--output".to_owned(), archive];
        if client == Client::Podman {
            save.extend(["--format".to_owned(), "docker-archive".to_owned()]);
        }
        save.push(image.id.clone());
        self.call(client, save, Vec::new(), format!("{} save", client.program()), "", log).await?;
        image.write(directory).await
    }

    async fn build_image(&self, client: Client, plan: &ImageBuild, log: &mut Log<'_>) -> Result<Image, CloudError> {
        let id_file = self.aside.path().join("image-id");
        let mut arguments = vec!["build".to_owned(), "--file".to_owned(), plan.file.clone(), "--force-rm".to_owned()];
        arguments.extend(["--iidfile".to_owned(), id_file.to_string_lossy().into_owned()]);
        arguments.extend(self.config.engine.image_labels(self.request.project_id));
        let mut title = format!("{} build --file {}", client.program(), plan.file);
        let variables = self.arguments(plan, log).await?;
        for (name, _) in &variables {
            arguments.extend(["--build-arg".to_owned(), name.clone()]);
            title = title + " --build-arg " + name;
        }
        arguments.push(".".to_owned());
        self.call(client, arguments, variables, title + " .", &plan.directory, log).await?;
        let id = tokio::fs::read_to_string(&id_file).await.unwrap_or_default();
        let built = self.config.engine.inspect(client, id.trim()).await;
        built.ok_or_else(|| {
            let message = "the container engine ended its build without an image: see what it printed";
            failure(ErrorKind::Invalid, "IMAGE_MISSING", message)
        })
    }

    /// The variables that the build gets: those that the file declares and that are set.
    async fn arguments(&self, plan: &ImageBuild, log: &mut Log<'_>) -> Result<Vec<(String, Secret)>, CloudError> {
        let mut handed = Vec::new();
        for name in &plan.arguments {
            let own = self.request.variables.iter().find(|(set, _)| set == name).map(|(_, value)| value.clone());
            let value =
                own.or_else(|| plan.env.iter().rfind(|(set, _)| set == name).map(|(_, value)| Secret::new(value.as_str())));
            let Some(value) = value else { continue };
            if is_read_by_clients(name) {
                let text =
                    format!("the variable {name} is not handed to the build: the engine's client would take it for its own");
                log.system(text).await?;
            } else {
                handed.push((name.clone(), value));
            }
        }
        Ok(handed)
    }

    async fn call(
        &self,
        client: Client,
        arguments: Vec<String>,
        variables: Vec<(String, Secret)>,
        title: String,
        directory: &str,
        log: &mut Log<'_>,
    ) -> Result<(), CloudError> {
        if self.stop.is_cancelled() {
            return Err(step::cancelled());
        }
        log.system(format!("$ {title}")).await?;
        let command = std::iter::once(client.program().to_owned()).chain(arguments).collect();
        let mut env = client_environment();
        env.extend(variables);
        let directory = self.request.directory.join(directory);
        Step { build: self, title, command, directory, env, grace: GRACE }.run(log).await
    }
}
