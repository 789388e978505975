use std::sync::Arc;

use async_trait::async_trait;
use clouds_contract::guard::ServiceHealth;
use clouds_contract::{Account, Base, CloudError, INSTALLATION_TAG, Outputs, Ownership, Progress, Scope, Tagged, Verification};
use domain::id::BaseId;
use http::Method;
use serde_json::{Value, json};

use crate::answer::code;
use crate::base::{dismantle, prepare};
use crate::client::Client;
use crate::managed::{
    access_control, bucket, cluster, distribution, function, load_balancer, log_group, parameter, repository, security_group,
    service, store, target_group, task_definition,
};
use crate::operations::{ACCESS_LIST, BUCKET_LIST, BUCKET_TAGS_GET, DISTRIBUTION_LIST, FUNCTION_LIST, STORE_LIST, TAGGED_LIST};
use crate::request::{Request, TAGGING};
use crate::verify::verify;
use crate::xml::Element;

/// First part of every name that we give.
const NAMES: &str = "mc-";

/// An opened account, with an access key or a role.
pub(crate) struct AwsAccount {
    client: Arc<Client>,
}

impl AwsAccount {
    pub fn new(client: Arc<Client>) -> Self {
        Self { client }
    }

    /// Things of CloudFront whose comment carries our mark.
    fn marked(&self, kind: &str, all: &[Element], comment: &str) -> Vec<Tagged> {
        let ours = all.iter().filter(|thing| self.client.owner_by_mark(thing.text_at(comment)) == Ownership::Ours);
        let tags = Outputs::from([(INSTALLATION_TAG.to_owned(), self.client.installation.clone())]);
        ours.map(|thing| Tagged { kind: kind.to_owned(), name: thing.text_at("Name").to_owned(), tags: tags.clone() }).collect()
    }

    fn is_ours(&self, tags: &Outputs) -> bool {
        tags.get(INSTALLATION_TAG) == Some(&self.client.installation)
    }

    async fn distributions(&self) -> Result<Vec<Tagged>, CloudError> {
        let mut found = Vec::new();
        let all = self.client.list(DISTRIBUTION_LIST, "distribution").await?;
        for distribution in all.iter().filter(|distribution| distribution.text_at("Comment").starts_with(NAMES)) {
            let tags = distribution::tags(&self.client, distribution.text_at("ARN")).await?;
            if self.is_ours(&tags) {
                found.push(Tagged {
                    kind: distribution::KIND.to_owned(),
                    name: distribution.text_at("Comment").to_owned(),
                    tags,
                });
            }
        }
        Ok(found)
    }

    async fn buckets(&self, region: &str) -> Result<Vec<Tagged>, CloudError> {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let mut query = vec![("bucket-region", region), ("prefix", NAMES), ("max-buckets", "1000")];
            if !token.is_empty() {
                query.push(("continuation-token", &token));
            }
            let listed = self.client.ask(Request::buckets(BUCKET_LIST, region, &query)?).await?.xml()?;
            for name in listed.items("Buckets").iter().map(|bucket| bucket.text_at("Name")).filter(|name| name.starts_with(NAMES))
            {
                let request = Request::s3(BUCKET_TAGS_GET, Method::GET, (region, name), "", &[("tagging", "")])?;
                let tags = match self.client.ask(request).await {
                    Ok(answer) => bucket::tags(&answer.xml()?),
                    Err(error) if matches!(code(&error), "NoSuchTagSet" | "NoSuchBucket") => continue,
                    Err(error) => return Err(error),
                };
                if self.is_ours(&tags) {
                    found.push(Tagged { kind: bucket::KIND.to_owned(), name: name.to_owned(), tags });
                }
            }
            let next = listed.text_at("ContinuationToken").to_owned();
            if next.is_empty() || next == token {
                return Ok(found);
            }
            token = next;
        }
    }
}

