//! Revisions of a container app: one for each deployment (learn.microsoft.com, "Update and deploy changes in Azure Container Apps").

use std::time::Duration;

use async_trait::async_trait;
use clouds_contract::guard::Call;
use clouds_contract::{
    Asked, CloudError, Entry, EntryState, ErrorKind, Followed, Found, FoundState, Key, Managed, Naming, Operation, Outputs,
    Owner, Ownership, Progress, Wait,
};
use domain::id::DeploymentId;
use http::Method;
use serde_json::{Value, json};

use crate::arm::{Arm, asked, follow};
use crate::servers::settled;
use crate::template::Template;
use crate::types::APP;

const SERVICE: &str = "Microsoft.App";

/// Pause between two looks at a revision that starts.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// The name of a deployment's revision after the app's, and its label: `d` and 12 digits of the id. Twelve random digits at the end of an
/// id that begins with the time.
pub fn suffix(deployment: DeploymentId) -> String {
    let id = deployment.uuid().simple().to_string();
    format!("d{}", &id[id.len() - 12..])
}

/// The id of an app's revision.
pub fn revision_path(app: &str, suffix: &str) -> String {
    let name = app.rsplit('/').next().unwrap_or_default();
    format!("{app}/revisions/{name}--{suffix}")
}

/// A deployment's revision.
pub struct Revision<'a> {
    arm: &'a Arm,
    owner: Owner,
    /// The id of the app; none at hand when it is removed.
    app: Option<String>,
    suffix: String,
    template: Option<&'a Template>,
}

impl<'a> Revision<'a> {
    /// Its kind in the journal.
    pub const KIND: &'static str = "azure.app.revision";

    /// A revision that is to exist.
    pub fn of(arm: &'a Arm, app: String, deployment: DeploymentId, template: &'a Template) -> Self {
        let owner = Owner::Deployment(deployment);
        Self { arm, owner, app: Some(app), suffix: suffix(deployment), template: Some(template) }
    }

    /// A revision that is to go.
    pub fn gone(arm: &'a Arm, entry: &Entry) -> Self {
        Self { arm, owner: entry.owner, app: None, suffix: String::new(), template: None }
    }

    /// Its id in the management API.
    fn path(&self, entry: &Entry) -> Option<String> {
        let of_app = || self.app.as_ref().map(|app| revision_path(app, &self.suffix));
        entry.external_id.clone().or_else(of_app)
    }

    async fn post(&self, path: &str, operation: &'static str) -> Result<Asked, CloudError> {
        let call = Call::freely(SERVICE, operation);
        self.arm.send(call, Method::POST, path, APP.api_version, None).await?;
        Ok(Asked::default())
    }
}

/// A revision's state, by what Azure says of it. A state that Azure added later is still being made.
pub fn state_of(revision: &Value, pace: impl Fn(Duration) -> Duration) -> FoundState {
    let properties = &revision["properties"];
    let said = |field: &str| properties[field].as_str().unwrap_or_default();
    let provisioning = said("provisioningState");
    if provisioning == "Failed" || said("runningState") == "Failed" {
        let why = [said("provisioningError"), said("runningStateDetails")].into_iter().find(|text| !text.is_empty());
        return FoundState::Failed {
            code: "START_FAILED",
            message: format!("the program did not start: {}. Its log says more", why.unwrap_or("Azure does not say why")),
        };
    }
    let runs = matches!(said("runningState"), "Running" | "ScaledToZero" | "RunningAtMaxScale");
    if provisioning == "Provisioned" && runs {
        return FoundState::Ready;
    }
    let detail = format!(
        "Azure to start the revision ({})",
        if said("runningState").is_empty() { provisioning } else { said("runningState") }
    );
    FoundState::Making(Wait { detail, retry_after: pace(LOOK_EVERY) })
}

