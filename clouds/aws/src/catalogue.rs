//! Kinds by their entries in the journal, to remove what no specification is at hand for.

use clouds_contract::{Catalogue, CloudError, Entry, ErrorKind, Managed, Owner};

use crate::client::Client;
use crate::managed::{AccessControl, Bucket, Distribution, Files, Function, Store};
use crate::managed::{access_control, bucket, distribution, files, function, store};

/// Kinds in a region of an account.
pub(crate) struct Kinds<'a> {
    pub client: &'a Client,
    pub region: &'a str,
}

impl Catalogue for Kinds<'_> {
    fn revive(&self, entry: &Entry) -> Result<Box<dyn Managed + '_>, CloudError> {
        let (client, region, owner) = (self.client, self.region, entry.owner);
        Ok(match (entry.kind.as_str(), owner) {
            (access_control::KIND, _) => Box::new(AccessControl { client, owner }),
            (store::KIND, _) => Box::new(Store { client, owner }),
            (function::KIND, _) => Box::new(Function { client, owner, store: None }),
            (bucket::KIND, _) => Box::new(Bucket { client, owner, region: region.to_owned(), tags: None }),
            (distribution::KIND, Owner::Placement(placement)) => {
                Box::new(Distribution { client, placement, region, wanted: None })
            }
            (files::KIND, Owner::Deployment(deployment)) => Box::new(Files { client, owner, deployment, region, source: None }),
            (other, _) => {
                let message =
                    format!("the journal has a thing of the kind `{other}`, which this program does not know: update it");
                return Err(CloudError::new(ErrorKind::Unsupported, "KIND_UNKNOWN", message));
            }
        })
    }
}
