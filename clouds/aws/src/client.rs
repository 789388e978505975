//! The one client of AWS's APIs.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use clouds_contract::guard::Guards;
use clouds_contract::{CloudError, ErrorKind, INSTALLATION_TAG, Ownership, Wait};
use clouds_wire::Wire;
use http::Method;
use images::Collection;
use serde_json::Value;

use crate::answer::{Answer, found};
use crate::login::Login;
use crate::operations::Operation;
use crate::request::{Form, JsonApi, Request};
use crate::sender::Sender;
use crate::xml::Element;

/// The client of an account.
#[derive(Debug)]
pub(crate) struct Client {
    pub sender: Sender,
    pub guards: Arc<Guards>,
    pub login: Login,
    /// The account's number.
    pub account: String,
    /// The installation of MikroCloud.
    pub installation: String,
    /// Source of base images.
    pub base_images: Collection,
}

impl Client {
    /// Asks for something.
    pub async fn ask(&self, request: Request) -> Result<Answer, CloudError> {
        // A named type here keeps those of everything that is built on it short.
        let attempt =
            || -> Pin<Box<dyn Future<Output = Result<Answer, CloudError>> + Send + '_>> { Box::pin(self.attempt(&request)) };
        self.guards.call(request.call, attempt).await
    }

    /// Reads something; `None` if it does not exist.
    pub async fn find(&self, request: Request) -> Result<Option<Answer>, CloudError> {
        found(self.ask(request).await)
    }

    async fn attempt(&self, request: &Request) -> Result<Answer, CloudError> {
        let credentials = self.login.credentials().await?;
        match self.sender.send(request, &credentials).await {
            // A session may have ended before its time, and a new key is not known everywhere at once: one more.
            Err(error) if error.kind == ErrorKind::SignedOut => {
                self.login.forget(&credentials).await;
                let credentials = self.login.credentials().await?;
                self.sender.send(request, &credentials).await
            }
            result => result,
        }
    }

    /// Asks a region's service that takes JSON.
    pub async fn json(&self, operation: Operation, api: JsonApi, region: &str, body: Value) -> Result<Value, CloudError> {
        let answer = self.ask(Request::json(operation, api, region, &body)?).await?;
        // Some say nothing where there is nothing to say.
        if answer.body.is_empty() { Ok(Value::Null) } else { answer.json() }
    }

    /// Asks a region's service that takes forms.
    pub async fn form(&self, operation: Operation, region: &str, form: Form) -> Result<Element, CloudError> {
        self.ask(Request::regional(operation, region, &form)?).await?.xml()
    }

    /// Everything of a list of CloudFront's, page by page.
    pub async fn list(&self, operation: Operation, path: &str) -> Result<Vec<Element>, CloudError> {
        let (mut all, mut marker) = (Vec::new(), String::new());
        loop {
            let mut request = Request::cloudfront(operation, Method::GET, path)?;
            if !marker.is_empty() {
                request.url.query_pairs_mut().append_pair("Marker", &marker);
            }
            let answer = self.ask(request).await?.xml()?;
            all.extend(answer.items("Items").iter().cloned());
            let next = answer.text_at("NextMarker");
            if next.is_empty() || next == marker {
                return Ok(all);
            }
            next.clone_into(&mut marker);
        }
    }

    /// The way to AWS.
    pub fn wire(&self) -> &Wire {
        &self.sender.wire
    }

    /// A wait, shortened where the cloud is simulated.
    pub fn wait(&self, detail: impl Into<String>, time: Duration) -> Wait {
        Wait { detail: detail.into(), retry_after: self.wire().pace(time) }
    }

    /// Text that marks things without tags as ours.
    pub fn mark(&self) -> String {
        format!("{INSTALLATION_TAG}={}", self.installation)
    }

    /// Owner of a thing by its comment.
    pub fn owner_by_mark(&self, comment: &str) -> Ownership {
        let mark = comment.split_whitespace().find_map(|word| word.strip_prefix(INSTALLATION_TAG)?.strip_prefix('='));
        self.owner(mark)
    }

    /// Owner of a thing by the value of its tag.
    pub fn owner(&self, installation: Option<&str>) -> Ownership {
        match installation {
            Some(installation) if installation == self.installation => Ownership::Ours,
            Some(other) => Ownership::Others(format!("the installation {other}")),
            None => Ownership::Untagged,
        }
    }
}
