//! Kinds by their entries in the journal, to remove what no specification is at hand for.

use clouds_contract::{Catalogue, CloudError, Entry, EntryState, ErrorKind, Journal, Managed, Owner, Scope};
use serde_json::Value;

use crate::client::Client;
use crate::managed::{Apis, Bucket, Files, ImageThing, Repository, RevisionThing, SecretThing, ServiceAccount, ServiceThing};
use crate::managed::{account, apis, bucket, files, image, repository, revision, secret, service};
use crate::service::tag;

/// Service that an entry of a revision is taken to belong to where nothing says which: none has this name.
const NO_SERVICE: &str = "none";

/// Kinds in a region of an account.
pub(crate) struct Kinds<'a> {
    pub client: &'a Client,
    pub region: &'a str,
    /// Name of the environment's service, as far as known.
    pub service: Option<String>,
}

/// Name of the environment's service, once it was asked for.
pub(crate) async fn service_name(journal: &dyn Journal, scope: &Scope<'_>) -> Result<Option<String>, CloudError> {
    let Some(place) = &scope.whose.environment else { return Ok(None) };
    let entries = journal.entries(Owner::Placement(place.placement)).await?;
    let service = entries.into_iter().find(|entry| entry.kind == service::KIND && entry.state != EntryState::Intended);
    Ok(service.map(|entry| entry.name))
}

impl<'a> Kinds<'a> {
    /// Kinds of a scope.
    pub async fn of(client: &'a Client, scope: &'a Scope<'_>) -> Result<Self, CloudError> {
        Ok(Self { client, region: scope.region, service: service_name(scope.journal, scope).await? })
    }

    /// Thing of a revision's entry.
    pub fn revision(&self, entry: &Entry) -> RevisionThing<'a> {
        // `projects/p/locations/l/services/s/revisions/r`, where it is known.
        let known = entry.external_id.as_deref().and_then(|id| id.split('/').nth(5)).map(str::to_owned);
        let tag = match entry.owner {
            Owner::Deployment(id) => tag(id),
            Owner::Placement(_) | Owner::Base(_) => entry.purpose.clone(),
        };
        RevisionThing {
            client: self.client,
            owner: entry.owner,
            purpose: entry.purpose.clone(),
            region: self.region.to_owned(),
            service: known.or_else(|| self.service.clone()).unwrap_or_else(|| NO_SERVICE.to_owned()),
            tag,
            is_tagged: false,
            template: None,
        }
    }
}

impl Catalogue for Kinds<'_> {
    fn revive(&self, entry: &Entry) -> Result<Box<dyn Managed + '_>, CloudError> {
        let (client, owner, region) = (self.client, entry.owner, self.region.to_owned());
        let purpose = entry.purpose.clone();
        Ok(match (entry.kind.as_str(), owner) {
            (account::KIND, _) => Box::new(ServiceAccount { client, owner, purpose }),
            (apis::KIND, _) => Box::new(Apis { client, owner }),
            (repository::KIND, _) => Box::new(Repository { client, owner, region, labels: Value::Null }),
            (secret::KIND, _) => Box::new(SecretThing { client, owner, variable: purpose, content: None }),
            (image::KIND, Owner::Deployment(id)) => {
                Box::new(ImageThing { client, owner, purpose, region, tag: tag(id), make: None })
            }
            (image::KIND, _) => Box::new(ImageThing { client, owner, tag: purpose.clone(), purpose, region, make: None }),
            (bucket::KIND, _) => Box::new(Bucket { client, owner, region, labels: Value::Null, reader: None }),
            (files::KIND, Owner::Deployment(id)) => Box::new(Files { client, owner, tag: tag(id), source: None }),
            (service::KIND, Owner::Placement(placement)) => {
                Box::new(ServiceThing { client, placement, region, labels: Value::Null, first: None })
            }
            (revision::KIND, _) => Box::new(self.revision(entry)),
            (other, _) => {
                let message =
                    format!("the journal has a thing of the kind `{other}`, which this program does not know: update it");
                return Err(CloudError::new(ErrorKind::Unsupported, "KIND_UNKNOWN", message));
            }
        })
    }
}
