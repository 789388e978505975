//! Clients of a test's MikroCloud: the command line, GraphQL, and a visitor of what is deployed.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use reqwest::header::{HOST, HeaderMap};
use serde_json::{Value, json};
use testkit::wait_until;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::harness::{House, PATIENCE};

/// End of a command of the command line.
#[derive(Debug)]
pub struct Ran {
    /// Its exit status.
    pub exit: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Ran {
    /// The one JSON document on stdout.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("not one JSON document ({error}): {self:?}"))
    }

    /// The code and message of the error, which is the one JSON document on stdout.
    pub fn error(&self) -> (String, String) {
        let document = self.json();
        let error = if document["error"].is_null() { &document["failure"] } else { &document["error"] };
        assert!(self.exit != 0, "it went well: {document}");
        let text = |key: &str| error[key].as_str().unwrap_or_else(|| panic!("no {key} in {document}")).to_owned();
        (text("code"), text("message"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { exit: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// A page as a visitor sees it.
#[derive(Debug)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// The headers.
    pub headers: HeaderMap,
}

impl Page {
    /// The page of an answer.
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, body: response.text().await.unwrap() }
    }
}

impl House {
    /// Runs a command to its end.
    pub async fn cli(&self, arguments: &[&str]) -> Ran {
        timeout(PATIENCE, self.command(arguments).output()).await.expect("the command ends").unwrap().into()
    }

    /// Runs a command with this text on its standard input.
    pub async fn cli_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
        timeout(PATIENCE, child.wait_with_output()).await.expect("the command ends").unwrap().into()
    }

    /// Runs a command with `--json` that has to go well, and returns its document.
    pub async fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.cli(&[arguments, &["--json"]].concat()).await;
        assert_eq!(ran.exit, 0, "{arguments:?}: {ran:?}");
        ran.json()
    }

    /// Deploys a directory or repository, with these options, and expects it to be live.
    pub async fn deploy(&self, source: impl AsRef<Path>, options: &[&str]) -> Value {
        let document = self.json(&[&["deploy", source.as_ref().to_str().unwrap()], options].concat()).await;
        assert_eq!(document["status"], "live", "{document}");
        document
    }

    /// Starts a deployment and returns its id without waiting for it.
    pub async fn deploy_detached(&self, source: impl AsRef<Path>, options: &[&str]) -> String {
        let document = self.json(&[&["deploy", source.as_ref().to_str().unwrap(), "--detach"], options].concat()).await;
        document["deployment"].as_str().unwrap().to_owned()
    }

    /// Deploys something that must not become live, and returns code and message of its failure.
    pub async fn deploy_in_vain(&self, source: impl AsRef<Path>, options: &[&str]) -> (String, String) {
        let arguments = [&["deploy", source.as_ref().to_str().unwrap(), "--json"], options].concat();
        let ran = self.cli(&arguments).await;
        assert_eq!(ran.exit, 1, "{ran:?}");
        ran.error()
    }

    /// The API key of the first start.
    pub fn token(&self) -> String {
        let file = self.data().parent().unwrap().join("config/credentials.json");
        let credentials: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        credentials["token"].as_str().unwrap().to_owned()
    }

    /// The whole answer to a GraphQL request with some bearer token.
    pub async fn graphql_as(&self, token: &str, query: &str, variables: Value) -> Value {
        let request = self.http.post(self.url("/graphql")).bearer_auth(token);
        request.json(&json!({"query": query, "variables": variables})).send().await.unwrap().json().await.unwrap()
    }

    /// The data of a GraphQL request of the owner that has to go well.
    pub async fn graphql(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.graphql_as(&self.token(), query, variables).await;
        assert!(answer["errors"].is_null(), "{query}: {answer}");
        answer["data"].take()
    }

    /// A mutation's payload, errors of the user included.
    pub async fn mutate(&self, mutation: &str, input_type: &str, input: Value, fields: &str) -> Value {
        let query = format!(
            "mutation($input: {input_type}!) {{ {mutation}(input: $input) {{ {fields} userErrors {{ field code message }} }} }}"
        );
        self.graphql(&query, json!({"input": input})).await[mutation].take()
    }

    /// A deployment with these fields.
    pub async fn deployment(&self, id: &str, fields: &str) -> Value {
        let query = format!("query($id: ID!) {{ deployment(id: $id) {{ {fields} }} }}");
        self.graphql(&query, json!({"id": id})).await["deployment"].take()
    }

    /// The status of a deployment.
    pub async fn status(&self, id: &str) -> String {
        self.deployment(id, "status").await["status"].as_str().unwrap().to_owned()
    }

    /// Waits until a deployment has ended, and returns its status.
    pub async fn ended(&self, id: &str) -> String {
        let mut status = String::new();
        wait_until(PATIENCE, &format!("the end of deployment {id}"), async || {
            status = self.status(id).await;
            matches!(status.as_str(), "LIVE" | "SUPERSEDED" | "FAILED" | "CANCELLED")
        })
        .await;
        status
    }

    /// All log lines of a deployment as numbers and texts.
    pub async fn lines(&self, id: &str) -> Vec<(i64, String)> {
        let mut lines: Vec<(i64, String)> = Vec::new();
        loop {
            let after = lines.last().map_or(0, |(number, _)| *number);
            let page = self.deployment(id, &format!("logs(first: 100, after: {after}) {{ number text }}")).await;
            let page = page["logs"].as_array().unwrap();
            if page.is_empty() {
                return lines;
            }
            lines.extend(page.iter().map(|line| (line["number"].as_i64().unwrap(), line["text"].as_str().unwrap().to_owned())));
        }
    }

    /// The whole log of a deployment.
    pub async fn log(&self, id: &str) -> String {
        self.lines(id).await.into_iter().map(|(_, text)| text + "\n").collect()
    }

    /// Waits until a deployment's log holds a text.
    pub async fn logged(&self, id: &str, text: &str) {
        wait_until(PATIENCE, &format!("`{text}` in the log of {id}"), async || self.log(id).await.contains(text)).await;
    }

    /// The page that a visitor of a label sees at a path. The host name goes into the header: nothing has to resolve it.
    pub async fn get(&self, label: &str, path: &str) -> Page {
        let request = self.http.get(self.url(path)).header(HOST, format!("{label}.localhost:{}", self.port));
        let response = request.timeout(Duration::from_secs(30)).send().await.unwrap();
        Page::of(response).await
    }

    /// The body that a label shows at `/`, which has to be there.
    pub async fn body(&self, label: &str) -> String {
        let page = self.get(label, "/").await;
        assert_eq!(page.status, 200, "{label}: {page:?}");
        page.body
    }
}
