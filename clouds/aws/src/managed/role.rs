use async_trait::async_trait;
use clouds_contract::{
    Asked, CloudError, Entry, Followed, Found, INSTALLATION_TAG, Key, Managed, Naming, Operation, Outputs, Owner,
};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{done, there, unchanging};
use crate::client::Client;
use crate::operations::{ROLE_CREATE, ROLE_DELETE, ROLE_GET, ROLE_POLICY_DELETE, ROLE_POLICY_GET, ROLE_POLICY_PUT};
use crate::request::{Form, Request};

/// Kind of a role.
pub(crate) const KIND: &str = "aws.iam.role";

/// Name of its one policy.
const POLICY: &str = "tasks";

/// Longest name of a role (`CreateRole` of IAM).
const LONGEST_NAME: usize = 64;

/// The role by which ECS starts tasks: it pulls images, reads variables and writes logs. What runs in a task has no rights at all.
pub(crate) struct Role<'a> {
    pub client: &'a Client,
    pub owner: Owner,
    pub region: &'a str,
    /// Its tags; nothing to remove it.
    pub tags: Option<Outputs>,
}

impl Role<'_> {
    fn policy(&self) -> Value {
        let (region, account) = (self.region, &self.client.account);
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
            {
                "Effect": "Allow",
                "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                "Resource": format!("arn:aws:ecr:{region}:{account}:repository/mc-*"),
            },
            {
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": format!("arn:aws:logs:{region}:{account}:log-group:mc-*:*"),
            },
            {
                "Effect": "Allow",
                "Action": "ssm:GetParameters",
                "Resource": format!("arn:aws:ssm:{region}:{account}:parameter/mikrocloud/*"),
            },
        ]})
    }

    async fn has_policy(&self, name: &str) -> Result<bool, CloudError> {
        let form = Form::default().with("RoleName", name).with("PolicyName", POLICY);
        let Some(answer) = self.client.find(Request::iam_form(ROLE_POLICY_GET, &form)?).await? else { return Ok(false) };
        let document = answer.xml()?;
        let text = percent_decode_str(document.text_at("GetRolePolicyResult/PolicyDocument")).decode_utf8_lossy().into_owned();
        Ok(serde_json::from_str::<Value>(&text).is_ok_and(|found| found == self.policy()))
    }
}

#[async_trait]
impl Managed for Role<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: "execution".to_owned(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(LONGEST_NAME)
    }

    fn title(&self) -> String {
        "the role by which ECS starts tasks".to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let request = Request::iam_form(ROLE_GET, &Form::default().with("RoleName", &entry.name))?;
        let Some(answer) = self.client.find(request).await? else { return Ok(None) };
        let document = answer.xml()?;
        let Some(role) = document.at("GetRoleResult/Role") else { return Ok(None) };
        let tag = role.items("Tags").iter().find(|tag| tag.text_at("Key") == INSTALLATION_TAG);
        let owner = self.client.owner(tag.map(|tag| tag.text_at("Value")));
        let is_current = self.tags.is_none() || self.has_policy(&entry.name).await?;
        Ok(Some(there(role.text_at("Arn"), owner, is_current, entry.outputs.clone())))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole",
        }]});
        let form = Form::default()
            .with("RoleName", &entry.name)
            .with("AssumeRolePolicyDocument", trust.to_string())
            .with("Description", "Starts tasks of MikroCloud")
            .tags("Tags.member", self.tags.iter().flatten());
        let made = self.client.ask(Request::iam_form(ROLE_CREATE, &form)?).await?.xml()?;
        Ok(done(made.text_at("CreateRoleResult/Role/Arn")))
    }

    async fn update(&self, entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        if self.tags.is_none() {
            return Err(unchanging("a role without rights"));
        }
        let form = Form::default()
            .with("RoleName", &entry.name)
            .with("PolicyName", POLICY)
            .with("PolicyDocument", self.policy().to_string());
        self.client.ask(Request::iam_form(ROLE_POLICY_PUT, &form)?).await?;
        Ok(done(&found.id))
    }

    /// Removes its policy first: IAM keeps roles with one.
    async fn delete(&self, entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        let name = Form::default().with("RoleName", &entry.name);
        let policy = name.clone().with("PolicyName", POLICY);
        self.client.find(Request::iam_form(ROLE_POLICY_DELETE, &policy)?).await?;
        self.client.ask(Request::iam_form(ROLE_DELETE, &name)?).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}
