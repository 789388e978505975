//! Signing in, with every step at another process.

use serde_json::{Value, json};

use crate::harness::{Cluster, Shape};

const PASSWORD: &str = "correct horse battery staple";

struct People {
    cluster: Cluster,
    http: reqwest::Client,
}

impl People {
    async fn start() -> Option<Self> {
        let cluster = Cluster::start(Shape { apis: 2, workers: 0, edges: 0 }).await?;
        Some(Self { cluster, http: reqwest::Client::new() })
    }

    async fn post(&self, api: usize, path: &str, body: Value) -> (u16, Value) {
        let response = self.http.post(self.cluster.api_url(api, path)).json(&body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    /// The owner signs in, the password at one process and each further step at the other.
    async fn sign_in(&self, api: usize) -> Value {
        let (status, tokens) = self.post(api, "/auth/sign-in", json!({"email": "owner@localhost", "password": PASSWORD})).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }

    async fn role(&self, api: usize, tokens: &Value) -> Value {
        let token = tokens["access_token"].as_str().unwrap();
        self.cluster.ask(api, token, "{ me { role } }", json!({})).await["data"]["me"]["role"].take()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_process_begins_another_goes_on_with() {
    let Some(people) = People::start().await else { return };
    let tokens = people.sign_in(0).await;
    assert_eq!(people.role(1, &tokens).await, "OWNER", "a token that another process signed");
    // Keys are made once, whichever process signs first.
    let keys = people.cluster.rows("SELECT id FROM signing_keys").await;
    assert_eq!(keys.len(), 1, "{keys:?}");
    let (status, next) = people.post(1, "/auth/refresh", json!({"refresh_token": tokens["refresh_token"]})).await;
    assert_eq!((status, people.role(0, &next).await), (200, json!("OWNER")));
    // A command line begins here, is let in there, and hears it here.
    let (_, device) = people.post(0, "/auth/device/code", json!({"name": "laptop"})).await;
    let decision = json!({"user_code": device["user_code"], "decision": "allow"});
    let request = people.http.post(people.cluster.api_url(1, "/auth/device")).bearer_auth(next["access_token"].as_str().unwrap());
    assert_eq!(request.json(&decision).send().await.unwrap().status().as_u16(), 204);
    let asking = json!({"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": device["device_code"]});
    let (status, key) = people.post(0, "/auth/token", asking).await;
    assert_eq!((status, people.role(1, &key).await), (200, json!("OWNER")), "{key}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_that_two_processes_get_at_once_is_good_for_one_of_them() {
    let Some(people) = People::start().await else { return };
    for round in 0..5 {
        let tokens = people.sign_in(round).await;
        let body = json!({"refresh_token": tokens["refresh_token"]});
        let (one, two) = tokio::join!(people.post(0, "/auth/refresh", body.clone()), people.post(1, "/auth/refresh", body));
        let mut statuses = [one.0, two.0];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401], "in round {round}: {one:?} {two:?}");
        // Whoever had the copy: the family is ended, also for who was faster.
        let next = if one.0 == 200 { one.1 } else { two.1 };
        assert_eq!(people.post(0, "/auth/refresh", json!({"refresh_token": next["refresh_token"]})).await.0, 401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_are_counted_over_all_processes() {
    let Some(people) = People::start().await else { return };
    let body = json!({"email": "owner@localhost", "password": "a wrong password"});
    let guesses = (0..30).map(|number| people.post(number, "/auth/sign-in", body.clone()));
    let statuses: Vec<_> = futures::future::join_all(guesses).await.into_iter().map(|(status, _)| status).collect();
    let tried = statuses.iter().filter(|status| **status == 401).count();
    assert!(tried <= 6 && statuses.iter().all(|status| matches!(status, 401 | 429)), "{statuses:?}");
}
