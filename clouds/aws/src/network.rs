//! The network that servers are in: the account's own default one, which is used and never changed.

use std::collections::BTreeMap;

use clouds_contract::{CloudError, ErrorKind};

use crate::client::Client;
use crate::operations::{PREFIX_LIST, SUBNET_LIST, VPC_LIST};
use crate::request::Form;
use crate::xml::Element;

/// Name of the list of the addresses that CloudFront asks origins from ("Limit access to Application Load Balancers" of CloudFront).
const VISITORS: &str = "com.amazonaws.global.cloudfront.origin-facing";

/// Fewest zones of a load balancer (`CreateLoadBalancer`).
const ZONES: usize = 2;

/// A network with one subnet in each of its zones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Network {
    pub id: String,
    pub subnets: Vec<String>,
}

impl Network {
    /// The default network of a region. Fails with the remedy where there is none.
    pub async fn find(client: &Client, region: &str) -> Result<Self, CloudError> {
        let form = Form::default().with("Filter.1.Name", "is-default").with("Filter.1.Value.1", "true");
        let answer = client.form(VPC_LIST, region, form).await?;
        let Some(id) = answer.items("vpcSet").first().map(|network| network.text_at("vpcId").to_owned()) else {
            return Err(lacking(region, "no default VPC: `aws ec2 create-default-vpc` makes it"));
        };
        let form = Form::default().with("Filter.1.Name", "vpc-id").with("Filter.1.Value.1", &id);
        let answer = client.form(SUBNET_LIST, region, form).await?;
        let subnets = one_per_zone(answer.items("subnetSet"));
        if subnets.len() < ZONES {
            let reason = "fewer than two zones with a default subnet: `aws ec2 create-default-subnet` makes them";
            return Err(lacking(region, reason));
        }
        Ok(Self { id, subnets })
    }
}

fn lacking(region: &str, reason: &str) -> CloudError {
    let message = format!("the AWS account has in {region} {reason}, then deploy again");
    CloudError::new(ErrorKind::Invalid, "NETWORK_MISSING", message)
}

/// The default subnet of each zone.
fn one_per_zone(subnets: &[Element]) -> Vec<String> {
    let default = subnets.iter().filter(|subnet| subnet.text_at("defaultForAz") == "true");
    let zones: BTreeMap<_, _> =
        default.map(|subnet| (subnet.text_at("availabilityZone"), subnet.text_at("subnetId").to_owned())).collect();
    zones.into_values().collect()
}

/// Id of the list of the addresses that visitors' requests come from.
pub(crate) async fn visitors(client: &Client, region: &str) -> Result<String, CloudError> {
    let form = Form::default().with("Filter.1.Name", "prefix-list-name").with("Filter.1.Value.1", VISITORS);
    let answer = client.form(PREFIX_LIST, region, form).await?;
    let lists = answer.items("prefixListSet").iter();
    let list = lists.into_iter().find(|list| list.text_at("prefixListName") == VISITORS);
    list.map(|list| list.text_at("prefixListId").to_owned()).ok_or_else(|| lacking(region, "no prefix list of CloudFront"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_default_subnet_is_taken_in_each_zone() {
        let subnet = |id: &str, zone: &str, default: &str| {
            let fields =
                [Element::text("subnetId", id), Element::text("availabilityZone", zone), Element::text("defaultForAz", default)];
            Element::with("item", fields)
        };
        let all = [subnet("s1", "b", "true"), subnet("s2", "a", "true"), subnet("s3", "a", "false")];
        assert_eq!(one_per_zone(&all), ["s2", "s1"]);
    }
}
