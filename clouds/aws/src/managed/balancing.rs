//! Common parts of Elastic Load Balancing's things.

use clouds_contract::{CloudError, Entry, INSTALLATION_TAG, Outputs, Ownership};

use crate::answer::found;
use crate::client::Client;
use crate::operations::BALANCING_TAGS;
use crate::request::Form;
use crate::xml::Element;

/// Tags of a thing.
pub(crate) async fn tags(client: &Client, region: &str, arn: &str) -> Result<Outputs, CloudError> {
    let asked = client.form(BALANCING_TAGS, region, Form::default().list("ResourceArns.member", [arn])).await;
    let document = found(asked)?.unwrap_or_default();
    let tag = |tag: &Element| (tag.text_at("Key").to_owned(), tag.text_at("Value").to_owned());
    Ok(document.items("DescribeTagsResult/TagDescriptions/member/Tags").iter().map(tag).collect())
}

/// Owner of a thing; one whose ARN we wrote down is ours.
pub(super) async fn owner(client: &Client, region: &str, entry: &Entry, arn: &str) -> Result<Ownership, CloudError> {
    if entry.external_id.is_some() {
        return Ok(Ownership::Ours);
    }
    Ok(client.owner(tags(client, region, arn).await?.get(INSTALLATION_TAG).map(String::as_str)))
}
