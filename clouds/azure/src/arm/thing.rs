use std::time::Duration;

use async_trait::async_trait;
use clouds_contract::guard::Call;
use clouds_contract::{
    Alphabet, Asked, CloudError, Entry, EntryState, ErrorKind, Followed, Found, FoundState, INSTALLATION_TAG, Key, Managed,
    Naming, Operation, Outputs, Owner, Ownership, Retry, Wait, Whose,
};
use http::Method;
use serde_json::{Value, json};

use super::{Arm, asked, follow};

/// Pause between two looks at a thing that is being made.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A type of the management API.
#[derive(Debug, Clone, Copy)]
pub struct Resource {
    /// Its kind in the journal, such as `azure.app`.
    pub kind: &'static str,
    /// Its title in the words of people, such as `the container app`.
    pub title: &'static str,
    /// The vendor's type, such as `Microsoft.App/containerApps`; empty for a resource group.
    pub azure_type: &'static str,
    /// Version of the API.
    pub api_version: &'static str,
    /// Rules for its name.
    pub naming: Naming,
    /// Values of it that others need, as names and pointers into the JSON.
    pub outputs: &'static [(&'static str, &'static str)],
    /// It carries tags.
    pub is_tagged: bool,
}

impl Resource {
    /// The service that calls of it are counted for: the provider.
    pub fn service(&self) -> &'static str {
        self.azure_type.split_once('/').map_or("Microsoft.Resources", |(provider, _)| provider)
    }
}

/// A thing of any type of the management API.
pub struct Thing<'a> {
    /// The client.
    pub arm: &'a Arm,
    /// Its type.
    pub resource: Resource,
    /// Its part in what it is made for.
    pub purpose: &'static str,
    /// Reason for its existence.
    pub owner: Owner,
    /// Owner of what is made.
    pub whose: &'a Whose,
    /// Path of what it is in: a resource group, or a thing's own id for its parts; `None` where nothing is at hand, to remove it.
    pub parent: Option<String>,
    /// Body of the request that makes it, without tags. Once made it is not changed any more: deployments are on it.
    pub body: Value,
}

/// State by `properties.provisioningState`. One that Azure added later is `Making`.
pub fn ready_when_succeeded(body: &Value) -> FoundState {
    let state = body["properties"]["provisioningState"].as_str().unwrap_or("Succeeded");
    let wait = || Wait { detail: format!("Azure says `{state}`"), retry_after: LOOK_EVERY };
    match state {
        "Succeeded" => FoundState::Ready,
        "Failed" | "Canceled" => FoundState::Failed {
            code: "PROVISIONING_FAILED",
            message: format!("Azure could not make it: it says `{state}`. Its activity log in the portal says more"),
        },
        "Deleting" => FoundState::Going(wait()),
        _ => FoundState::Making(wait()),
    }
}

impl Thing<'_> {
    /// Its id in the management API.
    fn path(&self, entry: &Entry) -> Option<String> {
        if let Some(id) = &entry.external_id {
            return Some(id.clone());
        }
        let parent = self.parent.as_ref()?;
        Some(match self.resource.azure_type.rsplit_once('/') {
            None => format!("{parent}/resourceGroups/{}", entry.name),
            // A part of a thing whose id the parent is.
            Some((_, part)) if parent.contains("/providers/") && !self.is_extension() => {
                format!("{parent}/{part}/{}", entry.name)
            }
            Some(_) => format!("{parent}/providers/{}/{}", self.resource.azure_type, self.last_name(entry)),
        })
    }

    /// Role assignments stand on the thing that they are for, and have a GUID for a name.
    fn is_extension(&self) -> bool {
        self.resource.azure_type == "Microsoft.Authorization/roleAssignments"
    }

    fn last_name(&self, entry: &Entry) -> String {
        if self.is_extension() { entry.token.to_string() } else { entry.name.clone() }
    }

    /// The id of a thing of which only the name is known: it was asked for, and the answer got lost.
    async fn by_name(&self, entry: &Entry) -> Result<Option<String>, CloudError> {
        let (kind, name) = (self.resource.azure_type, &entry.name);
        let list = match kind {
            "" => return Ok(Some(format!("{}/resourceGroups/{name}", self.arm.subscription()))),
            _ => {
                format!("{}/resources?$filter=resourceType%20eq%20'{kind}'%20and%20name%20eq%20'{name}'", self.arm.subscription())
            }
        };
        let found = self.arm.list(Call::freely("Microsoft.Resources", "resources.list"), &list, "2025-04-01").await?;
        Ok(found.iter().find(|thing| thing["name"] == name.as_str()).and_then(|thing| thing["id"].as_str()).map(str::to_owned))
    }

    fn tagged_body(&self) -> Value {
        let mut body = self.body.clone();
        if self.resource.is_tagged {
            body["tags"] = json!(self.whose.tags(self.owner));
        }
        body
    }

    fn ownership(&self, found: &Value) -> Ownership {
        if !self.resource.is_tagged {
            // Its name is one that nobody else has, or it is a part of a thing that is ours.
            return Ownership::Ours;
        }
        match found["tags"][INSTALLATION_TAG].as_str() {
            Some(installation) if installation == self.whose.installation => Ownership::Ours,
            Some(other) => Ownership::Others(format!("the installation {other}")),
            None => Ownership::Untagged,
        }
    }

    async fn put(&self, entry: &Entry, operation: &'static str) -> Result<Asked, CloudError> {
        let path = self.path(entry).ok_or_else(|| self.homeless())?;
        let call = Call::freely(self.resource.service(), operation);
        let answer = self.arm.send(call, Method::PUT, &path, self.resource.api_version, Some(&self.tagged_body())).await;
        let mut asked = asked(self.arm, &answer.map_err(taken)?);
        asked.id = asked.id.or(Some(path));
        Ok(asked)
    }

    fn homeless(&self) -> CloudError {
        let message = format!("{} has no place: the base that it needs is not there", self.resource.title);
        CloudError::new(ErrorKind::Internal, "INTERNAL", message)
    }

    /// A name of the world's that somebody else has: their thing is not to be seen, but the name says so.
    async fn stranger(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let provider = self.resource.service();
        if !self.resource.naming.is_global || entry.state != EntryState::Asked || entry.operation.is_some() {
            return Ok(None);
        }
        let path = format!("{}/providers/{provider}/checkNameAvailability", self.arm.subscription());
        let body = json!({"name": entry.name, "type": self.resource.azure_type});
        let call = Call::freely(provider, "checkNameAvailability");
        let answer = self.arm.send(call, Method::POST, &path, self.resource.api_version, Some(&body)).await?;
        if answer.body["nameAvailable"] != false || answer.body["reason"] != "AlreadyExists" {
            return Ok(None);
        }
        Ok(Some(Found {
            id: entry.name.clone(),
            state: FoundState::Ready,
            is_current: true,
            owner: Ownership::Others("somebody else in the world".to_owned()),
            version: None,
            outputs: Outputs::new(),
        }))
    }
}

