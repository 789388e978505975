//! Requests to providers: bounded in time and size, and no redirect is followed, so that a provider cannot send us elsewhere.

use std::pin::Pin;
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;

use super::Failure;

const PATIENCE: Duration = Duration::from_secs(10);
const LARGEST: usize = 1 << 20;
const AGENT: &str = concat!("mikrocloud/", env!("CARGO_PKG_VERSION"));

/// Client that makes the requests.
#[derive(Clone)]
pub(super) struct Http(reqwest::Client);

/// Reason for which a request failed, in the form that the OpenID Connect library requires.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("the request failed")]
    Request(#[from] reqwest::Error),
    #[error("the answer is larger than {LARGEST} bytes")]
    TooLarge,
    #[error("the answer cannot be read")]
    Malformed(#[from] openidconnect::http::Error),
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

impl Http {
    pub fn new() -> Self {
        let client = reqwest::Client::builder().timeout(PATIENCE).redirect(Policy::none()).user_agent(AGENT).build();
        // Only a missing TLS provider could fail here, and every binary installs one first.
        Self(client.unwrap_or_default())
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut response = self.0.execute(reqwest::Request::try_from(request)?).await?;
        let mut built = openidconnect::http::Response::builder().status(response.status());
        for (name, value) in response.headers() {
            built = built.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > LARGEST {
                return Err(HttpError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(built.body(body)?)
    }

    /// A request that is answered with JSON.
    pub async fn json<T: serde::de::DeserializeOwned>(&self, what: &str, request: reqwest::RequestBuilder) -> Result<T, Failure> {
        let request = request.header("Accept", "application/json").build().map_err(|error| Failure::of(what, &error))?;
        let mut parts = openidconnect::http::Request::builder().method(request.method()).uri(request.url().as_str());
        for (name, value) in request.headers() {
            parts = parts.header(name, value);
        }
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default().to_vec();
        let request = parts.body(body).map_err(|error| Failure::of(what, &error))?;
        let response = self.send(request).await.map_err(|error| Failure::of(what, &error))?;
        if !response.status().is_success() {
            return Err(Failure::new(format!("{what}: status {}", response.status())));
        }
        serde_json::from_slice(response.body()).map_err(|error| Failure::of(what, &error))
    }

    pub fn client(&self) -> &reqwest::Client {
        &self.0
    }
}
