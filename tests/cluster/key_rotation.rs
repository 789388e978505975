//! The master key is changed while api, worker and edge processes are at work.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{BINARY, Cluster, PATIENCE, Repository, Shape};

const OLD: &str = "MIKROCLOUD_MASTER_KEY";

/// A client that reads and writes secrets through one api and then through the other.
#[derive(Clone)]
struct Load {
    http: Client,
    apis: [String; 2],
    token: String,
    project: String,
    stop: Arc<AtomicBool>,
    requests: Arc<AtomicUsize>,
}

impl Load {
    async fn answered(&self, what: &str, response: reqwest::Result<Response>) -> Value {
        let response = response.unwrap_or_else(|error| panic!("{what}: {error}"));
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{what} is answered {status}: {text}");
        self.requests.fetch_add(1, Ordering::Relaxed);
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{what}: {text}"))
    }

    /// Sets a variable, and deploys once with a key that is shown to both processes: the second shows the answer that the first sealed.
    async fn change(&self, client: usize, round: usize) {
        let [one, other] = if round.is_multiple_of(2) { [&self.apis[0], &self.apis[1]] } else { [&self.apis[1], &self.apis[0]] };
        let variables = json!({"variables": [{"name": format!("KEY_{client}"), "value": format!("value {round}")}]});
        let url = format!("{one}/api/v1/projects/{}/env?environment=e{client}", self.project);
        let set = self.http.patch(url).bearer_auth(&self.token).json(&variables).send().await;
        self.answered("a change of variables", set).await;
        let project = json!({"name": format!("p{client}x{round}")});
        let create = |api: &str| {
            let request = self.http.post(format!("{api}/api/v1/projects")).bearer_auth(&self.token);
            request.header("idempotency-key", format!("{client}-{round}")).json(&project).send()
        };
        let made = self.answered("a project", create(one).await).await;
        let again = self.answered("the same project", create(other).await).await;
        assert_eq!(made, again);
    }

    /// Signs in, which takes a key that the database holds sealed, and uses the token at the other process.
    async fn sign_in(&self, round: usize) {
        let body = json!({"email": "owner@localhost", "password": "correct horse battery staple"});
        let url = format!("{}/auth/sign-in", self.apis[round % 2]);
        let signed_in = self.answered("signing in", self.http.post(url).json(&body).send().await).await;
        let token = signed_in["access_token"].as_str().unwrap_or_else(|| panic!("{signed_in}"));
        let url = format!("{}/graphql", self.apis[(round + 1) % 2]);
        let asked = self.http.post(url).bearer_auth(token).json(&json!({"query": "{ me { role } }"})).send().await;
        let me = self.answered("a query", asked).await;
        assert_eq!(me["data"]["me"]["role"], "OWNER", "{me}");
    }

    fn start(&self) -> JoinSet<()> {
        let mut clients = JoinSet::new();
        for client in 0..4 {
            let this = self.clone();
            clients.spawn(async move {
                let mut round = 0;
                while !this.stop.load(Ordering::Relaxed) {
                    if client == 3 {
                        this.sign_in(round).await;
                    } else {
                        this.change(client, round).await;
                    }
                    round += 1;
                }
            });
        }
        clients
    }
}

struct Rotation {
    file: PathBuf,
}

impl Rotation {
    fn command(&self, cluster: &Cluster) -> tokio::process::Command {
        cluster.command(&["keys", "rotate", "--settle-seconds", "20", "--json", "--new-key-file", self.file.to_str().unwrap()])
    }

