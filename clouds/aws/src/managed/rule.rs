use std::collections::BTreeSet;

use async_trait::async_trait;
use clouds_contract::{
    Asked, CloudError, Entry, ErrorKind, Followed, Found, Key, Managed, Naming, Operation, Outputs, Owner, Ownership,
};
use domain::id::PlacementId;
use sha2::{Digest as _, Sha256};

use super::distribution::place_name;
use super::{done, there, unchanging};
use crate::answer::found;
use crate::client::Client;
use crate::operations::{RULE_CREATE, RULE_DELETE, RULE_LIST, RULE_MODIFY};
use crate::request::Form;
use crate::routes::Routes;
use crate::xml::Element;

/// Kind of a rule.
pub(crate) const KIND: &str = "aws.elb.rule";

/// Output of an entry: ARN of the listener, known before the rule is there.
pub(crate) const LISTENER: &str = "listener";

/// Header by which CloudFront tells the load balancer whose request it is.
pub(crate) const HEADER: &str = "x-mikrocloud-place";

/// Priorities of rules: 1 up to this (`CreateRule`).
const PRIORITIES: u32 = 50_000;

/// The rule of an environment: requests with its header go to its target groups.
pub(crate) struct Rule<'a> {
    pub client: &'a Client,
    pub placement: PlacementId,
    pub region: &'a str,
    /// Its tags; nothing to remove it.
    pub tags: Option<Outputs>,
}

/// Value of the header of an environment: its name and a secret that follows from the token of the rule's entry, so that nobody sends
/// requests past the distribution.
pub(crate) fn header(placement: PlacementId, entry: &Entry) -> String {
    let secret = Sha256::new_with_prefix("place").chain_update(entry.token.as_bytes()).finalize();
    format!("{}.{}", place_name(placement), hex::encode(&secret[..16]))
}

/// A rule as it is.
pub(crate) async fn get(client: &Client, region: &str, arn: &str) -> Result<Option<Element>, CloudError> {
    let answer = found(client.form(RULE_LIST, region, Form::default().list("RuleArns.member", [arn])).await)?;
    Ok(answer.and_then(|answer| answer.items("DescribeRulesResult/Rules").first().cloned()))
}

/// Sends the requests of a rule elsewhere.
pub(crate) async fn set_routes(client: &Client, region: &str, arn: &str, routes: &Routes) -> Result<(), CloudError> {
    client.form(RULE_MODIFY, region, Form::default().with("RuleArn", arn).and(routes.write())).await.map(drop)
}

impl Rule<'_> {
    /// Rules of a listener, page by page; `None` if there is no such listener.
    async fn list(&self, listener: &str) -> Result<Option<Vec<Element>>, CloudError> {
        let (mut all, mut marker) = (Vec::new(), String::new());
        loop {
            let mut form = Form::default().with("ListenerArn", listener);
            if !marker.is_empty() {
                form = form.with("Marker", &marker);
            }
            let Some(answer) = found(self.client.form(RULE_LIST, self.region, form).await)? else { return Ok(None) };
            all.extend(answer.items("DescribeRulesResult/Rules").iter().cloned());
            let next = answer.text_at("DescribeRulesResult/NextMarker");
            if next.is_empty() || next == marker {
                return Ok(Some(all));
            }
            next.clone_into(&mut marker);
        }
    }
}

/// Returns true if a rule is for requests with this value of the header.
fn is_for(rule: &Element, value: &str) -> bool {
    rule.items("Conditions").iter().any(|condition| {
        condition.text_at("HttpHeaderConfig/HttpHeaderName").eq_ignore_ascii_case(HEADER)
            && condition.items("HttpHeaderConfig/Values").iter().any(|known| known.text == value)
    })
}

/// A priority that no rule has. Where it begins to search follows from the environment, so that two seldom meet.
fn free_priority(rules: &[Element], placement: PlacementId) -> Option<u32> {
    let taken: BTreeSet<u32> = rules.iter().filter_map(|rule| rule.text_at("Priority").parse().ok()).collect();
    let first = u32::try_from(placement.uuid().as_u128() % u128::from(PRIORITIES)).unwrap_or_default();
    (0..PRIORITIES).map(|step| (first + step) % PRIORITIES + 1).find(|priority| !taken.contains(priority))
}

#[async_trait]
impl Managed for Rule<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: "front".to_owned(), owner: Owner::Placement(self.placement) }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(63)
    }

    fn title(&self) -> String {
        "the rule of the load balancer".to_owned()
    }

    /// By its ARN, else by the header, whose secret nobody else knows.
    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let rule = match (&entry.external_id, entry.outputs.get(LISTENER)) {
            (Some(arn), _) => get(self.client, self.region, arn).await?,
            (None, Some(listener)) => {
                let value = header(self.placement, entry);
                self.list(listener).await?.unwrap_or_default().into_iter().find(|rule| is_for(rule, &value))
            }
            (None, None) => None,
        };
        Ok(rule.map(|rule| there(rule.text_at("RuleArn"), Ownership::Ours, true, entry.outputs.clone())))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let (Some(tags), Some(listener)) = (&self.tags, entry.outputs.get(LISTENER)) else {
            return Err(unchanging("a rule without a listener"));
        };
        let Some(rules) = self.list(listener).await? else {
            let message = "the load balancer lost its listener: disconnect and connect the account again";
            return Err(CloudError::new(ErrorKind::NotFound, "LISTENER_GONE", message));
        };
        let Some(priority) = free_priority(&rules, self.placement) else {
            let message = "every priority of the load balancer's rules is taken: remove environments";
            return Err(CloudError::new(ErrorKind::Exhausted, "QUOTA", message));
        };
        let form = Form::default()
            .with("ListenerArn", listener)
            .with("Priority", priority.to_string())
            .with("Conditions.member.1.Field", "http-header")
            .with("Conditions.member.1.HttpHeaderConfig.HttpHeaderName", HEADER)
            .with("Conditions.member.1.HttpHeaderConfig.Values.member.1", header(self.placement, entry))
            .and(Routes::default().write())
            .tags("Tags.member", tags);
        let made = self.client.form(RULE_CREATE, self.region, form).await?;
        Ok(done(made.text_at("CreateRuleResult/Rules/member/RuleArn")))
    }

    async fn update(&self, _entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        Err(unchanging("a rule"))
    }

    async fn delete(&self, _entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        self.client.form(RULE_DELETE, self.region, Form::default().with("RuleArn", &found.id)).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_priority_is_passed_over() {
        let placement = PlacementId::new();
        let first = free_priority(&[], placement).unwrap();
        let rule = Element::with("member", [Element::text("Priority", first.to_string())]);
        let usual = Element::with("member", [Element::text("Priority", "default")]);
        assert_eq!(free_priority(&[rule, usual], placement).unwrap(), first % PRIORITIES + 1);
        assert!((1..=PRIORITIES).contains(&first));
    }
}
