//! Static sites: files in a bucket, shown by Caddy on Cloud Run.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use clouds_contract::{CloudError, Desired, ErrorKind, Observation, Progress, Provider, Scope, Started, ready};
use clouds_site::caddy::{self, Place, caddyfile};
use clouds_site::listing::Listing;
use clouds_site::rules::Rules;
use domain::event::NewLine;
use domain::id::DeploymentId;
use domain::workload::StaticSite;

use crate::client::Client;
use crate::managed::Files;
use crate::managed::files::{Source, directory, ensure_files};
use crate::release::Release;
use crate::servers::of_base;
use crate::service::tag;
use crate::sizes::Size;
use crate::template::{Mount, Template, Variable};

/// Output of the base `files`: the bucket.
pub(crate) const BUCKET: &str = "gcp_bucket";

/// Output of the base `files`: the service account that sites are shown by.
pub(crate) const SERVE_ACCOUNT: &str = "gcp_serve_account";

/// Output of the base `containers`: the image of Caddy.
pub(crate) const SITE_IMAGE: &str = "gcp_site_image";

/// Caddy among the official images.
pub(crate) const CADDY: (&str, &str) = ("caddy", "2-alpine");

/// Directory of a site's files in the container.
const ROOT: &str = "/srv/site";

/// Port that Caddy listens on.
const PORT: u16 = 8080;

/// Size of an instance: reading files takes little.
const SIZE: Size = Size { cpu: 1, memory_mib: 512 };

/// Static sites of an account.
pub(crate) struct StaticSites {
    client: Arc<Client>,
}

impl StaticSites {
    pub fn new(client: Arc<Client>) -> Self {
        Self { client }
    }

    fn release<'a>(&'a self, scope: &'a Scope<'_>, deployment: DeploymentId) -> Release<'a> {
        Release { client: &self.client, scope, deployment }
    }

    async fn template(&self, scope: &Scope<'_>, desired: &Desired<StaticSite>) -> Result<Progress<Template>, CloudError> {
        let release = self.release(scope, desired.deployment_id);
        let (bucket, tag) = (of_base(scope, BUCKET)?, tag(desired.deployment_id));
        let root = scope.inputs.artifact(&desired.artifact).await?.join(&desired.spec.root);
        let (source, complaints) = source(&root).await?;
        let count = source.files.len();
        let files = Files { client: &self.client, owner: release.owner(), tag: tag.clone(), source: Some(source) };
        ready!(ensure_files(&files, scope, bucket).await?);
        let lines = complaints.into_iter().chain([format!("Files: {count} in the bucket {bucket}")]);
        scope.log.write(lines.map(NewLine::system).collect()).await?;
        let directory = directory(&tag);
        Ok(Progress::Ready(Template {
            image: of_base(scope, SITE_IMAGE)?.to_owned(),
            arguments: ["caddy", "run", "--config", &format!("{ROOT}/{}", caddy::FILE), "--adapter", "caddyfile"]
                .map(str::to_owned)
                .to_vec(),
            port: PORT,
            mount: Some(Mount { bucket: bucket.to_owned(), directory, path: ROOT }),
            variables: [("SITE", tag.as_str()), ("XDG_CONFIG_HOME", "/tmp"), ("XDG_DATA_HOME", "/tmp")]
                .map(|(name, value)| (name.to_owned(), Variable::Plain(value.to_owned())))
                .to_vec(),
            size: SIZE,
            replicas: 1,
            account: of_base(scope, SERVE_ACCOUNT)?.to_owned(),
            health_path: None,
            labels: release.labels(),
        }))
    }
}

/// The files of a site with the configuration that shows them, and what of its rules is not followed.
async fn source(root: &Path) -> Result<(Source, Vec<String>), CloudError> {
    let empty = || {
        let message = "the site has no files: check [build] output in mikrocloud.toml";
        CloudError::new(ErrorKind::Invalid, "SITE_EMPTY", message)
    };
    if !tokio::fs::try_exists(root).await.unwrap_or(false) {
        return Err(empty());
    }
    let root = root.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let listing = Listing::of(&root)?;
        let rules = Rules::read(&root);
        let files: Vec<_> =
            listing.files.into_iter().map(|file| file.path).filter(|path| !Rules::is_control_file(path)).collect();
        let configuration = caddyfile(&rules, &files, Place { root: ROOT, port: PORT });
        let files: Vec<_> = files.into_iter().filter(|path| path != caddy::FILE).collect();
        let complaints = [listing.omitted, rules.complaints, configuration.complaints].concat();
        Ok::<_, std::io::Error>((Source { root, files, configuration: (caddy::FILE, configuration.text) }, complaints))
    });
    let read = read.await.map_err(|error| CloudError::internal("the files of the site", error))?;
    let (source, complaints) = read.map_err(|error| CloudError::internal("the files of the site could not be read", error))?;
    if source.files.is_empty() { Err(empty()) } else { Ok((source, complaints)) }
}

#[async_trait]
impl Provider<StaticSite> for StaticSites {
    async fn apply(&self, scope: &Scope<'_>, desired: &Desired<StaticSite>) -> Result<Progress<Started>, CloudError> {
        let release = self.release(scope, desired.deployment_id);
        if release.is_made().await? {
            return release.make(None).await;
        }
        let template = ready!(self.template(scope, desired).await?);
        self.release(scope, desired.deployment_id).make(Some(&template)).await
    }

    async fn observe(&self, scope: &Scope<'_>, deployment: DeploymentId) -> Result<Observation, CloudError> {
        self.release(scope, deployment).observe().await
    }

    /// A revision without traffic has no instances: there is nothing to stop.
    async fn rest(&self, _scope: &Scope<'_>, _deployment: DeploymentId) -> Result<Progress, CloudError> {
        Ok(Progress::Ready(()))
    }

    async fn delete(&self, scope: &Scope<'_>, deployment: DeploymentId) -> Result<Progress, CloudError> {
        self.release(scope, deployment).delete().await
    }
}
