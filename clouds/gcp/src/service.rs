//! Services of Cloud Run as the Admin API v2 describes them: which revision gets the traffic, and which have tags.

use domain::id::DeploymentId;
use serde_json::{Value, json};

/// Type of a traffic target that names a revision.
const NAMED: &str = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION";

/// Longest name of a service: with a tag of 13 characters it has 46, the most that addresses of tags take
/// (cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration).
pub(crate) const LONGEST_NAME: usize = 33;

/// Tag of a deployment, which makes its address and the end of its revision's name.
pub(crate) fn tag(deployment: DeploymentId) -> String {
    let digits = deployment.uuid().simple().to_string();
    format!("d{}", &digits[digits.len() - 12..])
}

/// Name of a deployment's revision.
pub(crate) fn revision(service: &str, deployment: DeploymentId) -> String {
    format!("{service}-{}", tag(deployment))
}

/// Last part of a resource's name.
pub(crate) fn short(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Host in an address such as `https://web-x-ew.a.run.app`.
pub(crate) fn host(address: &str) -> Option<&str> {
    address.strip_prefix("https://").map(|rest| rest.trim_end_matches('/')).filter(|host| !host.is_empty())
}

/// Returns true while a change of the service is under way.
pub(crate) fn is_changing(service: &Value) -> bool {
    service["reconciling"] == json!(true)
}

/// Reason for which a service or revision is not as it should be, in Google's words.
pub(crate) fn failure(service: &Value) -> Option<&str> {
    let condition = &service["terminalCondition"];
    (condition["state"] == json!("CONDITION_FAILED")).then(|| condition["message"].as_str().unwrap_or("Google says no more"))
}

/// Part of the traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    revision: String,
    percent: i64,
    tag: Option<String>,
}

/// Traffic of a service: revisions by name with weights and tags.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Traffic(Vec<Target>);

impl Traffic {
    /// The traffic that was asked for. `latest` becomes the name of the revision that it stands for.
    pub fn wanted(service: &Value) -> Self {
        Self::read(service, "traffic")
    }

    /// The traffic as it goes.
    pub fn present(service: &Value) -> Self {
        Self::read(service, "trafficStatuses")
    }

    fn read(service: &Value, field: &str) -> Self {
        let name = |field: &str| service[field].as_str().map(short).filter(|name| !name.is_empty());
        let latest = name("latestReadyRevision").or_else(|| name("latestCreatedRevision"));
        let targets = service[field].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut read = Self::default();
        for target in targets {
            let Some(revision) = target["revision"].as_str().map(short).filter(|name| !name.is_empty()).or(latest) else {
                continue;
            };
            let tag = target["tag"].as_str().filter(|tag| !tag.is_empty()).map(str::to_owned);
            read.add(revision, target["percent"].as_i64().unwrap_or(0), tag);
        }
        read
    }

    fn add(&mut self, revision: &str, percent: i64, tag: Option<String>) {
        match self.0.iter_mut().find(|target| target.revision == revision && (tag.is_none() || target.tag.is_none())) {
            Some(target) => {
                target.percent += percent;
                target.tag = target.tag.take().or(tag);
            }
            None => self.0.push(Target { revision: revision.to_owned(), percent, tag }),
        }
    }

    /// The revision that all visitors see.
    pub fn shown(&self) -> Option<&str> {
        self.0.iter().find(|target| target.percent == 100).map(|target| target.revision.as_str())
    }

    /// Returns true if a revision is seen by anybody or has a tag.
    pub fn has(&self, revision: &str) -> bool {
        self.0.iter().any(|target| target.revision == revision)
    }

    /// Returns true if a revision has this tag.
    pub fn has_tag(&self, revision: &str, tag: &str) -> bool {
        self.0.iter().any(|target| target.revision == revision && target.tag.as_deref() == Some(tag))
    }

    /// The same without what never got there: a revision that failed must not hold up the others.
    pub fn settled(mut self, service: &Value) -> Self {
        let present = Self::present(service);
        if !present.0.is_empty() {
            self.0.retain(|target| present.has(&target.revision));
        }
        self
    }

    /// The same with a tag for a revision, which gets all visitors only if nobody else does.
    pub fn tagged(mut self, revision: &str, tag: &str) -> Self {
        let percent = 100 - self.0.iter().map(|target| target.percent).sum::<i64>();
        self.0.retain(|target| target.tag.as_deref() != Some(tag) || target.revision == revision);
        self.add(revision, percent.max(0), Some(tag.to_owned()));
        self
    }

    /// The same with all visitors at a revision.
    pub fn showing(mut self, revision: &str) -> Self {
        self.0.retain(|target| target.tag.is_some() || target.revision == revision);
        for target in &mut self.0 {
            target.percent = 0;
        }
        self.add(revision, 100, None);
        self
    }

    /// The same without a revision, which must not be the one that visitors see.
    pub fn without(mut self, revision: &str) -> Self {
        self.0.retain(|target| target.revision != revision);
        self
    }

    /// The traffic as it is asked for.
    pub fn write(&self) -> Value {
        let targets = self.0.iter().map(|target| {
            let mut written = json!({"type": NAMED, "revision": target.revision, "percent": target.percent});
            if let Some(tag) = &target.tag {
                written["tag"] = json!(tag);
            }
            written
        });
        targets.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(traffic: &Value) -> Value {
        json!({"latestReadyRevision": "projects/p/locations/l/services/s/revisions/s-d1", "traffic": traffic})
    }

    #[test]
    fn a_new_revision_gets_a_tag_and_no_visitors() {
        let first = service(&json!([{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100, "tag": "d1"}]));
        let written = Traffic::wanted(&first).tagged("s-d2", "d2").write();
        let expected = json!([
            {"type": NAMED, "revision": "s-d1", "percent": 100, "tag": "d1"},
            {"type": NAMED, "revision": "s-d2", "percent": 0, "tag": "d2"},
        ]);
        assert_eq!(written, expected);
    }

    #[test]
    fn switching_there_and_back_keeps_the_tags() {
        let both = service(&json!([
            {"type": NAMED, "revision": "s-d1", "percent": 100, "tag": "d1"},
            {"type": NAMED, "revision": "s-d2", "tag": "d2"},
        ]));
        let before = Traffic::wanted(&both);
        let after = before.clone().showing("s-d2");
        assert_eq!((after.shown(), after.has_tag("s-d1", "d1")), (Some("s-d2"), true));
        assert_eq!(after.showing("s-d1"), before);
        assert_eq!(before.without("s-d2").write().as_array().unwrap().len(), 1);
    }

    #[test]
    fn what_never_got_there_is_dropped_and_a_service_without_visitors_gets_them() {
        let mut failed = service(&json!([
            {"type": NAMED, "revision": "s-d1", "percent": 100},
            {"type": NAMED, "revision": "s-d2", "tag": "d2"},
        ]));
        failed["trafficStatuses"] = json!([{"type": NAMED, "revision": "s-d1", "percent": 100}]);
        assert!(!Traffic::wanted(&failed).settled(&failed).has("s-d2"));
        let empty = json!({"traffic": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}]});
        assert_eq!(Traffic::wanted(&empty).tagged("s-d3", "d3").shown(), Some("s-d3"));
    }

    #[test]
    fn names_of_a_deployment_fit_cloud_run() {
        let id = DeploymentId::new();
        assert_eq!(tag(id).len(), 13);
        assert_eq!(revision("web", id), format!("web-{}", tag(id)));
        assert_eq!(host("https://web-x-ew.a.run.app"), Some("web-x-ew.a.run.app"));
        assert_eq!(host("http://x"), None);
    }
}
