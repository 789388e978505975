use std::sync::Arc;
use std::time::Duration;

use clouds_contract::guard::{Call, Guards};
use clouds_contract::{CloudError, ErrorKind};
use clouds_wire::Wire;
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

use crate::classify::{ambiguous, lost, refused};
use crate::login::{Login, MANAGEMENT};

/// Host of the management API.
pub const HOST: &str = "https://management.azure.com";

/// Most pages of a list that are read.
const PAGES: usize = 100;

/// Client of the management API for one subscription.
#[derive(Debug, Clone)]
pub struct Arm {
    wire: Wire,
    guards: Arc<Guards>,
    login: Arc<Login>,
    subscription: String,
}

/// An answer that is not an error.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body; `null` when there is none.
    pub body: Value,
}

impl Arm {
    /// A client. Makes no call.
    pub fn new(wire: Wire, guards: Arc<Guards>, login: Arc<Login>, subscription: String) -> Self {
        Self { wire, guards, login, subscription }
    }

    /// The way to Azure.
    pub fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Guards of the account's calls.
    pub fn guards(&self) -> &Arc<Guards> {
        &self.guards
    }

    /// Sign-in.
    pub fn login(&self) -> &Arc<Login> {
        &self.login
    }

    /// Path of the subscription, such as `/subscriptions/0000`.
    pub fn subscription(&self) -> String {
        format!("/subscriptions/{}", self.subscription)
    }

    /// Reads a thing by its id; `None` if there is none.
    pub async fn get(&self, call: Call, path: &str, api_version: &str) -> Result<Option<Value>, CloudError> {
        match self.send(call, Method::GET, path, api_version, None).await {
            Ok(answer) => Ok(Some(answer.body)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a request of the management API. `path` begins with a slash, or is a whole address that an answer gave.
    pub async fn send(
        &self,
        call: Call,
        method: Method,
        path: &str,
        api_version: &str,
        body: Option<&Value>,
    ) -> Result<Answer, CloudError> {
        let url = match path.starts_with('/') {
            true if path.contains('?') => format!("{HOST}{path}&api-version={api_version}"),
            true => format!("{HOST}{path}?api-version={api_version}"),
            false => path.to_owned(),
        };
        self.guards.call(call, || self.attempt(&method, &url, body)).await
    }

    /// Everything of a list, page by page.
    pub async fn list(&self, call: Call, path: &str, api_version: &str) -> Result<Vec<Value>, CloudError> {
        let (mut found, mut next) = (Vec::new(), Some(path.to_owned()));
        for _ in 0..PAGES {
            let Some(page) = next.take() else { break };
            let mut answer = match self.send(call, Method::GET, &page, api_version, None).await {
                Ok(answer) => answer,
                Err(error) if error.kind == ErrorKind::NotFound => break,
                Err(error) => return Err(error),
            };
            found.append(answer.body["value"].as_array_mut().unwrap_or(&mut Vec::new()));
            next = answer.body["nextLink"].as_str().map(str::to_owned);
        }
        Ok(found)
    }

    /// One attempt. A token that is refused is got anew once: it may have been revoked before its time.
    async fn attempt(&self, method: &Method, url: &str, body: Option<&Value>) -> Result<Answer, CloudError> {
        match self.ask(method, url, body).await {
            Err(error) if error.kind == ErrorKind::SignedOut && error.context().is_some() => {
                self.login.forget().await;
                self.ask(method, url, body).await
            }
            result => result,
        }
    }

    async fn ask(&self, method: &Method, url: &str, body: Option<&Value>) -> Result<Answer, CloudError> {
        let token = self.login.token(MANAGEMENT).await?;
        let mut request = self.wire.client().request(method.clone(), url).bearer_auth(token.expose());
        if let Some(body) = body {
            request = request.json(body);
        }
        let request = request.build().map_err(|error| CloudError::internal("a request to Azure could not be made", error))?;
        let response = self.wire.send(request).await.map_err(lost)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = clouds_wire::read(response).await?;
        if !status.is_success() {
            return Err(refused(status.as_u16(), retry_after(&headers), request_id(&headers), &bytes));
        }
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).map_err(|_| ambiguous("Azure gave an answer that is no JSON"))?
        };
        Ok(Answer { status, headers, body })
    }
}

/// Pause that an answer asks for, in seconds.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get("retry-after")?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    headers.get("x-ms-request-id")?.to_str().ok().map(str::to_owned)
}
