//! Bases: what the environments of an account and region share.

use clouds_contract::{Base, CloudError, ErrorKind, Outputs, Owner, Progress, Scope, ensure, ready, remove_all};
use domain::id::BaseId;

use crate::catalogue::Kinds;
use crate::client::{Client, labels};
use crate::managed::{Apis, Bucket, Repository, ServiceAccount};
use crate::managed::{From, ImageThing, Make, ensure_image};
use crate::servers::{IMAGES, RUN_ACCOUNT};
use crate::static_site::{BUCKET, CADDY, SERVE_ACCOUNT, SITE_IMAGE};

/// Makes a base, or brings it up to date.
pub(crate) async fn prepare(client: &Client, base: Base, id: BaseId, scope: &Scope<'_>) -> Result<Progress<Outputs>, CloudError> {
    let owner = Owner::Base(id);
    match base {
        Base::Apis => {
            ready!(ensure(&Apis { client, owner }, scope).await?);
            Ok(Progress::Ready(Outputs::new()))
        }
        Base::Containers => {
            let region = scope.region.to_owned();
            let repository = Repository { client, owner, region, labels: labels(&scope.whose, owner) };
            let repository = ready!(ensure(&repository, scope).await?);
            let account = ServiceAccount { client, owner, purpose: "run".to_owned() };
            let account = ready!(ensure(&account, scope).await?);
            let images = repository.outputs["images"].clone();
            let caddy = ready!(caddy(client, owner, scope, &images).await?);
            let outputs = [(IMAGES, images), (RUN_ACCOUNT, account.id), (SITE_IMAGE, caddy)];
            Ok(Progress::Ready(outputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
        }
        Base::Files => files(client, owner, scope).await,
        Base::Front => Err(unneeded(base)),
    }
}

/// The server of sites, copied: what runs is never pulled from a registry for everyone, and never another than the one before.
async fn caddy(client: &Client, owner: Owner, scope: &Scope<'_>, images: &str) -> Result<Progress<String>, CloudError> {
    let (repository, tag) = CADDY;
    let thing = ImageThing {
        client,
        owner,
        purpose: repository.to_owned(),
        region: scope.region.to_owned(),
        tag: repository.to_owned(),
        make: Some(Make { scope, from: From::Collection(repository, tag) }),
    };
    ensure_image(&thing, scope, images).await
}

/// A bucket for files, and the service account that reads it.
async fn files(client: &Client, owner: Owner, scope: &Scope<'_>) -> Result<Progress<Outputs>, CloudError> {
    let account = ServiceAccount { client, owner, purpose: "serve".to_owned() };
    let account = ready!(ensure(&account, scope).await?).id;
    let bucket = Bucket {
        client,
        owner,
        region: scope.region.to_owned(),
        labels: labels(&scope.whose, owner),
        reader: Some(account.clone()),
    };
    let bucket = ready!(ensure(&bucket, scope).await?).id;
    let outputs = [(BUCKET, bucket), (SERVE_ACCOUNT, account)];
    Ok(Progress::Ready(outputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
}

/// Removes a base.
pub(crate) async fn dismantle(client: &Client, base: Base, id: BaseId, scope: &Scope<'_>) -> Result<Progress, CloudError> {
    let owner = Owner::Base(id);
    if base == Base::Apis {
        // They stay enabled: others may use them.
        for entry in scope.journal.entries(owner).await? {
            scope.journal.strike(&entry).await?;
        }
        return Ok(Progress::Ready(()));
    }
    let kinds = Kinds::of(client, scope).await?;
    remove_all(&kinds, scope, owner).await
}

fn unneeded(base: Base) -> CloudError {
    CloudError::new(ErrorKind::Unsupported, "UNSUPPORTED", format!("Google Cloud needs no base `{}`", base.name()))
}
