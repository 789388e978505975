use async_trait::async_trait;
use clouds_contract::{
    Asked, CloudError, Desired, Entry, ErrorKind, Followed, Found, Key, Managed, Naming, Operation, Outputs, Owner, Ownership,
    Progress, Scope, ensure,
};
use domain::event::NewLine;
use domain::workload::Server;
use http::Method;
use images::{Architecture, BaseName, Image, assemble, push};

use super::{begun, done, unchanging};
use crate::client::{Body, Client, address};
use crate::operations::{IMAGE_DELETE, REPOSITORY_GET};

/// Kind of an image.
pub(crate) const KIND: &str = "gcp.artifactregistry.image";

/// Name of all images in a repository: layers are kept, and looked for, by image name.
const NAME: &str = "app";

/// Output of an entry: the repository that the image goes to, known before it is there.
const REPOSITORY: &str = "repository";

/// An image: of one deployment, or one that several share.
pub(crate) struct ImageThing<'a> {
    pub client: &'a Client,
    pub owner: Owner,
    /// Part that it plays, such as `app`.
    pub purpose: String,
    pub region: String,
    pub tag: String,
    /// Material that it is made from; nothing to remove it.
    pub make: Option<Make<'a>>,
}

/// Material of an image.
pub(crate) struct Make<'a> {
    pub scope: &'a Scope<'a>,
    pub from: From<'a>,
}

/// Origin of an image.
pub(crate) enum From<'a> {
    /// The artifact of a server.
    Server(&'a Desired<Server>),
    /// An image of the collection of base images, as it is: repository and tag.
    Collection(&'static str, &'static str),
}

/// Makes an image exist. Its repository is written down before the push, so that what an interrupted one left is found.
pub(crate) async fn ensure_image(
    thing: &ImageThing<'_>,
    scope: &Scope<'_>,
    repository: &str,
) -> Result<Progress<String>, CloudError> {
    let entry = scope.journal.open(&thing.key(), thing.naming()).await?;
    if !entry.outputs.contains_key(REPOSITORY) {
        let outputs = [(REPOSITORY.to_owned(), repository.to_owned())].into();
        scope.journal.save(&Entry { outputs, ..entry }).await?;
    }
    Ok(ensure(thing, scope).await?.map(|image| image.id))
}

/// Project and repository of images such as `europe-west1-docker.pkg.dev/project/repository`.
fn parts(images: &str) -> Option<(&str, &str, &str)> {
    let mut parts = images.split('/');
    Some((parts.next()?, parts.next()?, parts.next()?))
}

/// Path of an image's repository within its registry.
fn path(entry: &Entry) -> Option<String> {
    let (_, project, repository) = parts(entry.outputs.get(REPOSITORY)?)?;
    Some(format!("{project}/{repository}/{NAME}"))
}

impl ImageThing<'_> {
    async fn build(&self, make: &Make<'_>) -> Result<Image, CloudError> {
        let (bases, wire, guards) = (&self.client.base_images, &self.client.wire, &self.client.guards);
        match make.from {
            From::Server(desired) => {
                let directory = make.scope.inputs.artifact(&desired.artifact).await?;
                bases.image(&directory, desired, "Cloud Run", (wire, guards)).await
            }
            From::Collection(repository, tag) => {
                let name = BaseName { repository: repository.to_owned(), tag: tag.to_owned() };
                assemble::alone(bases.base(&name, Architecture::Amd64, wire, guards).await?)
            }
        }
    }

    /// A registry that does not have the repository: it was just made, or somebody else removed it.
    async fn without_repository(&self, path: &str, error: CloudError) -> CloudError {
        let name = path.split('/').nth(1).unwrap_or_default();
        let found = address("artifactregistry", &format!("v1/{}/repositories/{name}", self.client.location(&self.region)), &[]);
        let found = match found {
            Ok(url) => self.client.find(REPOSITORY_GET, url).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(Some(_)) => {
                CloudError::new(ErrorKind::Busy, "BUSY", "the registry does not yet know the new repository").caused_by(error)
            }
            Ok(None) => {
                let message =
                    format!("the repository {name} was removed from Artifact Registry: disconnect and connect the account again");
                CloudError::new(ErrorKind::NotFound, "REPOSITORY_GONE", message).caused_by(error)
            }
            Err(error) => error,
        }
    }
}

#[async_trait]
impl Managed for ImageThing<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: self.purpose.clone(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(63)
    }

    fn title(&self) -> String {
        "the image".to_owned()
    }

    /// By its tag, which names the deployment in a repository of ours.
    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let (Some(path), Some(repository)) = (path(entry), entry.outputs.get(REPOSITORY)) else { return Ok(None) };
        let registry = self.client.registry(&self.region).await?;
        let Some(digest) = registry.digest(&path, &self.tag).await? else { return Ok(None) };
        let outputs = Outputs::from([(REPOSITORY.to_owned(), repository.clone()), ("digest".to_owned(), digest.to_string())]);
        let id = format!("{repository}/{NAME}@{digest}");
        Ok(Some(crate::client::there(id, Ownership::Ours, true, outputs)))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let (Some(make), Some(path)) = (&self.make, path(entry)) else { return Err(unchanging("an image without files")) };
        let image = self.build(make).await?;
        let registry = self.client.registry(&self.region).await?;
        let sent = match push::push(&registry, &path, &self.tag, &image, make.scope.stop).await {
            Err(error) if error.kind == ErrorKind::NotFound => return Err(self.without_repository(&path, error).await),
            sent => sent?,
        };
        let notes = image.notes.iter().map(|note| format!("Image: {note}"));
        let pushed = format!("Image: {} pushed to Artifact Registry, {} KiB new", image.digest, sent.div_ceil(1024));
        make.scope.log.write(notes.chain([pushed]).map(NewLine::system).collect()).await?;
        Ok(done(format!("{}/{NAME}@{}", entry.outputs[REPOSITORY], image.digest)))
    }

    async fn update(&self, _entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        Err(unchanging("an image"))
    }

    async fn delete(&self, _entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        let (Some((_, project, repository)), Some(digest)) = (parts(&found.outputs[REPOSITORY]), found.outputs.get("digest"))
        else {
            return Err(unchanging("an image without a repository"));
        };
        let path = format!(
            "v1/projects/{project}/locations/{}/repositories/{repository}/packages/{NAME}/versions/{digest}",
            self.region
        );
        let url = address("artifactregistry", &path, &[("force", "true")])?;
        let answer = self.client.ask(IMAGE_DELETE, Method::DELETE, url, Body::None).await?;
        Ok(begun(None, self.client.operation("artifactregistry", "v1", &answer)?, self.client.poll()))
    }

    async fn follow(&self, operation: &Operation) -> Result<Followed, CloudError> {
        self.client.follow(operation, "Artifact Registry to remove the image").await
    }
}
