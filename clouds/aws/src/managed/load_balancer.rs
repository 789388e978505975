use std::time::Duration;

use async_trait::async_trait;
use clouds_contract::{Asked, CloudError, Entry, Followed, Found, FoundState, Key, Managed, Naming, Operation, Outputs, Owner};

use super::{balancing, done, there, unchanging};
use crate::answer::found;
use crate::client::Client;
use crate::operations::{BALANCER_CREATE, BALANCER_DELETE, BALANCER_LIST};
use crate::request::Form;

/// Kind of a load balancer.
pub(crate) const KIND: &str = "aws.elb.load-balancer";

/// Output: its host.
pub(crate) const HOST: &str = "host";

/// Pause while it is being made.
const POLL: Duration = Duration::from_secs(5);

/// Place and members of a load balancer.
#[derive(Debug, Clone)]
pub(crate) struct BalancerWanted {
    pub subnets: Vec<String>,
    /// Id of its security group.
    pub group: String,
    pub tags: Outputs,
}

/// The load balancer of an account and region.
pub(crate) struct LoadBalancer<'a> {
    pub client: &'a Client,
    pub owner: Owner,
    pub region: &'a str,
    /// Settings to make it with; nothing to remove it.
    pub wanted: Option<BalancerWanted>,
}

#[async_trait]
impl Managed for LoadBalancer<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: "servers".to_owned(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        // Names have 32 characters (CreateLoadBalancer).
        Naming::hyphens(32)
    }

    fn title(&self) -> String {
        "the load balancer".to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let form = Form::default().list("Names.member", [entry.name.as_str()]);
        let Some(answer) = found(self.client.form(BALANCER_LIST, self.region, form).await)? else { return Ok(None) };
        let Some(balancer) = answer.items("DescribeLoadBalancersResult/LoadBalancers").first() else { return Ok(None) };
        let arn = balancer.text_at("LoadBalancerArn");
        let owner = balancing::owner(self.client, self.region, entry, arn).await?;
        let mut outputs = entry.outputs.clone();
        outputs.insert(HOST.to_owned(), balancer.text_at("DNSName").to_owned());
        let state = match balancer.text_at("State/Code") {
            "active" | "active_impaired" => FoundState::Ready,
            "failed" => FoundState::Failed {
                code: "LOAD_BALANCER_FAILED",
                message: format!("AWS could not make the load balancer: {}", balancer.text_at("State/Reason")),
            },
            _ => FoundState::Making(self.client.wait("AWS to make the load balancer", POLL)),
        };
        Ok(Some(Found { state, ..there(arn, owner, true, outputs) }))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let Some(wanted) = &self.wanted else { return Err(unchanging("a load balancer without a network")) };
        let form = Form::default()
            .with("Name", &entry.name)
            .with("Type", "application")
            .with("Scheme", "internet-facing")
            .list("Subnets.member", wanted.subnets.iter().map(String::as_str))
            .list("SecurityGroups.member", [wanted.group.as_str()])
            .tags("Tags.member", &wanted.tags);
        let made = self.client.form(BALANCER_CREATE, self.region, form).await?;
        Ok(done(made.text_at("CreateLoadBalancerResult/LoadBalancers/member/LoadBalancerArn")))
    }

    async fn update(&self, _entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        Err(unchanging("a load balancer"))
    }

    async fn delete(&self, _entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        self.client.form(BALANCER_DELETE, self.region, Form::default().with("LoadBalancerArn", &found.id)).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}
