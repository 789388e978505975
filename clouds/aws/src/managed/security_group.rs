use async_trait::async_trait;
use clouds_contract::{
    Asked, CloudError, Entry, Followed, Found, INSTALLATION_TAG, Key, Managed, Naming, Operation, Outputs, Owner,
};

use super::{done, there, unchanging};
use crate::answer::{code, found};
use crate::client::Client;
use crate::operations::{GROUP_ALLOW, GROUP_CREATE, GROUP_DELETE, GROUP_LIST};
use crate::request::Form;
use crate::xml::Element;

/// Kind of a security group.
pub(crate) const KIND: &str = "aws.ec2.security-group";

/// Those who may connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// Addresses of a prefix list, at port 80.
    PrefixList(String),
    /// Members of another group, at every port.
    Group(String),
}

/// A security group with one rule for those who may connect.
pub(crate) struct SecurityGroup<'a> {
    pub client: &'a Client,
    pub owner: Owner,
    pub region: &'a str,
    /// Part that it plays: `balancer` or `tasks`.
    pub purpose: String,
    /// Its network and its rule; nothing to remove it.
    pub wanted: Option<(String, Allowed, Outputs)>,
}

impl SecurityGroup<'_> {
    async fn get(&self, entry: &Entry) -> Result<Option<Element>, CloudError> {
        let form = match &entry.external_id {
            Some(id) => Form::default().list("GroupId", [id.as_str()]),
            None => Form::default().with("Filter.1.Name", "group-name").list("Filter.1.Value", [entry.name.as_str()]),
        };
        let answer = found(self.client.form(GROUP_LIST, self.region, form).await)?;
        Ok(answer.and_then(|answer| answer.items("securityGroupInfo").first().cloned()))
    }
}

fn allows(group: &Element, allowed: &Allowed) -> bool {
    group.items("ipPermissions").iter().any(|permission| match allowed {
        Allowed::PrefixList(id) => permission.items("prefixListIds").iter().any(|list| list.text_at("prefixListId") == id),
        Allowed::Group(id) => permission.items("groups").iter().any(|group| group.text_at("groupId") == id),
    })
}

#[async_trait]
impl Managed for SecurityGroup<'_> {
    fn key(&self) -> Key {
        Key { kind: KIND, purpose: self.purpose.clone(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        Naming::hyphens(63)
    }

    fn title(&self) -> String {
        format!("the security group for {}", if self.purpose == "tasks" { "tasks" } else { "the load balancer" })
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let Some(group) = self.get(entry).await? else { return Ok(None) };
        let tags = group.items("tagSet").iter().find(|tag| tag.text_at("key") == INSTALLATION_TAG);
        let owner = self.client.owner(tags.map(|tag| tag.text_at("value")));
        let is_current = self.wanted.as_ref().is_none_or(|(_, allowed, _)| allows(&group, allowed));
        Ok(Some(there(group.text_at("groupId"), owner, is_current, entry.outputs.clone())))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        let Some((network, _, tags)) = &self.wanted else { return Err(unchanging("a security group without a rule")) };
        let form = Form::default()
            .with("GroupName", &entry.name)
            .with("GroupDescription", "MikroCloud")
            .with("VpcId", network)
            .with("TagSpecification.1.ResourceType", "security-group")
            .tags("TagSpecification.1.Tag", tags);
        let made = self.client.form(GROUP_CREATE, self.region, form).await?;
        Ok(done(made.text_at("groupId")))
    }

    async fn update(&self, _entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        let Some((_, allowed, _)) = &self.wanted else { return Err(unchanging("a security group without a rule")) };
        let (first, last, name, value) = match allowed {
            Allowed::PrefixList(id) => ("80", "80", "PrefixListIds.1.PrefixListId", id),
            Allowed::Group(id) => ("0", "65535", "Groups.1.GroupId", id),
        };
        let form = Form::default()
            .with("GroupId", &found.id)
            .with("IpPermissions.1.IpProtocol", "tcp")
            .with("IpPermissions.1.FromPort", first)
            .with("IpPermissions.1.ToPort", last)
            .with(format!("IpPermissions.1.{name}"), value);
        match self.client.form(GROUP_ALLOW, self.region, form).await {
            Err(error) if code(&error) == "InvalidPermission.Duplicate" => Ok(done(&found.id)),
            result => result.map(|_| done(&found.id)),
        }
    }

    async fn delete(&self, _entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        self.client.form(GROUP_DELETE, self.region, Form::default().with("GroupId", &found.id)).await?;
        Ok(Asked::default())
    }

    async fn follow(&self, _operation: &Operation) -> Result<Followed, CloudError> {
        Ok(Followed::Unknown)
    }
}
