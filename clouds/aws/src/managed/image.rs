use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clouds_contract::{
    Asked, CloudError, Desired, Entry, ErrorKind, Followed, Found, Key, Managed, Naming, Operation, Owner, Ownership, Scope,
};
use domain::event::NewLine;
use domain::secret::Secret;
use domain::workload::Server;
use images::{Image, Login, Registry, push};
use serde_json::json;

use super::{done, there, unchanging};
use crate::answer::{found, unclear};
use crate::client::Client;
use crate::operations::{IMAGE_DELETE, IMAGE_GET, REGISTRY_TOKEN};
use crate::request::ECR;

/// Kind of an image.
pub(crate) const KIND: &str = "aws.ecr.image";

/// Output of an entry: the repository that the image goes to, known before it is there.
pub(crate) const REPOSITORY: &str = "repository";

/// Output: digest of the manifest.
const DIGEST: &str = "digest";

/// The image of a deployment.
pub(crate) struct ImageThing<'a> {
    pub client: &'a Client,
    pub owner: Owner,
    pub region: &'a str,
    pub tag: String,
    /// Server that it is made from; nothing to remove it.
    pub make: Option<(&'a Scope<'a>, &'a Desired<Server>)>,
}

/// Host of the account's registry in a region.
fn host(client: &Client, region: &str) -> String {
    format!("{}.dkr.ecr.{region}.amazonaws.com", client.account)
}

/// Name and password of a token such as `QVdTOi4u`.
fn login(token: &str) -> Option<Login> {
    let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some(Login::Password { user: user.to_owned(), password: Secret::new(password) })
}

impl ImageThing<'_> {
    /// The account's registry, with a token that is good for hours.
    async fn registry(&self) -> Result<Registry, CloudError> {
        let answer = self.client.json(REGISTRY_TOKEN, ECR, self.region, json!({})).await?;
        let login = answer["authorizationData"][0]["authorizationToken"].as_str().and_then(login);
        let login = login.ok_or_else(|| unclear("the registry gave no token"))?;
        Registry::new(&host(self.client, self.region), &login, self.client.wire(), Arc::clone(&self.client.guards))
    }

    async fn digest(&self, repository: &str) -> Result<Option<String>, CloudError> {
        let body = json!({"repositoryName": repository, "imageIds": [{"imageTag": self.tag}]});
        let answer = found(self.client.json(IMAGE_GET, ECR, self.region, body).await)?;
        Ok(answer.and_then(|answer| answer["imageDetails"][0]["imageDigest"].as_str().map(str::to_owned)))
    }

    fn id(&self, repository: &str, digest: &str) -> String {
        format!("{}/{repository}@{digest}", host(self.client, self.region))
    }

    async fn build(&self, scope: &Scope<'_>, desired: &Desired<Server>) -> Result<Image, CloudError> {
        let directory = scope.inputs.artifact(&desired.artifact).await?;
        let way = (self.client.wire(), &self.client.guards);
        self.client.base_images.image(&directory, desired, "MikroCloud on AWS", way).await
    }
}

#[async_trait]
impl Managed for ImageThing<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: "app".to_owned(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(63)
    }

    fn title(&self) -> String {
        "the image".to_owned()
    }

    /// By its tag, which names the deployment in a repository of ours.
    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let Some(repository) = entry.outputs.get(REPOSITORY) else { return Ok(None) };
        let Some(digest) = self.digest(repository).await? else { return Ok(None) };
        let mut outputs = entry.outputs.clone();
        outputs.insert(DIGEST.to_owned(), digest.clone());
        Ok(Some(there(self.id(repository, &digest), Ownership::Ours, true, outputs)))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let (Some((scope, desired)), Some(repository)) = (self.make, entry.outputs.get(REPOSITORY)) else {
            return Err(unchanging("an image without files"));
        };
        let image = self.build(scope, desired).await?;
        let registry = self.registry().await?;
        let sent = match push::push(&registry, repository, &self.tag, &image, scope.stop).await {
            Ok(sent) => sent,
            // The tag may be there already, from an attempt whose answer got lost: it cannot be written twice.
            Err(error) => match self.digest(repository).await? {
                Some(digest) if digest == image.digest.to_string() => 0,
                _ if error.kind == ErrorKind::NotFound => {
                    return Err(CloudError::new(ErrorKind::Busy, "BUSY", "the registry does not yet know the new repository")
                        .caused_by(error));
                }
                _ => return Err(error),
            },
        };
        let notes = image.notes.iter().map(|note| format!("Image: {note}"));
        let pushed = format!("Image: {} pushed to ECR, {} KiB new", image.digest, sent.div_ceil(1024));
        scope.log.write(notes.chain([pushed]).map(NewLine::system).collect()).await?;
        Ok(done(self.id(repository, &image.digest.to_string())))
    }

    async fn update(&self, _entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        Err(unchanging("an image"))
    }

    async fn delete(&self, _entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        let (Some(repository), Some(digest)) = (found.outputs.get(REPOSITORY), found.outputs.get(DIGEST)) else {
            return Err(unchanging("an image without a repository"));
        };
        let ids = json!([{"imageDigest": digest}]);
        self.client.json(IMAGE_DELETE, ECR, self.region, json!({"repositoryName": repository, "imageIds": ids})).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_name_and_a_password() {
        let Some(Login::Password { user, password }) = login(&STANDARD.encode("AWS:a:b")) else { panic!("it is one") };
        assert_eq!((user.as_str(), password.expose()), ("AWS", "a:b"));
        assert!(login("no").is_none() && login(&STANDARD.encode("nothing")).is_none());
    }
}
