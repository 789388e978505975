use async_trait::async_trait;
use clouds_contract::{Asked, CloudError, Entry, Followed, Found, Key, Managed, Naming, Operation, Outputs, Owner};

use super::{balancing, done, there, unchanging};
use crate::answer::found;
use crate::client::Client;
use crate::operations::{HEALTH_LIST, TARGETS_CREATE, TARGETS_DELETE, TARGETS_LIST, TARGETS_MODIFY, TARGETS_READ};
use crate::request::Form;

/// Kind of a target group.
pub(crate) const KIND: &str = "aws.elb.target-group";

/// Attribute: seconds for which requests in progress may go on.
const DRAIN: (&str, &str) = ("deregistration_delay.timeout_seconds", "30");

/// Settings of a target group.
#[derive(Debug, Clone)]
pub(crate) struct TargetsWanted {
    /// Network.
    pub network: String,
    pub port: u16,
    /// Path that is asked for; any answer below 500 counts as healthy.
    pub health_path: String,
    pub tags: Outputs,
}

/// The tasks of a deployment, as the load balancer sees them.
pub(crate) struct TargetGroup<'a> {
    pub client: &'a Client,
    pub owner: Owner,
    pub region: &'a str,
    /// Settings to make it with; nothing to remove it.
    pub wanted: Option<TargetsWanted>,
}

/// Number of healthy targets of a group.
pub(crate) async fn healthy(client: &Client, region: &str, arn: &str) -> Result<usize, CloudError> {
    let answer = found(client.form(HEALTH_LIST, region, Form::default().with("TargetGroupArn", arn)).await)?.unwrap_or_default();
    let targets = answer.items("DescribeTargetHealthResult/TargetHealthDescriptions").iter();
    Ok(targets.filter(|target| target.text_at("TargetHealth/State") == "healthy").count())
}

impl TargetGroup<'_> {
    async fn drains(&self, arn: &str) -> Result<bool, CloudError> {
        let answer = self.client.form(TARGETS_READ, self.region, Form::default().with("TargetGroupArn", arn)).await?;
        let all = answer.items("DescribeTargetGroupAttributesResult/Attributes").iter();
        let mut all = all.map(|attribute| (attribute.text_at("Key"), attribute.text_at("Value")));
        Ok(all.any(|attribute| attribute == DRAIN))
    }
}

#[async_trait]
impl Managed for TargetGroup<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: "app".to_owned(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        // Names have 32 characters (CreateTargetGroup).
        Naming::hyphens(32)
    }

    fn title(&self) -> String {
        "the target group".to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let form = Form::default().list("Names.member", [entry.name.as_str()]);
        let Some(answer) = found(self.client.form(TARGETS_LIST, self.region, form).await)? else { return Ok(None) };
        let groups = answer.items("DescribeTargetGroupsResult/TargetGroups");
        let Some(arn) = groups.first().map(|group| group.text_at("TargetGroupArn")) else { return Ok(None) };
        let owner = balancing::owner(self.client, self.region, entry, arn).await?;
        let is_current = self.wanted.is_none() || self.drains(arn).await?;
        Ok(Some(there(arn, owner, is_current, entry.outputs.clone())))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let Some(wanted) = &self.wanted else { return Err(unchanging("a target group without a network")) };
        let form = Form::default()
            .with("Name", &entry.name)
            .with("Protocol", "HTTP")
            .with("Port", wanted.port.to_string())
            .with("VpcId", &wanted.network)
            .with("TargetType", "ip")
            .with("HealthCheckPath", &wanted.health_path)
            .with("HealthCheckIntervalSeconds", "10")
            .with("HealthCheckTimeoutSeconds", "5")
            .with("HealthyThresholdCount", "2")
            .with("UnhealthyThresholdCount", "3")
            .with("Matcher.HttpCode", "200-499")
            .tags("Tags.member", &wanted.tags);
        let made = self.client.form(TARGETS_CREATE, self.region, form).await?;
        Ok(done(made.text_at("CreateTargetGroupResult/TargetGroups/member/TargetGroupArn")))
    }

    async fn update(&self, _entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        let (name, value) = DRAIN;
        let form = Form::default()
            .with("TargetGroupArn", &found.id)
            .with("Attributes.member.1.Key", name)
            .with("Attributes.member.1.Value", value);
        self.client.form(TARGETS_MODIFY, self.region, form).await?;
        Ok(done(&found.id))
    }

    async fn delete(&self, _entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        self.client.form(TARGETS_DELETE, self.region, Form::default().with("TargetGroupArn", &found.id)).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}
