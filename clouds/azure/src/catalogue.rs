//! Kinds by their entries in the journal, to remove what no description is at hand for.

use clouds_contract::{Catalogue, CloudError, Entry, ErrorKind, Managed, Whose};
use serde_json::Value;

use crate::arm::{Arm, Resource, Thing};
use crate::image::Pushed;
use crate::revision::Revision;
use crate::types::{APP, ENVIRONMENT, GROUP, IDENTITY, REGISTRY, ROLE_ASSIGNMENT, STORAGE, WORKSPACE};

/// Every type of the management API that we make.
pub const TYPES: [Resource; 8] = [GROUP, WORKSPACE, IDENTITY, REGISTRY, ROLE_ASSIGNMENT, ENVIRONMENT, APP, STORAGE];

/// Kinds of Azure.
pub struct Kinds<'a> {
    /// The client.
    pub arm: &'a Arm,
    /// Owner of what is removed.
    pub whose: &'a Whose,
}

impl Catalogue for Kinds<'_> {
    fn revive(&self, entry: &Entry) -> Result<Box<dyn Managed + '_>, CloudError> {
        if entry.kind == Revision::KIND {
            return Ok(Box::new(Revision::gone(self.arm, entry)));
        }
        if entry.kind == Pushed::KIND {
            return Ok(Box::new(Pushed::gone(self.arm, self.whose, entry)));
        }
        let resource = TYPES.into_iter().find(|resource| resource.kind == entry.kind).ok_or_else(|| {
            let message = format!("this program does not know how to remove a `{}`: a newer one made it", entry.kind);
            CloudError::new(ErrorKind::Unsupported, "UNKNOWN_KIND", message)
        })?;
        Ok(Box::new(Thing {
            arm: self.arm,
            resource,
            purpose: "",
            owner: entry.owner,
            whose: self.whose,
            parent: None,
            body: Value::Null,
        }))
    }
}
