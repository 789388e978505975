use async_trait::async_trait;
use clouds_contract::{
    Asked, CloudError, Entry, Followed, Found, INSTALLATION_TAG, Key, Managed, Naming, Operation, Outputs, Owner, Ownership,
};
use domain::id::DeploymentId;
use domain::secret::Secret;
use serde_json::{Value, json};

use super::files::short;
use super::{done, resource_tags, there, unchanging};
use crate::answer::found;
use crate::client::Client;
use crate::operations::{PARAMETER_DELETE, PARAMETER_GET, PARAMETER_PUT, PARAMETER_TAGS};
use crate::request::SSM;

/// Kind of a parameter.
pub(crate) const KIND: &str = "aws.ssm.parameter";

/// A variable of a deployment, stored encrypted. It is never read back: ECS gives its value to tasks.
pub(crate) struct Parameter<'a> {
    pub client: &'a Client,
    pub deployment: DeploymentId,
    pub region: &'a str,
    /// Name of the variable.
    pub variable: String,
    /// Value and tags; nothing to remove it.
    pub content: Option<(Secret, Outputs)>,
}

impl Parameter<'_> {
    fn path(&self) -> String {
        format!("/mikrocloud/{}/{}", short(self.deployment), self.variable)
    }

    fn arn(&self) -> String {
        format!("arn:aws:ssm:{}:{}:parameter{}", self.region, self.client.account, self.path())
    }
}

fn installation(tagged: &Value) -> Option<&str> {
    let tag = tagged["TagList"].as_array()?.iter().find(|tag| tag["Key"] == INSTALLATION_TAG)?;
    tag["Value"].as_str()
}

#[async_trait]
impl Managed for Parameter<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: self.variable.clone(), owner: Owner::Deployment(self.deployment) }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(63)
    }

    fn title(&self) -> String {
        format!("the parameter of the variable {}", self.variable)
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let path = self.path();
        if found(self.client.json(PARAMETER_GET, SSM, self.region, json!({"Name": path})).await)?.is_none() {
            return Ok(None);
        }
        let owner = if entry.external_id.is_some() {
            Ownership::Ours
        } else {
            let body = json!({"ResourceType": "Parameter", "ResourceId": path});
            let tagged = self.client.json(PARAMETER_TAGS, SSM, self.region, body).await?;
            self.client.owner(installation(&tagged))
        };
        Ok(Some(there(self.arn(), owner, true, entry.outputs.clone())))
    }

    async fn create(&self, _entry: &Entry) -> Result<Asked, CloudError> {
        let Some((value, tags)) = &self.content else { return Err(unchanging("a parameter without a value")) };
        let body = json!({
            "Name": self.path(), "Value": value.expose(), "Type": "SecureString", "Tier": "Standard", "Overwrite": false,
            "Tags": resource_tags(tags),
        });
        self.client.json(PARAMETER_PUT, SSM, self.region, body).await?;
        Ok(done(self.arn()))
    }

    async fn update(&self, _entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        Err(unchanging("a parameter"))
    }

    async fn delete(&self, _entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        self.client.json(PARAMETER_DELETE, SSM, self.region, json!({"Name": self.path()})).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}
