//! GraphQL over HTTP.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::credentials::Credentials;
use server::Failure;

/// A server and the credential to show it.
pub struct Api {
    pub(super) credentials: Credentials,
    pub(super) http: reqwest::Client,
}

/// User agent of the command line; a server on the same machine does not count its requests.
pub(super) const USER_AGENT: &str = concat!("mikrocloud/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

impl Api {
    /// The server this machine user is signed in to.
    pub fn signed_in() -> Result<Self, Failure> {
        Self::with(Credentials::load()?)
    }

    /// A server with a credential.
    pub fn with(credentials: Credentials) -> Result<Self, Failure> {
        if !credentials.url.starts_with("http://") && !credentials.url.starts_with("https://") {
            return Err(Failure::usage(format!(
                "`{}` is no server address: it starts with http:// or https://",
                credentials.url
            )));
        }
        let http = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).user_agent(USER_AGENT);
        let http = http.build().map_err(anyhow::Error::from)?;
        Ok(Self { credentials, http })
    }

    /// An address of the server.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.credentials.url.trim_end_matches('/'))
    }

    /// The `Authorization` header's value.
    pub(super) fn authorization(&self) -> String {
        format!("Bearer {}", self.credentials.token.expose())
    }

    /// Posts to a route that answers with JSON, as whoever is signed in; the answer whatever its status.
    pub async fn post(&self, path: &str, body: &Value) -> Result<(StatusCode, Value), Failure> {
        let mut request = self.http.post(self.url(path)).timeout(ANSWER_TIMEOUT).json(body);
        if !self.credentials.token.expose().is_empty() {
            request = request.header(AUTHORIZATION, self.authorization());
        }
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        Ok((response.status(), response.json().await.unwrap_or_default()))
    }

    /// Runs an operation and returns its `data`.
    pub async fn run(&self, query: &str, variables: Value) -> Result<Value, Failure> {
        let request = self
            .http
            .post(self.url("/graphql"))
            .header(AUTHORIZATION, self.authorization())
            .timeout(ANSWER_TIMEOUT)
            .json(&json!({"query": query, "variables": variables}));
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let body = response.json::<Value>().await;
        let mut body = body.map_err(|_| {
            Failure::failed("UNEXPECTED_ANSWER", format!("{} answered {status}, not as a MikroCloud does", self.url("")))
        })?;
        if let Some(error) = body["errors"].get(0) {
            return Err(self.graphql_failure(status, error));
        }
        Ok(body["data"].take())
    }

    /// Runs a mutation that answers with a payload, and returns the payload. What the user can put right becomes a failure.
    pub async fn change(&self, query: &str, field: &str, input: Value) -> Result<Value, Failure> {
        let mut data = self.run(query, json!({"input": input})).await?;
        let payload = data[field].take();
        if let Some(error) = payload["userErrors"].get(0) {
            let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
            return Err(Failure::failed(text("code"), text("message")));
        }
        Ok(payload)
    }

    /// The same for a mutation whose payload has these fields.
    pub async fn mutate(&self, mutation: &str, input_type: &str, input: Value, fields: &str) -> Result<Value, Failure> {
        let query = format!(
            "mutation($input: {input_type}!) {{ {mutation}(input: $input) {{ {fields} userErrors {{ message code }} }} }}"
        );
        self.change(&query, mutation, input).await
    }

    pub(super) fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let why = if error.is_timeout() { "it does not answer in time" } else { "it cannot be reached" };
        let message =
            format!("{}: {why}. Is the server running (`mikrocloud up`), and is the address right?", self.credentials.url);
        Failure::failed("UNREACHABLE", message)
    }

    fn graphql_failure(&self, status: StatusCode, error: &Value) -> Failure {
        let message = error["message"].as_str().unwrap_or("the server gave no reason").to_owned();
        let code = error["extensions"]["code"].as_str().unwrap_or("FAILED");
        if code == "UNAUTHENTICATED" || status == StatusCode::UNAUTHORIZED {
            return Failure::not_signed_in(format!("{message} (`mikrocloud login --url {}`)", self.credentials.url));
        }
        Failure::failed(code, message)
    }
}