#[async_trait]
impl Managed for Revision<'_> {
    fn key(&self) -> Key {
        Key { kind: Self::KIND, purpose: "app".to_owned(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(32)
    }

    fn title(&self) -> String {
        "the revision".to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let Some(path) = self.path(entry) else { return Ok(None) };
        let Some(body) = self.arm.get(Call::freely(SERVICE, "revisions.get"), &path, APP.api_version).await? else {
            return Ok(None);
        };
        let is_active = body["properties"]["active"] == true;
        let has_visitors = body["properties"]["trafficWeight"].as_i64().unwrap_or_default() > 0;
        // Azure removes revisions itself; one that is not active costs nothing. The one that visitors see goes with the app.
        if entry.state == EntryState::Going && (!is_active || has_visitors) {
            return Ok(None);
        }
        let state = if is_active { state_of(&body, |wait| self.arm.wire().pace(wait)) } else { FoundState::Ready };
        let mut outputs = Outputs::new();
        if let Some(host) = body["properties"]["fqdn"].as_str() {
            outputs.insert("host".to_owned(), host.to_owned());
        }
        // It is one of our app, and its name comes from our id.
        Ok(Some(Found { id: path, state, is_current: is_active, owner: Ownership::Ours, version: None, outputs }))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let (Some(app), Some(template), Some(path)) = (&self.app, self.template, self.path(entry)) else {
            return Err(CloudError::internal("a revision without a description", "it was only to be removed"));
        };
        let body = template.of_revision(self.arm, app).await?;
        let call = Call::freely(SERVICE, "containerApps.update");
        let answer = self.arm.send(call, Method::PATCH, app, APP.api_version, Some(&body)).await?;
        Ok(Asked { id: Some(path), ..asked(self.arm, &answer) })
    }

    async fn update(&self, _entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        self.post(&format!("{}/activate", found.id), "revisions.activate").await
    }

    async fn delete(&self, _entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        // Azure refuses while it changes the app, which somebody who was interrupted may have asked for.
        let app = found.id.split_once("/revisions/").map_or(found.id.as_str(), |(app, _)| app);
        if let Progress::Pending(wait) = settled(self.arm, app).await? {
            return Err(CloudError::new(ErrorKind::Busy, "BUSY", wait.detail));
        }
        self.post(&format!("{}/deactivate", found.id), "revisions.deactivate").await
    }

    async fn follow(&self, operation: &Operation) -> Result<Followed, CloudError> {
        follow(self.arm, operation, "the revision").await
    }
}

/// The traffic of an app in which this revision has all visitors, and every deployment keeps the label of its own address.
pub fn traffic(present: &[Value], shown: &str, labelled: &[(String, String)]) -> Value {
    let mut entries = vec![json!({"revisionName": shown, "weight": 100})];
    let known = present.iter().filter_map(|entry| {
        let (name, label) = (entry["revisionName"].as_str()?, entry["label"].as_str()?);
        Some((name.to_owned(), label.to_owned()))
    });
    let mut labels: Vec<(String, String)> = labelled.to_vec();
    labels.extend(known.filter(|(name, _)| !labelled.iter().any(|(own, _)| own == name)));
    for (name, label) in labels {
        match entries.iter_mut().find(|entry| entry["revisionName"] == name.as_str()) {
            Some(entry) => entry["label"] = json!(label),
            None => entries.push(json!({"revisionName": name, "weight": 0, "label": label})),
        }
    }
    json!(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(provisioning: &str, running: &str) -> FoundState {
        state_of(&json!({"properties": {"provisioningState": provisioning, "runningState": running}}), |wait| wait)
    }

    #[test]
    fn a_revision_is_ready_once_it_runs_or_sleeps() {
        assert_eq!(state("Provisioned", "Running"), FoundState::Ready);
        assert_eq!(state("Provisioned", "ScaledToZero"), FoundState::Ready);
        for (provisioning, running) in [("Provisioning", ""), ("Provisioned", "Processing"), ("Provisioned", "SomethingNew")] {
            assert!(matches!(state(provisioning, running), FoundState::Making(_)), "{provisioning} {running}");
        }
        assert!(matches!(state("Failed", ""), FoundState::Failed { .. }));
    }

    #[test]
    fn a_label_stays_with_its_revision_while_visitors_go_to_another() {
        let present =
            [json!({"revisionName": "app--d1", "weight": 100, "label": "d1"}), json!({"latestRevision": true, "weight": 0})];
        let entries = traffic(&present, "app--d2", &[("app--d2".to_owned(), "d2".to_owned())]);
        let expected = json!([
            {"revisionName": "app--d2", "weight": 100, "label": "d2"},
            {"revisionName": "app--d1", "weight": 0, "label": "d1"},
        ]);
        assert_eq!(entries, expected);
    }
}
