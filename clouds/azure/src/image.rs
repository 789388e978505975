//! Images of deployments in the account's registry.

use async_trait::async_trait;
use clouds_contract::guard::Call;
use clouds_contract::{
    Asked, CloudError, Entry, Followed, Found, FoundState, INSTALLATION_TAG, Key, Managed, Naming, Operation, Outputs, Owner,
    Ownership, Scope, Whose,
};
use domain::id::DeploymentId;
use images::{Image, push};
use tokio_util::sync::CancellationToken;

use crate::arm::Arm;
use crate::registry::AzureRegistry;
use crate::types::{GROUP, REGISTRY};

/// Type of registries in the management API.
const REGISTRIES: &str = "Microsoft.ContainerRegistry/registries";

/// A deployment's image: a tag in the repository of its environment.
pub struct Pushed<'a> {
    arm: &'a Arm,
    owner: Owner,
    whose: &'a Whose,
    /// Host of the registry; none at hand when it is removed.
    host: Option<String>,
    image: Option<(&'a Image, &'a CancellationToken)>,
}

impl<'a> Pushed<'a> {
    /// Its kind in the journal.
    pub const KIND: &'static str = "azure.image";

    /// An image that is to be in a registry. Its labels make its digest the deployment's alone.
    pub fn of(arm: &'a Arm, host: String, deployment: DeploymentId, image: &'a Image, scope: &'a Scope<'a>) -> Self {
        let owner = Owner::Deployment(deployment);
        Self { arm, owner, whose: &scope.whose, host: Some(host), image: Some((image, scope.stop)) }
    }

    /// An image that is to go.
    pub fn gone(arm: &'a Arm, whose: &'a Whose, entry: &Entry) -> Self {
        Self { arm, owner: entry.owner, whose, host: None, image: None }
    }

    /// Name and port of an image that is there.
    pub fn made(entry: &Entry) -> Option<(String, u16)> {
        Some((entry.outputs.get("image")?.clone(), entry.outputs.get("port")?.parse().ok()?))
    }

    fn repository(&self) -> String {
        let placement = self.whose.environment.as_ref().map(|place| place.placement.uuid().simple().to_string());
        format!("mikrocloud/{}", placement.unwrap_or_default())
    }

    /// Registries in which it may be.
    async fn hosts(&self, entry: &Entry) -> Result<Vec<String>, CloudError> {
        let known = entry.external_id.as_ref().and_then(|id| id.split_once('/')).map(|(host, _)| host.to_owned());
        if let Some(host) = self.host.clone().or(known) {
            return Ok(vec![host]);
        }
        let list = format!("{}/resources?$filter=resourceType%20eq%20'{REGISTRIES}'", self.arm.subscription());
        let all = self.arm.list(Call::freely("Microsoft.Resources", "resources.list"), &list, GROUP.api_version).await?;
        let own = all.iter().filter(|registry| registry["tags"][INSTALLATION_TAG] == self.whose.installation.as_str());
        let mut hosts = Vec::new();
        for id in own.filter_map(|registry| registry["id"].as_str()) {
            let call = Call::freely(REGISTRY.service(), "get");
            let found = self.arm.get(call, id, REGISTRY.api_version).await?.unwrap_or_default();
            hosts.extend(found["properties"]["loginServer"].as_str().map(str::to_owned));
        }
        Ok(hosts)
    }
}

#[async_trait]
impl Managed for Pushed<'_> {
    fn key(&self) -> Key {
        Key { kind: Self::KIND, purpose: "app".to_owned(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(60)
    }

    fn title(&self) -> String {
        "the image".to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let repository = self.repository();
        for host in self.hosts(entry).await? {
            let Some(digest) = AzureRegistry::new(self.arm, &host).digest(&repository, &entry.name).await? else { continue };
            let id = format!("{host}/{repository}@{digest}");
            let is_current = self.image.is_none_or(|(image, _)| image.digest.to_string() == digest);
            let mut outputs = Outputs::from([("image".to_owned(), id.clone())]);
            if let Some((image, _)) = self.image {
                outputs.insert("port".to_owned(), image.port.to_string());
            }
            return Ok(Some(Found { id, state: FoundState::Ready, is_current, owner: Ownership::Ours, version: None, outputs }));
        }
        Ok(None)
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let (Some((image, stop)), Some(host)) = (self.image, &self.host) else {
            return Err(CloudError::internal("an image without a description", "it was only to be removed"));
        };
        let registry = AzureRegistry::new(self.arm, host).open().await?;
        let repository = self.repository();
        push::push(&registry, &repository, &entry.name, image, stop).await?;
        Ok(Asked { id: Some(format!("{host}/{repository}@{}", image.digest)), ..Asked::default() })
    }

    async fn update(&self, entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        self.create(entry).await
    }

    async fn delete(&self, _entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        if let Some((name, digest)) = found.id.split_once('@')
            && let Some((host, repository)) = name.split_once('/')
        {
            AzureRegistry::new(self.arm, host).remove(repository, digest).await?;
        }
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Done)
    }
}
