//! Static sites as files of a storage account's website.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clouds_contract::{
    Address, CloudError, Desired, ErrorKind, Observation, Owner, Progress, Provider, Scope, Started, ensure, ready, remove_all,
};
use clouds_site::plan::{SiteObject, SitePlan};
use domain::event::NewLine;
use domain::id::DeploymentId;
use domain::time::now;
use domain::workload::StaticSite;
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::json;

use crate::arm::{Arm, Thing};
use crate::blob::{Blob, Blobs};
use crate::catalogue::Kinds;
use crate::revision::suffix;
use crate::traffic::entry;
use crate::types::STORAGE;

/// Container that visitors see.
const WEB: &str = "$web";

/// Container with the files of every deployment, each below a directory of its own.
const KEPT: &str = "deployments";

/// Directory of the empty file that names the deployment which visitors see.
const SHOWN: &str = "shown/";

/// Transfers at once.
const AT_ONCE: usize = 16;

/// Files that one look sends, so that progress is told.
const PER_LOOK: usize = 500;

/// Static sites.
pub struct Sites {
    /// The client.
    pub arm: Arc<Arm>,
}

#[async_trait]
impl Provider<StaticSite> for Sites {
    async fn apply(&self, scope: &Scope<'_>, desired: &Desired<StaticSite>) -> Result<Progress<Started>, CloudError> {
        let account = ready!(self.account(scope).await?);
        let directory = scope.inputs.artifact(&desired.artifact).await?.join(&desired.spec.root);
        let plan = tokio::task::spawn_blocking(move || SitePlan::read(&directory)).await;
        let plan = plan.map_err(|error| CloudError::internal("the site could not be read", error))?;
        let plan = plan.map_err(|error| CloudError::internal("the site could not be read", error))?;
        let blobs = Blobs::new(&self.arm, &account);
        blobs.serve_website(plan.not_found.as_deref()).await?;
        blobs.make_container(KEPT).await?;
        let directory = format!("{}/", suffix(desired.deployment_id));
        let kept = blobs.list(KEPT, &directory).await?;
        let there: BTreeMap<_, _> = kept.iter().map(|blob| (blob.name.as_str(), blob.digest.as_deref())).collect();
        let is_missing = |(path, object): &(&String, &SiteObject)| {
            there.get(format!("{directory}{path}").as_str()) != Some(&Some(object.digest.as_str()))
        };
        let missing: Vec<_> = plan.objects.iter().filter(is_missing).collect();
        if kept.is_empty() {
            self.tell_rules(scope, &plan).await?;
        }
        let sends = missing.iter().take(PER_LOOK).map(|(path, object)| (format!("{directory}{path}"), (*object).clone()));
        each(sends.collect(), |(name, object)| {
            let blobs = &blobs;
            async move { blobs.put(KEPT, &name, &object).await }
        })
        .await?;
        if missing.len() > PER_LOOK {
            let left = missing.len() - PER_LOOK;
            return Ok(Progress::pending(format!("{left} of {} files to be sent", plan.objects.len()), Duration::ZERO));
        }
        Ok(Progress::Ready(Started { address: None }))
    }

    async fn observe(&self, scope: &Scope<'_>, deployment: DeploymentId) -> Result<Observation, CloudError> {
        let Some(blobs) = self.blobs(scope).await? else { return Ok(Observation::Absent) };
        let kept = blobs.list(KEPT, &format!("{}/", suffix(deployment))).await?;
        Ok(if kept.is_empty() { Observation::Absent } else { Observation::Ready { since: now() } })
    }

    async fn rest(&self, _scope: &Scope<'_>, _deployment: DeploymentId) -> Result<Progress, CloudError> {
        Ok(Progress::Ready(()))
    }

