//! Static sites: objects in a bucket, shown by CloudFront.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use clouds_contract::{
    CloudError, Desired, Entry, ErrorKind, FoundState, Managed as _, Observation, Owner, Progress, Provider, Scope, Started,
    ready,
};
use clouds_site::plan::SitePlan;
use domain::event::NewLine;
use domain::id::DeploymentId;
use domain::time::now;
use domain::workload::{StaticSite, WorkloadKind};

use crate::base::{ACCESS_CONTROL, BUCKET, FUNCTION, STORE, of_base};
use crate::client::Client;
use crate::managed::files::ensure_files;
use crate::managed::{Distribution, Files, Origin, SiteOrigin, Source, Wanted, distribution, ensure_at, files};
use crate::release::{check_kind, delete, distribution_entry, place};

/// Static sites of an account.
pub(crate) struct StaticSites {
    client: Arc<Client>,
}

impl StaticSites {
    pub fn new(client: Arc<Client>) -> Self {
        Self { client }
    }

    fn distribution<'a>(&'a self, scope: &'a Scope<'_>, wanted: Option<Wanted>) -> Result<Distribution<'a>, CloudError> {
        Ok(Distribution { client: &self.client, placement: place(scope)?.placement, region: scope.region, wanted })
    }

    fn files<'a>(&'a self, scope: &'a Scope<'_>, deployment: DeploymentId, source: Option<Source>) -> Files<'a> {
        Files { client: &self.client, owner: Owner::Deployment(deployment), deployment, region: scope.region, source }
    }

    async fn files_entry(scope: &Scope<'_>, deployment: DeploymentId) -> Result<Option<Entry>, CloudError> {
        let entries = scope.journal.entries(Owner::Deployment(deployment)).await?;
        Ok(entries.into_iter().find(|entry| entry.kind == files::KIND))
    }

    /// Returns true if everything of a deployment was sent.
    async fn is_sent(&self, scope: &Scope<'_>, deployment: DeploymentId) -> Result<bool, CloudError> {
        let Some(entry) = Self::files_entry(scope, deployment).await? else { return Ok(false) };
        self.files(scope, deployment, None).is_sent(&entry).await
    }

    /// Sends the files of a deployment.
    async fn send(&self, scope: &Scope<'_>, desired: &Desired<StaticSite>) -> Result<Progress, CloudError> {
        let bucket = of_base(scope, BUCKET)?;
        let plan = plan(scope.inputs.artifact(&desired.artifact).await?.join(&desired.spec.root)).await?;
        let mut lines = vec![format!("Files: {} in the bucket {bucket}", plan.objects.len())];
        if !plan.rules.is_empty() {
            lines.push(format!("Note: rules in {} are not followed by sites on AWS", plan.rules.join(" and ")));
        }
        let files = self.files(scope, desired.deployment_id, Some(Source::new(plan)));
        ready!(ensure_files(&files, scope, &bucket).await?);
        scope.log.write(lines.into_iter().map(NewLine::system).collect()).await?;
        Ok(Progress::Ready(()))
    }
}

/// The objects of a site.
async fn plan(root: PathBuf) -> Result<SitePlan, CloudError> {
    let empty = || {
        let message = "the site has no files: check [build] output in mikrocloud.toml";
        CloudError::new(ErrorKind::Invalid, "SITE_EMPTY", message)
    };
    if !tokio::fs::try_exists(&root).await.unwrap_or(false) {
        return Err(empty());
    }
    let plan = tokio::task::spawn_blocking(move || SitePlan::read(&root)).await;
    let plan = plan.map_err(|error| CloudError::internal("the site could not be read", error))?;
    let plan = plan.map_err(|error| CloudError::internal("the site could not be read", error))?;
    if plan.objects.is_empty() { Err(empty()) } else { Ok(plan) }
}

#[async_trait]
impl Provider<StaticSite> for StaticSites {
    async fn apply(&self, scope: &Scope<'_>, desired: &Desired<StaticSite>) -> Result<Progress<Started>, CloudError> {
        check_kind(scope, WorkloadKind::Static).await?;
        let (bucket, store) = (of_base(scope, BUCKET)?, of_base(scope, STORE)?);
        let known = [(distribution::BUCKET, bucket.as_str()), (distribution::STORE, store.as_str())];
        let site = SiteOrigin {
            bucket: bucket.clone(),
            store: store.clone(),
            function: of_base(scope, FUNCTION)?,
            access_control: of_base(scope, ACCESS_CONTROL)?,
        };
        let tags = scope.whose.tags(Owner::Placement(place(scope)?.placement));
        let wanted = Wanted { origin: Origin::Site(site), tags };
        // A distribution takes minutes: the files are sent meanwhile.
        let distribution = ensure_at(&self.distribution(scope, Some(wanted))?, scope, &known).await?;
        if !self.is_sent(scope, desired.deployment_id).await? {
            ready!(self.send(scope, desired).await?);
        }
        ready!(distribution);
        Ok(Progress::Ready(Started { address: None }))
    }

    async fn observe(&self, scope: &Scope<'_>, deployment: DeploymentId) -> Result<Observation, CloudError> {
        let Some(entry) = distribution_entry(scope).await? else { return Ok(Observation::Absent) };
        if !self.is_sent(scope, deployment).await? {
            return Ok(Observation::Absent);
        }
        let Some(found) = self.distribution(scope, None)?.find(&entry).await? else { return Ok(Observation::Absent) };
        Ok(match found.state {
            FoundState::Ready => Observation::Ready { since: now() },
            FoundState::Making(wait) | FoundState::Going(wait) => Observation::Pending { detail: wait.detail },
            FoundState::Failed { code, message } => Observation::Failed { code: code.to_owned(), message },
        })
    }

    /// Files that nobody asks for cost their storage alone: there is nothing to stop.
    async fn rest(&self, _scope: &Scope<'_>, _deployment: DeploymentId) -> Result<Progress, CloudError> {
        Ok(Progress::Ready(()))
    }

    async fn delete(&self, scope: &Scope<'_>, deployment: DeploymentId) -> Result<Progress, CloudError> {
        delete(&self.client, scope, deployment).await
    }
}
