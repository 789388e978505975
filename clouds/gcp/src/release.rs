//! The common part of deployments of every kind: a revision of the environment's service.

use std::time::Duration;

use chrono::TimeDelta;
use clouds_contract::{
    CloudError, Entry, EntryState, EnvironmentPlace, ErrorKind, Key, Managed as _, Observation, Owner, Progress, Scope, Started,
    ensure, ready, remove, remove_all,
};
use domain::id::DeploymentId;
use domain::time::{Timestamp, now};
use serde_json::{Value, json};

use crate::catalogue::{Kinds, service_name};
use crate::client::{Client, labels};
use crate::managed::revision::{RevisionState, revision, state};
use crate::managed::service::{get, set_traffic};
use crate::managed::{RevisionThing, ServiceThing, revision as kind};
use crate::service::{self, Traffic, host, is_changing, short, tag};
use crate::template::{HEALTH_PATH, Template};

/// Pause while a change of a service is under way.
const CHANGING: Duration = Duration::from_secs(2);

/// Longest time for the answer of a program.
const ANSWER: Duration = Duration::from_secs(15);

/// Time for which a program that listens may answer with errors.
const WARM_UP: Duration = Duration::from_mins(1);

/// A deployment in its place.
pub(crate) struct Release<'a> {
    pub client: &'a Client,
    pub scope: &'a Scope<'a>,
    pub deployment: DeploymentId,
}

/// The environment that a scope is of.
pub(crate) fn place<'a>(scope: &'a Scope<'_>) -> Result<&'a EnvironmentPlace, CloudError> {
    let missing = || CloudError::new(ErrorKind::Internal, "INTERNAL", "deployments are made within an environment's scope");
    scope.whose.environment.as_ref().ok_or_else(missing)
}

impl<'a> Release<'a> {
    /// Owner of what is the deployment's alone.
    pub fn owner(&self) -> Owner {
        Owner::Deployment(self.deployment)
    }

    /// Labels of what is the deployment's alone.
    pub fn labels(&self) -> Value {
        labels(&self.scope.whose, self.owner())
    }

    async fn service(&self) -> Result<Option<String>, CloudError> {
        service_name(self.scope.journal, self.scope).await
    }

    /// The revision as it is.
    async fn revision(&self, service: &str) -> Result<Option<Value>, CloudError> {
        revision(self.client, self.scope.region, service, &service::revision(service, self.deployment)).await
    }

    /// Returns true if the revision is there, so that nothing is needed to make it.
    pub async fn is_made(&self) -> Result<bool, CloudError> {
        let Some(service) = self.service().await? else { return Ok(false) };
        Ok(self.revision(&service).await?.is_some_and(|revision| !revision["deleteTime"].is_string()))
    }

