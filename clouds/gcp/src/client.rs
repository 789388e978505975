//! The one client of Google's REST APIs.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clouds_contract::guard::Guards;
use clouds_contract::{CloudError, ErrorKind, Followed, Found, Operation as Followable, Outputs, Ownership, Wait, Whose};
use clouds_contract::{INSTALLATION_TAG, Owner};
use clouds_wire::Wire;
use http::Method;
use images::{Collection, Login as RegistryLogin, Registry};
use serde_json::{Value, json};
use url::Url;

use crate::answer::{failed, lost, refused, unclear};
use crate::login::Login;
use crate::operations::{self, Operation};

/// Pause between two questions about an operation.
const POLL: Duration = Duration::from_secs(3);

/// Body of a request.
#[derive(Debug, Clone, Default)]
pub(crate) enum Body {
    #[default]
    None,
    Json(Value),
    Bytes(Bytes, String),
}

/// The client of an account.
#[derive(Debug)]
pub(crate) struct Client {
    pub wire: Wire,
    pub guards: Arc<Guards>,
    pub login: Login,
    /// The project's id.
    pub project: String,
    /// The installation of MikroCloud.
    pub installation: String,
    /// Source of base images.
    pub base_images: Collection,
}

/// Address of one of Google's APIs; parts of the path are written as they are.
pub(crate) fn address(host: &str, path: &str, query: &[(&str, &str)]) -> Result<Url, CloudError> {
    let url = Url::parse(&format!("https://{host}.googleapis.com/{path}"));
    let mut url = url.map_err(|error| CloudError::internal("an address of Google's", error))?;
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}

