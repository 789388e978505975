use async_trait::async_trait;
use clouds_contract::{
    Asked, CloudError, Entry, ErrorKind, Followed, Found, FoundState, Key, Managed, Naming, Operation, Outputs, Owner, Retry,
};
use domain::id::{DeploymentId, PlacementId};
use http::Method;
use serde_json::{Value, json};

use super::begun;
use crate::client::{Body, Client, address, has_labels, there};
use crate::operations::{SERVICE_CREATE, SERVICE_DELETE, SERVICE_GET, SERVICE_UPDATE};
use crate::service::{LONGEST_NAME, Traffic, host, is_changing, revision, tag};
use crate::template::Template;

/// Kind of a service.
pub(crate) const KIND: &str = "gcp.run.service";

/// Type of a traffic target that follows the newest revision.
const LATEST: &str = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST";

/// Pause while a change of a service is under way.
const CHANGING: std::time::Duration = std::time::Duration::from_secs(2);

/// The service of an environment.
pub(crate) struct ServiceThing<'a> {
    pub client: &'a Client,
    pub placement: PlacementId,
    pub region: String,
    pub labels: Value,
    /// Its first revision, where it may have to be made.
    pub first: Option<(DeploymentId, &'a Template)>,
}

/// Path of a service.
pub(crate) fn path(client: &Client, region: &str, name: &str) -> String {
    format!("{}/services/{name}", client.location(region))
}

/// A service as it is.
pub(crate) async fn get(client: &Client, region: &str, name: &str) -> Result<Option<Value>, CloudError> {
    client.find(SERVICE_GET, address("run", &format!("v2/{}", path(client, region, name)), &[])?).await
}

/// Asks for another traffic of a service as it was read.
pub(crate) async fn set_traffic(client: &Client, service: &Value, traffic: &Traffic) -> Result<Option<Operation>, CloudError> {
    change(client, service, "traffic", json!({"traffic": traffic.write()})).await
}

/// Asks for a change of some fields of a service, unless somebody else changed it since it was read.
pub(crate) async fn change(
    client: &Client,
    service: &Value,
    mask: &str,
    mut fields: Value,
) -> Result<Option<Operation>, CloudError> {
    let name = service["name"].as_str().unwrap_or_default();
    fields["name"] = json!(name);
    fields["etag"] = service["etag"].clone();
    let url = address("run", &format!("v2/{name}"), &[("updateMask", mask)])?;
    let answer = client.ask(SERVICE_UPDATE, Method::PATCH, url, Body::Json(fields)).await?;
    client.operation("run", "v2", &answer)
}

/// Asks how a change of a service goes on. One that fails says that the program does not start.
pub(crate) async fn follow(client: &Client, operation: &Operation) -> Result<Followed, CloudError> {
    let followed = client.follow(operation, "Cloud Run to start the revision").await?;
    Ok(match followed {
        Followed::Failed(error) if error.kind == ErrorKind::Invalid => {
            let message = format!("Cloud Run could not start the program. {}", error.message);
            Followed::Failed(CloudError::new(ErrorKind::Invalid, "REVISION_FAILED", message).caused_by(error))
        }
        followed => followed,
    })
}

/// A service that is being changed is left alone meanwhile.
pub(crate) fn busy() -> CloudError {
    CloudError::new(ErrorKind::Busy, "BUSY", "Cloud Run is changing the service").with_retry(Retry::Soon)
}

#[async_trait]
impl Managed for ServiceThing<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: "app".to_owned(), owner: Owner::Placement(self.placement) }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(LONGEST_NAME)
    }

    fn title(&self) -> String {
        "the Cloud Run service".to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let Some(service) = get(self.client, &self.region, &entry.name).await? else { return Ok(None) };
        let labels = &service["labels"];
        let is_open = service["invokerIamDisabled"] == json!(true) && service["ingress"] == json!("INGRESS_TRAFFIC_ALL");
        let outputs = service["uri"].as_str().and_then(host).map(|host| Outputs::from([("host".to_owned(), host.to_owned())]));
        let id = path(self.client, &self.region, &entry.name);
        let mut found =
            there(id, self.client.owner(labels), is_open && has_labels(labels, &self.labels), outputs.unwrap_or_default());
        if service["deleteTime"].is_string() {
            found.state = FoundState::Going(self.client.wait("Cloud Run to remove the service", CHANGING));
        } else if is_changing(&service) {
            found.state = FoundState::Making(self.client.wait("Cloud Run to start the revision", CHANGING));
        }
        Ok(Some(found))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let Some((deployment, template)) = self.first else {
            let message = "the service is gone, and is made with its next deployment";
            return Err(CloudError::new(ErrorKind::Conflict, "SERVICE_GONE", message));
        };
        let body = json!({
            "labels": self.labels,
            "ingress": "INGRESS_TRAFFIC_ALL",
            "invokerIamDisabled": true,
            "template": template.write(&revision(&entry.name, deployment)),
            "traffic": [{"type": LATEST, "percent": 100, "tag": tag(deployment)}],
        });
        let parent = format!("v2/{}/services", self.client.location(&self.region));
        let url = address("run", &parent, &[("serviceId", &entry.name)])?;
        let answer = self.client.ask(SERVICE_CREATE, Method::POST, url, Body::Json(body)).await?;
        let id = path(self.client, &self.region, &entry.name);
        Ok(begun(Some(id), self.client.operation("run", "v2", &answer)?, self.client.poll()))
    }

    async fn update(&self, entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        let service = get(self.client, &self.region, &entry.name).await?.ok_or_else(busy)?;
        let fields = json!({"labels": self.labels, "ingress": "INGRESS_TRAFFIC_ALL", "invokerIamDisabled": true});
        let operation = change(self.client, &service, "labels,ingress,invokerIamDisabled", fields).await?;
        Ok(begun(None, operation, self.client.poll()))
    }

    async fn delete(&self, _entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        let url = address("run", &format!("v2/{}", found.id), &[])?;
        let answer = self.client.ask(SERVICE_DELETE, Method::DELETE, url, Body::None).await?;
        Ok(begun(None, self.client.operation("run", "v2", &answer)?, self.client.poll()))
    }

    async fn follow(&self, operation: &Operation) -> Result<Followed, CloudError> {
        follow(self.client, operation).await
    }
}