    async fn delete(&self, scope: &Scope<'_>, deployment: DeploymentId) -> Result<Progress, CloudError> {
        let Some(blobs) = self.blobs(scope).await? else { return Ok(Progress::Ready(())) };
        let directory = format!("{}/", suffix(deployment));
        let all = blobs.list(KEPT, "").await?;
        let (own, others): (Vec<_>, Vec<_>) = all.iter().partition(|blob| blob.name.starts_with(&directory));
        blobs.delete(KEPT, &format!("{SHOWN}{deployment}")).await?;
        let used: BTreeSet<_> = others.iter().filter_map(|blob| blob.name.split_once('/')).map(|(_, path)| path).collect();
        let unused = own.iter().filter_map(|blob| blob.name.split_once('/')).map(|(_, path)| path);
        // Files that older pages could still ask for, and that no deployment has any more.
        remove(&blobs, WEB, unused.filter(|path| order(path) == 0 && !used.contains(path))).await?;
        remove(&blobs, KEPT, own.iter().map(|blob| blob.name.as_str())).await?;
        remove_all(&Kinds { arm: &self.arm, whose: &scope.whose }, scope, Owner::Deployment(deployment)).await
    }
}

impl Sites {
    /// Puts a deployment's files where visitors see them: what pages need first, then pages, the first page last, and then away with pages
    /// that it has not. Files that older pages may still ask for stay as long as their deployment.
    pub async fn publish(&self, scope: &Scope<'_>, deployment: DeploymentId) -> Result<Progress<Address>, CloudError> {
        let Some(blobs) = self.blobs(scope).await? else {
            return Err(CloudError::new(ErrorKind::NotFound, "NOT_FOUND", "the storage account is gone: deploy again"));
        };
        let directory = format!("{}/", suffix(deployment));
        let (wanted, shown) = (blobs.list(KEPT, &directory).await?, blobs.list(WEB, "").await?);
        let present: BTreeMap<_, _> = shown.iter().map(|blob| (blob.name.as_str(), blob.digest.as_deref())).collect();
        let path = |blob: &Blob| blob.name[directory.len()..].to_owned();
        let changed: Vec<String> = wanted
            .iter()
            .filter(|blob| blob.digest.is_none() || present.get(&blob.name[directory.len()..]) != Some(&blob.digest.as_deref()))
            .map(path)
            .collect();
        for rank in 0..3 {
            let copies =
                changed.iter().filter(|path| order(path) == rank).map(|path| (format!("{directory}{path}"), path.clone()));
            each(copies.collect(), |(from, to)| {
                let blobs = &blobs;
                async move { blobs.copy((KEPT, &from), (WEB, &to)).await }
            })
            .await?;
        }
        let kept: BTreeSet<String> = wanted.iter().map(path).collect();
        let gone = shown.iter().map(|blob| blob.name.as_str()).filter(|name| !kept.contains(*name));
        // What pages used may be asked for by who has one open: it goes with its deployment.
        remove(&blobs, WEB, gone.filter(|name| order(name) > 0)).await?;
        self.hide_others(&blobs, Some(deployment)).await?;
        blobs.mark(KEPT, &format!("{SHOWN}{deployment}")).await?;
        let host = self.host(scope).await?;
        Ok(Progress::Ready(self.arm.wire().public(&host)))
    }

    /// The deployment whose files visitors see.
    pub async fn shown(&self, scope: &Scope<'_>) -> Result<Option<DeploymentId>, CloudError> {
        let Some(blobs) = self.blobs(scope).await? else { return Ok(None) };
        let marks = blobs.list(KEPT, SHOWN).await?;
        Ok(marks.first().and_then(|mark| mark.name.strip_prefix(SHOWN)?.parse().ok()))
    }

    /// Notes that visitors see no site any more.
    pub async fn hide(&self, scope: &Scope<'_>) -> Result<(), CloudError> {
        match self.blobs(scope).await? {
            Some(blobs) => self.hide_others(&blobs, None).await,
            None => Ok(()),
        }
    }

    async fn hide_others(&self, blobs: &Blobs<'_>, shown: Option<DeploymentId>) -> Result<(), CloudError> {
        let own = shown.map(|id| format!("{SHOWN}{id}"));
        let marks = blobs.list(KEPT, SHOWN).await?;
        let others = marks.iter().map(|mark| mark.name.as_str()).filter(|name| Some(*name) != own.as_deref());
        remove(blobs, KEPT, others).await
    }