impl Client {
    /// Asks for something; the answer's body as JSON, `null` where there is none.
    pub async fn ask(&self, operation: Operation, method: Method, url: Url, body: Body) -> Result<Value, CloudError> {
        // A named type here keeps those of everything that is built on it short.
        let attempt = || -> Pin<Box<dyn Future<Output = Result<Value, CloudError>> + Send + '_>> {
            Box::pin(self.attempt(method.clone(), url.clone(), body.clone()))
        };
        self.guards.call(operation.call, attempt).await
    }

    /// Reads something; `None` if it does not exist.
    pub async fn find(&self, operation: Operation, url: Url) -> Result<Option<Value>, CloudError> {
        match self.ask(operation, Method::GET, url, Body::None).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Everything of a list, page by page; `field` has the items.
    pub async fn list(&self, operation: Operation, url: Url, field: &str) -> Result<Vec<Value>, CloudError> {
        let (mut all, mut page) = (Vec::new(), String::new());
        loop {
            let mut url = url.clone();
            if !page.is_empty() {
                url.query_pairs_mut().append_pair("pageToken", &page);
            }
            let mut answer = self.ask(operation, Method::GET, url, Body::None).await?;
            if let Some(Value::Array(items)) = answer.get_mut(field).map(Value::take) {
                all.extend(items);
            }
            match answer["nextPageToken"].as_str() {
                Some(next) if !next.is_empty() => next.clone_into(&mut page),
                _ => return Ok(all),
            }
        }
    }

    async fn attempt(&self, method: Method, url: Url, body: Body) -> Result<Value, CloudError> {
        let token = self.login.token().await?;
        match self.send(&token, method.clone(), url.clone(), body.clone()).await {
            // The token may have ended before its time: one more, then the key itself is no longer good.
            Err(error) if error.kind == ErrorKind::SignedOut => {
                self.login.forget(&token).await;
                let token = self.login.token().await?;
                self.send(&token, method, url, body).await
            }
            result => result,
        }
    }

    async fn send(&self, token: &domain::secret::Secret, method: Method, url: Url, body: Body) -> Result<Value, CloudError> {
        let mut request = self.wire.client().request(method, url).bearer_auth(token.expose());
        request = match body {
            Body::None => request,
            Body::Json(body) => request.json(&body),
            Body::Bytes(bytes, kind) => request.header("content-type", kind).body(bytes),
        };
        let request = request.build().map_err(|error| CloudError::internal("a request", error.without_url()))?;
        let answer = self.wire.send(request).await.map_err(lost)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = clouds_wire::read(answer).await?;
        if !status.is_success() {
            return Err(refused(&self.project, status, &headers, &body));
        }
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).map_err(unclear)
    }

    /// A long operation as the journal keeps it (google.aip.dev/151); none if the answer says that it is over.
    pub fn operation(&self, host: &str, version: &str, answer: &Value) -> Result<Option<Followable>, CloudError> {
        if answer["done"] == json!(true) {
            return match answer.get("error") {
                Some(error) if !error.is_null() => Err(failed(&self.project, error)),
                _ => Ok(None),
            };
        }
        let name = answer["name"].as_str().ok_or_else(|| unclear("the operation has no name"))?;
        Ok(Some(Followable(json!({"host": host, "path": format!("{version}/{name}")}))))
    }

    /// Asks how an operation goes on.
    pub async fn follow(&self, operation: &Followable, detail: &str) -> Result<Followed, CloudError> {
        let text = |field: &str| operation.0[field].as_str().unwrap_or_default().to_owned();
        let host = text("host");
        let call = match host.as_str() {
            "run" => operations::RUN_OPERATION_GET,
            "artifactregistry" => operations::REPOSITORY_OPERATION_GET,
            _ => operations::APIS_OPERATION_GET,
        };
        let Some(answer) = self.find(call, address(&host, &text("path"), &[])?).await? else { return Ok(Followed::Unknown) };
        if answer["done"] != json!(true) {
            return Ok(Followed::Running(self.wait(detail, POLL)));
        }
        Ok(match answer.get("error") {
            Some(error) if !error.is_null() => Followed::Failed(failed(&self.project, error)),
            _ => Followed::Done,
        })
    }

    /// A wait, shortened where the cloud is simulated.
    pub fn wait(&self, detail: impl Into<String>, time: Duration) -> Wait {
        Wait { detail: detail.into(), retry_after: self.wire.pace(time) }
    }

    /// Pause between two questions about an operation.
    pub fn poll(&self) -> Duration {
        self.wire.pace(POLL)
    }

    /// Owner of a thing, by its labels.
    pub fn owner(&self, labels: &Value) -> Ownership {
        match labels[INSTALLATION_TAG].as_str() {
            Some(installation) if installation == self.installation => Ownership::Ours,
            Some(other) => Ownership::Others(format!("the installation {other}")),
            None => Ownership::Untagged,
        }
    }

    /// The registry of a region, with the account's credential.
    pub async fn registry(&self, region: &str) -> Result<Registry, CloudError> {
        let token = self.login.token().await?;
        let host = registry_host(region);
        Registry::new(&host, &RegistryLogin::Token(token), &self.wire, Arc::clone(&self.guards))
    }

    /// Path of the project's part in a region.
    pub fn location(&self, region: &str) -> String {
        format!("projects/{}/locations/{region}", self.project)
    }
}

/// Host of the container registry of a region.
pub(crate) fn registry_host(region: &str) -> String {
    format!("{region}-docker.pkg.dev")
}

/// Labels of a thing.
pub(crate) fn labels(whose: &Whose, owner: Owner) -> Value {
    json!(whose.tags(owner))
}

/// Returns true if all wanted labels are there; others may be, too.
pub(crate) fn has_labels(found: &Value, wanted: &Value) -> bool {
    wanted.as_object().is_none_or(|wanted| wanted.iter().all(|(name, value)| found.get(name) == Some(value)))
}

/// A thing that is there.
pub(crate) fn there(id: impl Into<String>, owner: Ownership, is_current: bool, outputs: Outputs) -> Found {
    Found { id: id.into(), state: clouds_contract::FoundState::Ready, is_current, owner, version: None, outputs }
}