/// Types of a region's things that are looked for by their tags; each with the part of its ARN that tells it, and our kind.
const TYPES: [(&str, &str, &str); 9] = [
    ("ec2:security-group", ":security-group/", security_group::KIND),
    ("ecr:repository", ":repository/", repository::KIND),
    ("ecs:cluster", ":cluster/", cluster::KIND),
    ("ecs:service", ":service/", service::KIND),
    ("ecs:task-definition", ":task-definition/", task_definition::KIND),
    ("elasticloadbalancing:loadbalancer", ":loadbalancer/", load_balancer::KIND),
    ("elasticloadbalancing:targetgroup", ":targetgroup/", target_group::KIND),
    ("logs:log-group", ":log-group:", log_group::KIND),
    ("ssm:parameter", ":parameter/", parameter::KIND),
];

/// A thing of a region as Resource Groups Tagging describes it; `None` for types that are not ours.
fn of_region(found: &Value) -> Option<Tagged> {
    let arn = found["ResourceARN"].as_str()?;
    let (kind, rest) = TYPES.iter().find_map(|(_, part, kind)| Some((*kind, arn.split_once(part)?.1)))?;
    let tags = found["Tags"].as_array()?.iter();
    let tags = tags.filter_map(|tag| Some((tag["Key"].as_str()?.to_owned(), tag["Value"].as_str()?.to_owned())));
    Some(Tagged { kind: kind.to_owned(), name: rest.to_owned(), tags: tags.collect() })
}

impl AwsAccount {
    /// What servers of a region consist of. Roles cannot be looked for by their tags.
    async fn servers(&self, region: &str) -> Result<Vec<Tagged>, CloudError> {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let body = json!({
                "TagFilters": [{"Key": INSTALLATION_TAG, "Values": [self.client.installation]}],
                "ResourceTypeFilters": TYPES.map(|(name, _, _)| name),
                "PaginationToken": token,
            });
            let answer = self.client.json(TAGGED_LIST, TAGGING, region, body).await?;
            found.extend(answer["ResourceTagMappingList"].as_array().into_iter().flatten().filter_map(of_region));
            let next = answer["PaginationToken"].as_str().unwrap_or_default().to_owned();
            if next.is_empty() || next == token {
                return Ok(found);
            }
            token = next;
        }
    }
}

#[async_trait]
impl Account for AwsAccount {
    async fn verify(&self, _region: &str) -> Result<Verification, CloudError> {
        verify(&self.client).await
    }

    async fn prepare(&self, base: Base, id: BaseId, scope: &Scope<'_>) -> Result<Progress<Outputs>, CloudError> {
        prepare(&self.client, base, id, scope).await
    }

    async fn dismantle(&self, _base: Base, id: BaseId, scope: &Scope<'_>) -> Result<Progress, CloudError> {
        dismantle(&self.client, id, scope).await
    }

    /// Buckets and servers of the region; what CloudFront has is of all regions.
    async fn tagged(&self, region: &str) -> Result<Vec<Tagged>, CloudError> {
        let mut all = self.distributions().await?;
        let controls = self.client.list(ACCESS_LIST, access_control::PATH).await?;
        all.extend(self.marked(access_control::KIND, &controls, "Description"));
        let functions = self.client.list(FUNCTION_LIST, "function").await?;
        all.extend(self.marked(function::KIND, &functions, "FunctionConfig/Comment"));
        let stores = self.client.list(STORE_LIST, "key-value-store").await?;
        all.extend(self.marked(store::KIND, &stores, "Comment"));
        all.extend(self.buckets(region).await?);
        all.extend(self.servers(region).await?);
        Ok(all)
    }

    fn health(&self) -> Vec<ServiceHealth> {
        self.client.guards.health()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_told_by_their_arns() {
        let tagged = |arn: &str| of_region(&json!({"ResourceARN": arn, "Tags": [{"Key": "a", "Value": "b"}]}));
        let found = tagged("arn:aws:ecs:eu-west-1:1:service/mc-shared/mc-shop").unwrap();
        assert_eq!((found.kind.as_str(), found.name.as_str()), (service::KIND, "mc-shared/mc-shop"));
        assert_eq!(found.tags, Outputs::from([("a".to_owned(), "b".to_owned())]));
        assert_eq!(tagged("arn:aws:logs:eu-west-1:1:log-group:mc-shop").unwrap().name, "mc-shop");
        assert_eq!(tagged("arn:aws:rds:eu-west-1:1:db:other"), None);
    }
}
