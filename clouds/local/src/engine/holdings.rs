//! Objects that this MikroCloud has in engines, and their removal.

use std::collections::HashSet;
use std::time::Duration;

use clouds_contract::{CloudError, ErrorKind};
use domain::id::{DeploymentId, ProjectId};
use tokio::time::{Instant, sleep};

use super::image::with_algorithm;
use super::own::ANSWER_DEADLINE;
use super::{Client, Engine};
use crate::process::has_program;

/// Labels of containers and images.
pub(super) const INSTANCE: &str = "mikrocloud.instance";
pub(super) const PROJECT: &str = "mikrocloud.project";
pub(super) const DEPLOYMENT: &str = "mikrocloud.deployment";

const DEADLINE: Duration = Duration::from_secs(30);

/// Time within which removed containers have to be gone.
const GONE_DEADLINE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(100);

/// An image with a name of this MikroCloud's.
struct NamedImage {
    id: String,
    name: String,
}

impl Engine {
    /// The labels of an image of this project, as arguments.
    pub(crate) fn image_labels(&self, project: ProjectId) -> [String; 4] {
        let label = "--label".to_owned();
        [label.clone(), format!("{INSTANCE}={}", self.instance), label, format!("{PROJECT}={project}")]
    }

    /// Removes, at the start, the containers that an earlier process left, and the images that no workload runs. An engine that does
    /// not answer is left alone: a container that is in the way later is removed then.
    pub(crate) async fn clean(&self, wanted_images: &HashSet<String>) {
        if !self.used.exists() {
            return;
        }
        for client in Client::ALL {
            if !has_program(client.program()) {
                continue;
            }
            if let Err(error) = self.clean_engine(client, wanted_images).await {
                tracing::warn!(client = client.program(), %error, "what is left in the container engine could not be removed");
            }
        }
    }

    async fn clean_engine(&self, client: Client, wanted_images: &HashSet<String>) -> Result<(), CloudError> {
        // Asked first: whoever starts waits for this.
        self.require(client, &client.question(), ANSWER_DEADLINE, "answer").await?;
        self.remove_containers(client, &[self.own()]).await?;
        let named = self.named_images(client).await?;
        let unwanted = named.into_iter().filter(|image| !wanted_images.contains(&image.id)).map(|image| image.name);
        self.remove_images(client, unwanted.chain(self.unnamed_images(client, self.own()).await?)).await
    }

    /// Removes the containers of a deployment.
    pub(crate) async fn remove_deployment(&self, client: Client, id: DeploymentId) -> Result<(), CloudError> {
        self.remove_containers(client, &[self.own(), format!("label={DEPLOYMENT}={id}")]).await
    }

    /// Removes a container by its name.
    pub(crate) async fn remove_container(&self, client: Client, name: &str) -> Result<(), CloudError> {
        self.remove_containers(client, &[self.own(), format!("name=^{name}$")]).await
    }

    /// Removes all images of a project, those of builds that never became live too. An engine that does not answer is left alone:
    /// the next start removes what is left.
    pub(crate) async fn forget(&self, project: ProjectId) -> Result<(), CloudError> {
        if !self.used.exists() {
            return Ok(());
        }
        let client = match self.client().await {
            Ok(client) => client,
            Err(error) => {
                tracing::warn!(%project, %error, "images of a deleted project stay in the container engine until the next start");
                return Ok(());
            }
        };
        let repository = format!("{}/{project}:", self.instance);
        let named = self.named_images(client).await?.into_iter().filter(|image| image.name.starts_with(&repository));
        let unnamed = self.unnamed_images(client, format!("label={PROJECT}={project}")).await?;
        self.remove_images(client, named.map(|image| image.name).chain(unnamed)).await
    }

    fn own(&self) -> String {
        format!("label={INSTANCE}={}", self.instance)
    }

    /// Removes the containers that all these filters choose, until there are none.
    async fn remove_containers(&self, client: Client, filters: &[String]) -> Result<(), CloudError> {
        let deadline = Instant::now() + GONE_DEADLINE;
        loop {
            let listed = self.list(client, &["ps", "--all", "--quiet", "--no-trunc"], filters, "list its containers").await?;
            if listed.is_empty() {
                return Ok(());
            }
            let ids = listed.iter().map(String::as_str);
            let arguments: Vec<&str> = ["rm", "--force", "--volumes"].into_iter().chain(ids).collect();
            let removed = self.call(client, &arguments, DEADLINE).await;
            if Instant::now() >= deadline {
                let reason = removed.err().map(|error| format!(": {error}")).unwrap_or_default();
                let message = format!("containers could not be removed{reason}");
                return Err(CloudError::new(ErrorKind::Unavailable, "ENGINE_FAILED", message));
            }
            // The engine may be removing one of them by itself, as it ended: look again.
            sleep(POLL).await;
        }
    }

    /// The images that have a name of this MikroCloud's. An image may have been built by another, and carry that one's label.
    async fn named_images(&self, client: Client) -> Result<Vec<NamedImage>, CloudError> {
        let format = ["image", "ls", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}"];
        let listed = self.list(client, &format, &[], "list its images").await?;
        let images = listed.iter().filter_map(|line| line.split_once(' ')).map(|(id, name)| NamedImage {
            id: with_algorithm(id),
            // Podman names images that come from no registry like this.
            name: name.strip_prefix("localhost/").unwrap_or(name).to_owned(),
        });
        let own = format!("{}/", self.instance);
        Ok(images.filter(|image| image.name.starts_with(&own)).collect())
    }

    /// The ids of the images that were built for this filter and never got a name, because something ended between.
    async fn unnamed_images(&self, client: Client, filter: String) -> Result<Vec<String>, CloudError> {
        let filters = [filter, self.own(), "dangling=true".to_owned()];
        self.list(client, &["image", "ls", "--quiet", "--no-trunc"], &filters, "list its images").await
    }

    async fn remove_images(&self, client: Client, images: impl Iterator<Item = String>) -> Result<(), CloudError> {
        for image in images {
            match self.call(client, &["image", "rm", "--force", &image], DEADLINE).await {
                Err(error) if self.inspect(client, &image).await.is_some() => {
                    let message = format!("the container engine could not remove the image {image}: {error}");
                    return Err(CloudError::new(ErrorKind::Unavailable, "ENGINE_FAILED", message));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The lines of a list that all these filters choose.
    async fn list(&self, client: Client, command: &[&str], filters: &[String], doing: &str) -> Result<Vec<String>, CloudError> {
        let filters = filters.iter().flat_map(|filter| ["--filter", filter]);
        let arguments: Vec<&str> = command.iter().copied().chain(filters).collect();
        let listed = self.require(client, &arguments, DEADLINE, doing).await?;
        Ok(listed.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect())
    }
}
