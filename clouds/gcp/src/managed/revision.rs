use async_trait::async_trait;
use clouds_contract::{Asked, CloudError, Entry, Followed, Found, FoundState, Key, Managed, Naming, Operation, Outputs, Owner};
use domain::id::DeploymentId;
use http::Method;
use serde_json::{Value, json};

use super::service::{busy, change, follow, get, path, set_traffic};
use super::{begun, unchanging};
use crate::client::{Body, Client, address, there};
use crate::operations::{REVISION_DELETE, REVISION_GET};
use crate::service::{Traffic, host, is_changing};
use crate::template::Template;

/// Kind of a revision.
pub(crate) const KIND: &str = "gcp.run.revision";

/// The revision of a deployment, with a tag by which it is seen alone.
pub(crate) struct RevisionThing<'a> {
    pub client: &'a Client,
    pub owner: Owner,
    /// Part that it plays: `app`, or its tag where it waits to be removed with its service.
    pub purpose: String,
    pub region: String,
    /// Name of its service.
    pub service: String,
    pub tag: String,
    /// It is to have its tag.
    pub is_tagged: bool,
    /// Material that it is made from, where it may have to be made.
    pub template: Option<&'a Template>,
}

/// State of a revision, by its condition `Ready`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RevisionState {
    Ready(Option<String>),
    Pending(String),
    Failed(String),
}

/// State of a revision as the Admin API describes it. States that are new to us are pending.
pub(crate) fn state(revision: &Value) -> RevisionState {
    let conditions = revision["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ready = conditions.iter().find(|condition| condition["type"] == json!("Ready")).unwrap_or(&Value::Null);
    let message = ready["message"].as_str().unwrap_or_default().to_owned();
    match ready["state"].as_str() {
        Some("CONDITION_SUCCEEDED") => RevisionState::Ready(ready["lastTransitionTime"].as_str().map(str::to_owned)),
        Some("CONDITION_FAILED") => RevisionState::Failed(message),
        _ => RevisionState::Pending(message),
    }
}

/// A revision as it is.
pub(crate) async fn revision(client: &Client, region: &str, service: &str, name: &str) -> Result<Option<Value>, CloudError> {
    let path = format!("v2/{}/revisions/{name}", path(client, region, service));
    client.find(REVISION_GET, address("run", &path, &[])?).await
}

impl RevisionThing<'_> {
    fn name(&self) -> String {
        format!("{}-{}", self.service, self.tag)
    }

    fn id(&self) -> String {
        format!("{}/revisions/{}", path(self.client, &self.region, &self.service), self.name())
    }

    /// The service as it is, if it may be changed now.
    async fn still_service(&self) -> Result<Value, CloudError> {
        let service = get(self.client, &self.region, &self.service).await?;
        service.filter(|service| !is_changing(service)).ok_or_else(busy)
    }
}

#[async_trait]
impl Managed for RevisionThing<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: self.purpose.clone(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(63)
    }

    fn title(&self) -> String {
        "the Cloud Run revision".to_owned()
    }

    async fn find(&self, _entry: &Entry) -> Result<Option<Found>, CloudError> {
        let Some(found) = revision(self.client, &self.region, &self.service, &self.name()).await? else { return Ok(None) };
        let owner = self.client.owner(&found["labels"]);
        if found["deleteTime"].is_string() {
            let wait = self.client.wait("Cloud Run to remove the revision", std::time::Duration::from_secs(2));
            return Ok(Some(Found { state: FoundState::Going(wait), ..there(self.id(), owner, true, Outputs::new()) }));
        }
        if !self.is_tagged {
            return Ok(Some(there(self.id(), owner, true, Outputs::new())));
        }
        let service = get(self.client, &self.region, &self.service).await?.unwrap_or_default();
        // A revision that failed cannot be shown to anybody, not even by a tag.
        let is_current =
            Traffic::wanted(&service).has_tag(&self.name(), &self.tag) || matches!(state(&found), RevisionState::Failed(_));
        let address = service["uri"].as_str().and_then(host).map(|host| format!("{}---{host}", self.tag));
        let outputs = address.map(|address| Outputs::from([("host".to_owned(), address)])).unwrap_or_default();
        Ok(Some(there(self.id(), owner, is_current, outputs)))
    }

    /// A change of the service's template makes a revision; visitors stay where they are.
    async fn create(&self, _entry: &Entry) -> Result<Asked, CloudError> {
        let template = self.template.ok_or_else(|| unchanging("a revision without a template"))?;
        let service = self.still_service().await?;
        let traffic = Traffic::wanted(&service).settled(&service).tagged(&self.name(), &self.tag);
        let fields = json!({"template": template.write(&self.name()), "traffic": traffic.write()});
        let operation = change(self.client, &service, "template,traffic", fields).await?;
        Ok(begun(Some(self.id()), operation, self.client.poll()))
    }

    /// Gives it its tag.
    async fn update(&self, _entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        let service = self.still_service().await?;
        let traffic = Traffic::wanted(&service).settled(&service).tagged(&self.name(), &self.tag);
        Ok(begun(None, set_traffic(self.client, &service, &traffic).await?, self.client.poll()))
    }

    async fn delete(&self, _entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        let url = address("run", &format!("v2/{}", found.id), &[])?;
        let answer = self.client.ask(REVISION_DELETE, Method::DELETE, url, Body::None).await?;
        Ok(begun(None, self.client.operation("run", "v2", &answer)?, self.client.poll()))
    }

    async fn follow(&self, operation: &Operation) -> Result<Followed, CloudError> {
        follow(self.client, operation).await
    }
}

/// Deployment of a revision, by its labels.
pub(crate) fn deployment(revision: &Value) -> Option<DeploymentId> {
    revision["labels"]["mikrocloud-deployment"].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_that_are_new_to_us_are_pending() {
        let revision = |state: &str| json!({"conditions": [{"type": "Ready", "state": state, "message": "m"}]});
        assert_eq!(state(&revision("CONDITION_SUCCEEDED")), RevisionState::Ready(None));
        assert_eq!(state(&revision("CONDITION_FAILED")), RevisionState::Failed("m".to_owned()));
        for other in ["CONDITION_PENDING", "CONDITION_RECONCILING", "CONDITION_OF_2031"] {
            assert_eq!(state(&revision(other)), RevisionState::Pending("m".to_owned()));
        }
        assert_eq!(state(&json!({})), RevisionState::Pending(String::new()));
    }
}
