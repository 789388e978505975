//! Kinds by their entries in the journal, to remove what no specification is at hand for.

use clouds_contract::{Catalogue, CloudError, Entry, ErrorKind, Managed, Owner};

use crate::client::Client;
use crate::managed::files::short;
use crate::managed::{
    AccessControl, Bucket, Cluster, Distribution, Files, Function, ImageThing, Listener, LoadBalancer, LogGroup, Parameter,
    Repository, Role, Rule, SecurityGroup, Service, Store, TargetGroup, TaskDefinition,
};
use crate::managed::{
    access_control, bucket, cluster, distribution, files, function, image, listener, load_balancer, log_group, parameter,
    repository, role, rule, security_group, service, store, target_group, task_definition,
};

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
            (security_group::KIND, _) => {
                Box::new(SecurityGroup { client, owner, region, purpose: entry.purpose.clone(), wanted: None })
            }
            (role::KIND, _) => Box::new(Role { client, owner, region, tags: None }),
            (cluster::KIND, _) => Box::new(Cluster { client, owner, region, tags: None }),
            (load_balancer::KIND, _) => Box::new(LoadBalancer { client, owner, region, wanted: None }),
            (listener::KIND, _) => Box::new(Listener { client, owner, region }),
            (repository::KIND, _) => Box::new(Repository { client, owner, region, tags: None }),
            (log_group::KIND, _) => Box::new(LogGroup { client, owner, region, tags: None }),
            (rule::KIND, Owner::Placement(placement)) => Box::new(Rule { client, placement, region, tags: None }),
            (image::KIND, Owner::Deployment(id)) => Box::new(ImageThing { client, owner, region, tag: short(id), make: None }),
            (parameter::KIND, Owner::Deployment(deployment)) => {
                Box::new(Parameter { client, deployment, region, variable: entry.purpose.clone(), content: None })
            }
            (task_definition::KIND, _) => Box::new(TaskDefinition { client, owner, region, task: None }),
            (target_group::KIND, _) => Box::new(TargetGroup { client, owner, region, wanted: None }),
            (service::KIND, _) => Box::new(Service { client, owner, region, wanted: None }),
            (other, _) => {
                let message =
                    format!("the journal has a thing of the kind `{other}`, which this program does not know: update it");
                return Err(CloudError::new(ErrorKind::Unsupported, "KIND_UNKNOWN", message));
            }
        })
    }
}