#[async_trait]
impl Managed for Thing<'_> {
    fn key(&self) -> Key {
        Key { kind: self.resource.kind, purpose: self.purpose.to_owned(), owner: self.owner }
    }

    fn naming(&self) -> Naming {
        self.resource.naming
    }

    fn title(&self) -> String {
        self.resource.title.to_owned()
    }

    async fn find(&self, entry: &Entry) -> Result<Option<Found>, CloudError> {
        let path = match self.path(entry) {
            Some(path) => path,
            None => match self.by_name(entry).await? {
                Some(path) => path,
                None => return Ok(None),
            },
        };
        let call = Call::freely(self.resource.service(), "get");
        let Some(body) = self.arm.get(call, &path, self.resource.api_version).await? else { return self.stranger(entry).await };
        let mut outputs = Outputs::new();
        for (name, pointer) in self.resource.outputs {
            if let Some(value) = body.pointer(pointer).and_then(Value::as_str) {
                outputs.insert((*name).to_owned(), value.to_owned());
            }
        }
        Ok(Some(Found {
            id: body["id"].as_str().unwrap_or(&path).to_owned(),
            state: self.paced(ready_when_succeeded(&body)),
            is_current: true,
            owner: self.ownership(&body),
            version: body["etag"].as_str().map(str::to_owned),
            outputs,
        }))
    }

    async fn create(&self, entry: &Entry) -> Result<Asked, CloudError> {
        self.put(entry, "create").await
    }

    async fn update(&self, entry: &Entry, _found: &Found) -> Result<Asked, CloudError> {
        self.put(entry, "update").await
    }

    async fn delete(&self, _entry: &Entry, found: &Found) -> Result<Asked, CloudError> {
        let call = Call::freely(self.resource.service(), "delete");
        let answer = self.arm.send(call, Method::DELETE, &found.id, self.resource.api_version, None).await?;
        Ok(asked(self.arm, &answer))
    }

    async fn follow(&self, operation: &Operation) -> Result<Followed, CloudError> {
        follow(self.arm, operation, self.resource.title).await
    }
}

impl Thing<'_> {
    fn paced(&self, state: FoundState) -> FoundState {
        let pace = |wait: Wait| Wait { retry_after: self.arm.wire().pace(wait.retry_after), ..wait };
        match state {
            FoundState::Making(wait) => FoundState::Making(pace(wait)),
            FoundState::Going(wait) => FoundState::Going(pace(wait)),
            state => state,
        }
    }
}

/// Names of a storage account or a registry: small letters and digits, unique in the world.
pub const fn worldwide(longest: usize) -> Naming {
    Naming { alphabet: Alphabet::Alphanumeric, longest, is_global: true }
}

/// An answer about a name that somebody else has is looked at, not an end.
fn taken(error: CloudError) -> CloudError {
    let code = error.context().and_then(|context| context.vendor_code.as_deref());
    let is_taken = matches!(code, Some("StorageAccountAlreadyTaken" | "AlreadyInUse"));
    if is_taken { error.with_retry(Retry::Reread) } else { error }
}
