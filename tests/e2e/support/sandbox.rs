//! Simulated clouds for tests: nothing leaves the machine.

use std::path::PathBuf;

use reqwest::header::HOST;
use sandbox::{Sandbox, Settings};
use serde_json::{Value, json};
use testkit::wait_until;

use super::client::Page;
use super::harness::{House, PATIENCE};

/// Running simulated clouds.
pub struct Clouds {
    sandbox: Sandbox,
    http: reqwest::Client,
}

impl Clouds {
    /// Starts them with nothing in them.
    pub async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let sandbox = Sandbox::start(Settings::default()).await.unwrap();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { sandbox, http }
    }

    /// Their address.
    pub fn url(&self) -> String {
        self.sandbox.url()
    }

    /// An installation that may use them.
    pub async fn house(&self) -> House {
        House::start_with(&[("MIKROCLOUD_ALLOW_CLOUD_ENDPOINT", &self.url())]).await
    }

    /// Asks the simulated clouds' own API.
    pub async fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}/_sandbox/{path}", self.url());
        let request = self.http.request(method.parse().unwrap(), url);
        let request = if body.is_null() { request } else { request.json(body) };
        let response = request.send().await.unwrap().error_for_status().unwrap();
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default()
    }

    /// Makes a project of Google Cloud with a service account, and returns the file with its key.
    pub async fn google_key(&self, house: &House, project: &str) -> PathBuf {
        let asked = json!({"cloud": "google", "project": project, "name": "deployer"});
        let principal = self.control("POST", "principals", &asked).await;
        let file = house.scratch("keys").join(format!("{project}.json"));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, principal["key"].to_string()).unwrap();
        file
    }

    /// Connects a project of Google Cloud.
    pub async fn connect_google(&self, house: &House, project: &str) -> Value {
        let key = self.google_key(house, project).await;
        house.json(&["clouds", "connect", "gcp", "--key-file", key.to_str().unwrap(), "--sandbox", &self.url()]).await
    }

    /// Connects a subscription of Azure, whose credential the simulated cloud makes up.
    pub async fn connect_azure(&self, house: &House) -> Value {
        house.json(&["clouds", "connect", "azure", "--sandbox", &self.url()]).await
    }

    /// Waits until nothing exists in the clouds any more.
    pub async fn nothing_is_left(&self) {
        wait_until(PATIENCE, "an empty account", async || self.inventory().await.is_empty()).await;
    }

    /// Requests a page of what was deployed, as a visitor of the printed address does.
    pub async fn get(&self, address: &Value, path: &str) -> Page {
        let address: reqwest::Url = address.as_str().unwrap().parse().unwrap();
        let url = format!("{}{path}", self.url());
        let response = self.http.get(url).header(HOST, address.authority()).send().await.unwrap();
        Page::of(response).await
    }

    /// Everything that exists in the clouds.
    pub async fn inventory(&self) -> Vec<Value> {
        let mut found = self.control("GET", "inventory", &Value::Null).await;
        found["items"].as_array_mut().map(std::mem::take).unwrap_or_default()
    }
}