    async fn run(&self, cluster: &Cluster) -> Value {
        let output = self.command(cluster).output().await.unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Ends a run at some moment, as a power cut would.
    async fn run_and_kill(&self, cluster: &Cluster, after: Duration) {
        let mut run = self.command(cluster).spawn().unwrap();
        let ended = tokio::time::timeout(after, run.wait()).await;
        assert!(ended.is_err(), "it ended before it was killed: {ended:?}");
        run.kill().await.unwrap();
    }
}

/// A commit whose page shows a variable of its environment.
fn page_with_variable(repository: &mut Repository, body: &str) -> String {
    let build =
        "require('fs').mkdirSync('dist',{recursive:true});require('fs').writeFileSync('dist/index.html',process.env.SHOWN)";
    let manifest = "[build]\ncommand = \"node build.js\"\noutput = \"dist\"\n";
    let files = [("build.js", build.to_owned()), ("mikrocloud.toml", manifest.to_owned()), ("note.txt", body.to_owned())];
    repository.commit(&files, body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_master_key_changes_under_load_and_no_request_fails() {
    let Some(mut cluster) = Cluster::start(Shape { apis: 2, workers: 1, edges: 2 }).await else { return };
    let mut repository = Repository::new(cluster.directory.path(), "shop");
    let project = cluster.create_project("shop", &repository).await;
    let commit = page_with_variable(&mut repository, "first");
    let load = Load {
        http: Client::builder().timeout(Duration::from_secs(30)).build().unwrap(),
        apis: [cluster.api_url(0, ""), cluster.api_url(1, "")],
        token: cluster.token().to_owned(),
        project: project.clone(),
        stop: Arc::default(),
        requests: Arc::default(),
    };
    let set = |value: &'static str| {
        let url = format!("{}/api/v1/projects/{project}/env", load.apis[0]);
        let body = json!({"variables": [{"name": "SHOWN", "value": value}]});
        load.http.patch(url).bearer_auth(&load.token).json(&body).send()
    };
    load.answered("a variable", set("sealed by the old key").await).await;
    let mut clients = load.start();
    testkit::wait_until(PATIENCE, "the first requests", async || load.requests.load(Ordering::Relaxed) > 20).await;
    let before = load.requests.load(Ordering::Relaxed);

    let rotation = Rotation { file: cluster.directory.path().join("new.key") };
    rotation.run_and_kill(&cluster, Duration::from_millis(900)).await;
    rotation.run_and_kill(&cluster, Duration::from_secs(14)).await;
    cluster.trigger(&project, &commit).await;
    let done = rotation.run(&cluster).await;
    cluster.shows("shop", "sealed by the old key").await;
    let during = load.requests.load(Ordering::Relaxed) - before;
    load.stop.store(true, Ordering::Relaxed);
    while let Some(client) = clients.join_next().await {
        client.expect("no request fails");
    }
    println!("{during} requests while the key was changed: {done}");
    assert!(during > 100 && done["resumed"] == true && done["broken"] == 0, "{during} requests, {done}");

    // Running processes go on, for a worker that opens and an api that seals.
    load.answered("a variable", set("sealed by the new key").await).await;
    let commit = page_with_variable(&mut repository, "second");
    cluster.trigger(&project, &commit).await;
    cluster.shows("shop", "sealed by the new key").await;

    // Who is started with the old key is told, who is started with the new one finds everything.
    for role in [&["api", "--listen", "127.0.0.1:0"][..], &["edge", "--listen", "127.0.0.1:0"], &["keys", "rotate"]] {
        let key_file = ["--new-key-file", "/nowhere/key"];
        let arguments = if role[0] == "keys" { [role, &key_file].concat() } else { role.to_vec() };
        let refused = tokio::time::timeout(PATIENCE, cluster.command(&arguments).output()).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("this master key was replaced on"), "{role:?}: {said}");
    }
    let new_key = std::fs::read_to_string(&rotation.file).unwrap().trim().to_owned();
    cluster.settings.push((OLD, new_key));
    for index in 0..cluster.roles.len() {
        cluster.replace(index, Path::new(BINARY)).await;
    }
    let rest = Load { apis: [cluster.api_url(0, ""), cluster.api_url(1, "")], ..load.clone() };
    rest.sign_in(0).await;
    let create = rest.http.post(format!("{}/api/v1/projects", rest.apis[0])).bearer_auth(&rest.token);
    let again = create.header("idempotency-key", "0-0").json(&json!({"name": "p0x0"})).send().await;
    assert_eq!(rest.answered("an answer that was sealed before", again).await["name"], "p0x0");
    let logged = "SELECT entry FROM audit_entries WHERE entry LIKE '%master_key.rotate%'";
    assert_eq!(cluster.rows(logged).await.len(), 1);
}
