use std::time::Duration;

use async_trait::async_trait;
use clouds_contract::{Asked, CloudError, Entry, Followed, Found, FoundState, Key, Managed, Naming, Operation, Outputs, Owner};
use serde_json::{Value, json};

use super::task_definition::CONTAINER;
use super::{container_tags, done, installation, there, unchanging, until_known};
use crate::answer::found;
use crate::client::Client;
use crate::operations::{SERVICE_CREATE, SERVICE_DELETE, SERVICE_GET, SERVICE_UPDATE};
use crate::request::ECS;

/// Kind of a service.
pub(crate) const KIND: &str = "aws.ecs.service";

/// Output of an entry: ARN of the cluster, known before the service is there.
pub(crate) const CLUSTER: &str = "cluster";

/// Pause while it is being removed.
const POLL: Duration = Duration::from_secs(5);

/// Time for which a new task may be unhealthy, seconds.
const GRACE: u64 = 60;

/// Settings of a service.
#[derive(Debug, Clone)]
pub(crate) struct ServiceWanted {
    /// ARN of the task definition.
    pub definition: String,
    /// ARN of the target group.
    pub targets: String,
    pub port: u16,
    pub replicas: u32,
    pub subnets: Vec<String>,
    /// Id of the security group.
    pub group: String,
    pub tags: Outputs,
}

/// The tasks of a deployment that run.
pub(crate) struct Service<'a> {
    pub client: &'a Client,
    pub owner: Owner,
    pub region: &'a str,
    /// Settings to make it with; nothing to remove it.
    pub wanted: Option<ServiceWanted>,
}

/// State of a service's rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rollout {
    /// All its tasks run.
    Completed,
    /// They are being started; what ECS says of it.
    Going(String),
    /// They do not start; what ECS says of it.
    Failed(String),
}

/// A service as it is; `None` for one that is gone.
pub(crate) async fn get(client: &Client, region: &str, cluster: &str, name: &str) -> Result<Option<Value>, CloudError> {
    let body = json!({"cluster": cluster, "services": [name], "include": ["TAGS"]});
    let answer = found(client.json(SERVICE_GET, ECS, region, body).await)?.unwrap_or_default();
    let service = &answer["services"][0];
    // Services that were removed are seen for a while.
    let is_there = service["serviceArn"].is_string() && service["status"] != "INACTIVE";
    Ok(is_there.then(|| service.clone()))
}

/// Changes the number of tasks that are to run.
pub(crate) async fn scale(client: &Client, region: &str, cluster: &str, name: &str, count: u32) -> Result<(), CloudError> {
    let body = json!({"cluster": cluster, "service": name, "desiredCount": count});
    client.json(SERVICE_UPDATE, ECS, region, body).await.map(drop)
}

/// State of a service's rollout. States that AWS added later go on.
pub(crate) fn rollout(service: &Value) -> Rollout {
    let deployments = service["deployments"].as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(primary) = deployments.iter().find(|deployment| deployment["status"] == "PRIMARY") else {
        return Rollout::Going("no deployment yet".to_owned());
    };
    let reason = primary["rolloutStateReason"].as_str().unwrap_or_default().to_owned();
    let runs = service["runningCount"].as_u64() == service["desiredCount"].as_u64();
    match primary["rolloutState"].as_str() {
        Some("COMPLETED") if runs => Rollout::Completed,
        Some("FAILED") => Rollout::Failed(reason),
        _ => Rollout::Going(reason),
    }
}

#[async_trait]
impl Managed for Service<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: "app".to_owned(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(63)
    }

    fn title(&self) -> String {
        "the ECS service".to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let Some(cluster) = entry.outputs.get(CLUSTER) else { return Ok(None) };
        let Some(service) = get(self.client, self.region, cluster, &entry.name).await? else { return Ok(None) };
        let owner = self.client.owner(installation(&service));
        let count = service["desiredCount"].as_u64();
        let is_current = self.wanted.as_ref().is_none_or(|wanted| count == Some(u64::from(wanted.replicas)));
        let arn = service["serviceArn"].as_str().unwrap_or_default();
        let mut found = there(arn, owner, is_current, entry.outputs.clone());
        if service["status"] == "DRAINING" {
            found.state = FoundState::Going(self.client.wait("ECS to end the tasks", POLL));
        }
        Ok(Some(found))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let (Some(wanted), Some(cluster)) = (&self.wanted, entry.outputs.get(CLUSTER)) else {
            return Err(unchanging("a service without tasks"));
        };
        let body = json!({
            "cluster": cluster,
            "serviceName": entry.name,
            "clientToken": entry.token.to_string(),
            "taskDefinition": wanted.definition,
            "desiredCount": wanted.replicas,
            "launchType": "FARGATE",
            // Tasks have public addresses, since they pull images and no gateway is paid for; their group lets in the balancer alone.
            "networkConfiguration": {"awsvpcConfiguration": {
                "subnets": wanted.subnets, "securityGroups": [wanted.group], "assignPublicIp": "ENABLED",
            }},
            "loadBalancers": [{
                "targetGroupArn": wanted.targets, "containerName": CONTAINER, "containerPort": wanted.port,
            }],
            "healthCheckGracePeriodSeconds": GRACE,
            "deploymentConfiguration": {
                "deploymentCircuitBreaker": {"enable": true, "rollback": false},
                "maximumPercent": 200,
                "minimumHealthyPercent": 100,
            },
            "propagateTags": "SERVICE",
            "tags": container_tags(&wanted.tags),
        });
        let made = self.client.json(SERVICE_CREATE, ECS, self.region, body).await.map_err(until_known)?;
        Ok(done(made["service"]["serviceArn"].as_str().unwrap_or_default()))
    }

    async fn update(&self, entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        if let (Some(wanted), Some(cluster)) = (&self.wanted, entry.outputs.get(CLUSTER)) {
            scale(self.client, self.region, cluster, &entry.name, wanted.replicas).await?;
        }
        Ok(done(&found.id))
    }

    async fn delete(&self, entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        let body = json!({"cluster": entry.outputs.get(CLUSTER), "service": entry.name, "force": true});
        self.client.json(SERVICE_DELETE, ECS, self.region, body).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(state: &str, running: u64) -> Value {
        let primary = json!({"status": "PRIMARY", "rolloutState": state, "rolloutStateReason": "why"});
        json!({"desiredCount": 1, "runningCount": running, "deployments": [{"status": "ACTIVE", "rolloutState": "FAILED"}, primary]})
    }

    #[test]
    fn a_rollout_is_over_with_all_tasks_and_an_unknown_state_goes_on() {
        let going = Rollout::Going("why".to_owned());
        assert_eq!(rollout(&service("COMPLETED", 1)), Rollout::Completed);
        assert_eq!(rollout(&service("COMPLETED", 0)), going);
        assert_eq!(rollout(&service("IN_PROGRESS", 0)), going);
        assert_eq!(rollout(&service("NEW_STATE", 1)), going);
        assert_eq!(rollout(&service("FAILED", 0)), Rollout::Failed("why".to_owned()));
        assert!(matches!(rollout(&json!({})), Rollout::Going(_)));
    }
}