    /// The environment's storage account: its blob endpoint.
    async fn account(&self, scope: &Scope<'_>) -> Result<Progress<String>, CloudError> {
        let (Some(environment), Some(group)) = (&scope.whose.environment, scope.base.get("group")) else {
            return Err(CloudError::internal("a site without an environment or a base", "the scope has none"));
        };
        let account = Thing {
            arm: &self.arm,
            resource: STORAGE,
            purpose: "site",
            owner: Owner::Placement(environment.placement),
            whose: &scope.whose,
            parent: Some(group.clone()),
            body: json!({
                "location": scope.region,
                "kind": "StorageV2",
                "sku": {"name": "Standard_LRS"},
                "properties": {
                    "allowBlobPublicAccess": false,
                    "minimumTlsVersion": "TLS1_2",
                    "supportsHttpsTrafficOnly": true,
                    "accessTier": "Hot",
                },
            }),
        };
        let found = ready!(ensure(&account, scope).await?);
        let blob = found.outputs.get("blob").cloned();
        Ok(blob.map_or_else(
            || Progress::pending("Azure to name the storage account's endpoints", Duration::from_secs(1)),
            Progress::Ready,
        ))
    }

    async fn blobs(&self, scope: &Scope<'_>) -> Result<Option<Blobs<'_>>, CloudError> {
        let entry = entry(scope, STORAGE.kind).await?;
        Ok(entry.and_then(|entry| entry.outputs.get("blob").cloned()).map(|endpoint| Blobs::new(&self.arm, &endpoint)))
    }

    async fn host(&self, scope: &Scope<'_>) -> Result<String, CloudError> {
        let web = entry(scope, STORAGE.kind).await?.and_then(|entry| entry.outputs.get("web").cloned()).unwrap_or_default();
        let host = web.trim_start_matches("https://").trim_end_matches('/');
        if host.is_empty() {
            return Err(CloudError::new(ErrorKind::Unavailable, "NO_ADDRESS", "Azure does not name the website's address yet"));
        }
        Ok(host.to_owned())
    }

    async fn tell_rules(&self, scope: &Scope<'_>, plan: &SitePlan) -> Result<(), CloudError> {
        let mut lines =
            vec!["Note: Azure shows files one by one: for some seconds visitors may see some of both deployments".to_owned()];
        if !plan.rules.is_empty() {
            lines.push(format!("Note: rules in {} are not followed by websites of Azure storage", plan.rules.join(" and ")));
        }
        scope.log.write(lines.into_iter().map(NewLine::system).collect()).await
    }
}

/// Order in which files are shown: what pages need, pages, the first page.
fn order(path: &str) -> usize {
    match Path::new(path).extension() {
        _ if path == "index.html" => 2,
        // Short names of pages have none.
        None => 1,
        Some(extension) if extension.eq_ignore_ascii_case("html") || extension.eq_ignore_ascii_case("htm") => 1,
        Some(_) => 0,
    }
}

async fn remove(blobs: &Blobs<'_>, container: &str, names: impl Iterator<Item = &str>) -> Result<(), CloudError> {
    let names: Vec<String> = names.map(str::to_owned).collect();
    each(names, |name| async move { blobs.delete(container, &name).await }).await
}

/// Does something with each of many things, some at once.
async fn each<T, F, U>(things: Vec<T>, act: F) -> Result<(), CloudError>
where
    F: Fn(T) -> U,
    U: Future<Output = Result<(), CloudError>>,
{
    futures::stream::iter(things.into_iter().map(act)).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pages_need_is_shown_before_them() {
        let mut paths = ["index.html", "about", "about.html", "assets/a.js", "style.css", "blog/index.html"];
        paths.sort_by_key(|path| order(path));
        assert_eq!(paths[..2], ["assets/a.js", "style.css"]);
        assert_eq!(paths[5], "index.html");
    }
}
