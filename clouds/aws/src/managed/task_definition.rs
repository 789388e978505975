use async_trait::async_trait;
use clouds_contract::{Asked, CloudError, Entry, ErrorKind, Followed, Found, Key, Managed, Naming, Operation, Outputs, Owner};
use serde_json::{Value, json};

use super::{container_tags, done, installation, there, unchanging, until_known};
use crate::answer::code;
use crate::client::Client;
use crate::operations::{DEFINITION_DELETE, DEFINITION_DEREGISTER, DEFINITION_GET, DEFINITION_REGISTER};
use crate::request::ECS;
use crate::sizes::Size;

/// Kind of a task definition.
pub(crate) const KIND: &str = "aws.ecs.task-definition";

/// Name of the one container.
pub(crate) const CONTAINER: &str = "app";

/// Output of an entry: port of the container.
pub(crate) const PORT: &str = "port";

/// Description of a task.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    /// Image, by digest.
    pub image: String,
    pub port: u16,
    pub size: Size,
    /// ARN of the role by which it is started.
    pub role: String,
    /// Log group.
    pub logs: String,
    /// Variables with their values.
    pub plain: Vec<(String, String)>,
    /// Variables with the ARNs of their parameters.
    pub parameters: Vec<(String, String)>,
    pub tags: Outputs,
}

/// The task definition of a deployment.
pub(crate) struct TaskDefinition<'a> {
    pub client: &'a Client,
    pub owner: Owner,
    pub region: &'a str,
    /// Description of its tasks; nothing to remove it.
    pub task: Option<Task>,
}

impl Task {
    fn write(&self, family: &str, region: &str) -> Value {
        let pairs = |field: &str, all: &[(String, String)]| -> Vec<Value> {
            all.iter().map(|(name, value)| json!({"name": name, field: value})).collect()
        };
        let container = json!({
            "name": CONTAINER,
            "image": self.image,
            "essential": true,
            "memory": self.size.memory_mib,
            "portMappings": [{"containerPort": self.port, "protocol": "tcp"}],
            "environment": pairs("value", &self.plain),
            "secrets": pairs("valueFrom", &self.parameters),
            "logConfiguration": {"logDriver": "awslogs", "options": {
                "awslogs-group": self.logs, "awslogs-region": region, "awslogs-stream-prefix": "app",
            }},
        });
        json!({
            "family": family,
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
            "cpu": self.size.units.to_string(),
            "memory": self.size.memory_mib.to_string(),
            "executionRoleArn": self.role,
            "containerDefinitions": [container],
            "tags": container_tags(&self.tags),
        })
    }
}

/// ECS has one code for everything that a caller did wrong.
fn is_missing(error: &CloudError) -> bool {
    error.kind == ErrorKind::NotFound
        || (code(error) == "ClientException" && error.message.contains("Unable to describe task definition"))
}

#[async_trait]
impl Managed for TaskDefinition<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: "app".to_owned(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(63)
    }

    fn title(&self) -> String {
        "the task definition".to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let name = entry.external_id.as_ref().unwrap_or(&entry.name);
        let body = json!({"taskDefinition": name, "include": ["TAGS"]});
        let answer = match self.client.json(DEFINITION_GET, ECS, self.region, body).await {
            Err(error) if is_missing(&error) => return Ok(None),
            answer => answer?,
        };
        let definition = &answer["taskDefinition"];
        // One that is being removed is seen for as long as a service of before uses it.
        let (Some(arn), false) = (definition["taskDefinitionArn"].as_str(), definition["status"] == "DELETE_IN_PROGRESS") else {
            return Ok(None);
        };
        Ok(Some(there(arn, self.client.owner(installation(&answer)), true, entry.outputs.clone())))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let Some(task) = &self.task else { return Err(unchanging("a task definition without tasks")) };
        let body = task.write(&entry.name, self.region);
        let made = self.client.json(DEFINITION_REGISTER, ECS, self.region, body).await.map_err(until_known)?;
        Ok(done(made["taskDefinition"]["taskDefinitionArn"].as_str().unwrap_or_default()))
    }

    async fn update(&self, _entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        Err(unchanging("a task definition"))
    }

    /// Deregisters it first: ECS removes only what nobody can start any more.
    async fn delete(&self, _entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        self.client.json(DEFINITION_DEREGISTER, ECS, self.region, json!({"taskDefinition": found.id})).await?;
        self.client.json(DEFINITION_DELETE, ECS, self.region, json!({"taskDefinitions": [found.id]})).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}
