use async_trait::async_trait;
use clouds_contract::{Asked, CloudError, Entry, Followed, Found, Key, Managed, Naming, Operation, Owner, Ownership};

use super::{done, there, unchanging};
use crate::answer::found;
use crate::client::Client;
use crate::operations::{LISTENER_CREATE, LISTENER_DELETE, LISTENER_LIST};
use crate::request::Form;

/// Kind of a listener.
pub(crate) const KIND: &str = "aws.elb.listener";

/// Output of an entry: ARN of the load balancer, known before the listener is there.
pub(crate) const BALANCER: &str = "balancer";

/// The listener of our load balancer for HTTP. It refuses what no rule lets in.
pub(crate) struct Listener<'a> {
    pub client: &'a Client,
    pub owner: Owner,
    pub region: &'a str,
}

#[async_trait]
impl Managed for Listener<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: "http".to_owned(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(63)
    }

    fn title(&self) -> String {
        "the listener of the load balancer".to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let Some(balancer) = entry.outputs.get(BALANCER) else { return Ok(None) };
        let form = Form::default().with("LoadBalancerArn", balancer);
        let Some(answer) = found(self.client.form(LISTENER_LIST, self.region, form).await)? else { return Ok(None) };
        let all = answer.items("DescribeListenersResult/Listeners").iter();
        let ours = all.into_iter().find(|listener| listener.text_at("Port") == "80");
        Ok(ours.map(|listener| there(listener.text_at("ListenerArn"), Ownership::Ours, true, entry.outputs.clone())))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let Some(balancer) = entry.outputs.get(BALANCER) else { return Err(unchanging("a listener without a load balancer")) };
        let form = Form::default()
            .with("LoadBalancerArn", balancer)
            .with("Protocol", "HTTP")
            .with("Port", "80")
            .with("DefaultActions.member.1.Type", "fixed-response")
            .with("DefaultActions.member.1.FixedResponseConfig.StatusCode", "403");
        let made = self.client.form(LISTENER_CREATE, self.region, form).await?;
        Ok(done(made.text_at("CreateListenerResult/Listeners/member/ListenerArn")))
    }

    async fn update(&self, _entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        Err(unchanging("a listener"))
    }

    async fn delete(&self, _entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        self.client.form(LISTENER_DELETE, self.region, Form::default().with("ListenerArn", &found.id)).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}