    fn service_thing(&self, template: Option<&'a Template>) -> Result<ServiceThing<'a>, CloudError> {
        let placement = place(self.scope)?.placement;
        Ok(ServiceThing {
            client: self.client,
            placement,
            region: self.scope.region.to_owned(),
            labels: labels(&self.scope.whose, Owner::Placement(placement)),
            first: template.map(|template| (self.deployment, template)),
        })
    }

    fn revision_thing(&self, service: &str, template: Option<&'a Template>) -> RevisionThing<'a> {
        RevisionThing {
            client: self.client,
            owner: self.owner(),
            purpose: "app".to_owned(),
            region: self.scope.region.to_owned(),
            service: service.to_owned(),
            tag: tag(self.deployment),
            is_tagged: true,
            template,
        }
    }

    /// Makes the service, if need be, and the revision with its tag. The template may be left out for a revision that is there.
    pub async fn make(&self, template: Option<&'a Template>) -> Result<Progress<Started>, CloudError> {
        let service = ready!(ensure(&self.service_thing(template)?, self.scope).await?);
        let revision = ready!(ensure(&self.revision_thing(short(&service.id), template), self.scope).await?);
        let address = revision.outputs.get("host").map(|host| self.client.wire.public(host));
        Ok(Progress::Ready(Started { address }))
    }

    /// State of the revision.
    pub async fn observe(&self) -> Result<Observation, CloudError> {
        let Some(service) = self.service().await? else { return Ok(Observation::Absent) };
        let Some(revision) = self.revision(&service).await? else { return Ok(Observation::Absent) };
        Ok(match state(&revision) {
            RevisionState::Ready(since) => {
                let since = since.and_then(|since| chrono::DateTime::parse_from_rfc3339(&since).ok());
                let since = since.map_or_else(now, |since| since.to_utc());
                match revision["annotations"][HEALTH_PATH].as_str() {
                    Some(path) => self.health(&service, path, since).await?,
                    None => Observation::Ready { since },
                }
            }
            RevisionState::Pending(message) if message.is_empty() => {
                Observation::Pending { detail: "Cloud Run to start the revision".to_owned() }
            }
            RevisionState::Pending(message) => {
                Observation::Pending { detail: format!("Cloud Run to start the revision: {message}") }
            }
            RevisionState::Failed(message) => Observation::Failed {
                code: "REVISION_FAILED".to_owned(),
                message: format!("Cloud Run could not start the program. {message}"),
            },
        })
    }

    /// State of a program that listens, by what it answers at a path: anything but an error of the server's is well. It gets some time
    /// for what it has to do first.
    async fn health(&self, service: &str, path: &str, since: Timestamp) -> Result<Observation, CloudError> {
        let ready = Observation::Ready { since };
        let found = get(self.client, self.scope.region, service).await?.unwrap_or_default();
        let Some(host) = found["uri"].as_str().and_then(host) else { return Ok(ready) };
        let url = format!("https://{}---{host}/{}", tag(self.deployment), path.trim_start_matches('/'));
        let Ok(request) = self.client.wire.client().get(url).timeout(ANSWER).build() else { return Ok(ready) };
        let status = match self.client.wire.send(request).await {
            Ok(answer) if answer.status().is_server_error() => answer.status().as_u16(),
            Ok(_) => return Ok(ready),
            // Whether visitors reach it cannot be told from here.
            Err(error) if error.is_connect() => return Ok(ready),
            Err(_) => 504,
        };
        let patience = TimeDelta::from_std(self.client.wire.pace(WARM_UP)).unwrap_or(TimeDelta::MAX);
        if now() - since < patience {
            return Ok(Observation::Pending { detail: format!("the program to answer at {path} (it answers {status})") });
        }
        let message = format!(
            "the program answers {status} at {path}: its log says why. `container.health_path` in mikrocloud.toml names another path"
        );
        Ok(Observation::Failed { code: "HEALTH_CHECK_FAILED".to_owned(), message })
    }

    /// Removes the deployment with everything that is its own.
    pub async fn delete(&self) -> Result<Progress, CloudError> {
        ready!(self.retire().await?);
        let kinds = Kinds::of(self.client, self.scope).await?;
        remove_all(&kinds, self.scope, self.owner()).await
    }

    /// Makes the revision free to be removed: nobody sees it, and it has no tag.
    async fn retire(&self) -> Result<Progress, CloudError> {
        let Some(name) = self.service().await? else { return Ok(Progress::Ready(())) };
        let Some(service) = get(self.client, self.scope.region, &name).await? else { return Ok(Progress::Ready(())) };
        if is_changing(&service) {
            let wait = self.client.wait("Cloud Run to end the change before", CHANGING);
            // A service that is being removed has to be followed there.
            return if service["deleteTime"].is_string() {
                remove(&self.service_thing(None)?, self.scope).await
            } else {
                Ok(Progress::Pending(wait))
            };
        }
        if self.revision(&name).await?.is_none() {
            return Ok(Progress::Ready(()));
        }
        let own = service::revision(&name, self.deployment);
        let traffic = Traffic::wanted(&service);
        if traffic.shown() == Some(own.as_str()) {
            // Visitors have to see something: without this revision there is no service.
            return remove(&self.service_thing(None)?, self.scope).await;
        }
        if traffic.has(&own) {
            let without = traffic.settled(&service).without(&own);
            let asked = set_traffic(self.client, &service, &without).await;
            return self.pending_after(asked.map(drop));
        }
        let is_newest = service["latestCreatedRevision"].as_str().map(short) == Some(own.as_str());
        if is_newest {
            self.hand_over(&name).await?;
        } else {
            self.note(&name).await?;
        }
        Ok(Progress::Ready(()))
    }

    fn pending_after(&self, asked: Result<(), CloudError>) -> Result<Progress, CloudError> {
        match asked {
            Ok(()) => {}
            Err(error) if matches!(error.kind, ErrorKind::Conflict | ErrorKind::Ambiguous | ErrorKind::Busy) => {}
            Err(error) => return Err(error),
        }
        Ok(Progress::Pending(self.client.wait("Cloud Run to take the revision's tag away", CHANGING)))
    }

    async fn entry(&self) -> Result<Option<Entry>, CloudError> {
        let entries = self.scope.journal.entries(self.owner()).await?;
        Ok(entries.into_iter().find(|entry| entry.kind == kind::KIND))
    }

    fn id(&self, service: &str) -> String {
        let location = self.client.location(self.scope.region);
        format!("{location}/services/{service}/revisions/{}", service::revision(service, self.deployment))
    }

    /// Makes sure that the journal knows the revision, which may have been made with its service.
    async fn note(&self, service: &str) -> Result<(), CloudError> {
        if self.entry().await?.is_some_and(|entry| entry.state != EntryState::Intended) {
            return Ok(());
        }
        let thing = self.revision_thing(service, None);
        let entry = self.scope.journal.open(&thing.key(), thing.naming()).await?;
        self.scope.journal.save(&Entry { state: EntryState::Asked, external_id: Some(self.id(service)), ..entry }).await?;
        Ok(())
    }

    /// Hands the revision over to the environment: Cloud Run removes the newest one only with its service, or once there is a newer.
    async fn hand_over(&self, service: &str) -> Result<(), CloudError> {
        let key = Key { kind: kind::KIND, purpose: tag(self.deployment), owner: Owner::Placement(place(self.scope)?.placement) };
        let thing = self.revision_thing(service, None);
        let entry = self.scope.journal.open(&key, thing.naming()).await?;
        if entry.state == EntryState::Intended {
            self.scope.journal.save(&Entry { state: EntryState::Asked, external_id: Some(self.id(service)), ..entry }).await?;
        }
        if let Some(own) = self.entry().await? {
            self.scope.journal.strike(&own).await?;
        }
        Ok(())
    }
}

/// Removes revisions that were handed over to the environment, as far as it can be done now. What cannot waits for the next time.
pub(crate) async fn remove_handed_over(client: &Client, scope: &Scope<'_>, service: &Value) -> Result<(), CloudError> {
    let owner = Owner::Placement(place(scope)?.placement);
    let kinds = Kinds::of(client, scope).await?;
    let newest = service["latestCreatedRevision"].as_str().map(short).unwrap_or_default();
    for entry in scope.journal.entries(owner).await?.into_iter().filter(|entry| entry.kind == kind::KIND) {
        let is_free = !newest.ends_with(&entry.purpose) && service["reconciling"] != json!(true);
        if is_free {
            remove(&kinds.revision(&entry), scope).await?;
        }
    }
    Ok(())
}
