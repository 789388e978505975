//! A sandbox with a project, a journal, and servers to deploy.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use clouds_contract::conformance::{Fault, Faults, Fixture, Got, Process, Subject, Version};
use clouds_contract::guard::Probe;
use clouds_contract::testing::{Cut, MemoryJournal};
use clouds_contract::{
    Access, Address, Base, Cloud, CloudError, Credential, Desired, Endpoint, EnvironmentPlace, Inputs, LogSink, Vendor as _,
    Whose,
};
use clouds_gcp::Gcp;
use domain::artifact::Digest;
use domain::event::NewLine;
use domain::id::{CloudAccountId, DeploymentId, EnvironmentId, PlacementId, ProjectId, TeamId};
use domain::secret::Secret;
use domain::workload::{Server, StaticSite, WorkloadSpec};
use sandbox::{Sandbox, Settings};
use serde_json::{Value, json};
use tempfile::TempDir;

pub const REGION: &str = "europe-west1";
const PROJECT: &str = "demo-project";

/// A program that answers with the name of its version and the variable `GREETING`.
const PROGRAM: &str = r#"
import os, http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(500 if self.path == "/broken" else 200)
        self.end_headers()
        self.wfile.write(("VERSION " + os.environ.get("GREETING", "")).encode())
    def log_message(self, *rest):
        pass
http.server.HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"#;

/// Lines that were written.
#[derive(Default)]
pub struct Log(pub Mutex<Vec<String>>);

#[async_trait]
impl LogSink for Log {
    async fn write(&self, lines: Vec<NewLine>) -> Result<(), CloudError> {
        self.0.lock().unwrap().extend(lines.into_iter().map(|line| line.text));
        Ok(())
    }
}

/// Artifacts by digest, and one set of variables.
#[derive(Default)]
struct Files {
    artifacts: BTreeMap<String, TempDir>,
    variables: Vec<(String, Secret)>,
}

#[async_trait]
impl Inputs for Files {
    async fn artifact(&self, digest: &Digest) -> Result<PathBuf, CloudError> {
        Ok(self.artifacts[digest.as_str()].path().to_owned())
    }

    async fn variables(&self, _deployment: DeploymentId) -> Result<Vec<(String, Secret)>, CloudError> {
        Ok(self.variables.clone())
    }
}

/// A project with an environment.
pub struct Setting {
    pub sandbox: Sandbox,
    pub journal: MemoryJournal,
    pub log: Log,
    recordings: TempDir,
    http: reqwest::Client,
    access: Access,
    whose: Whose,
    files: Files,
}

impl Setting {
    pub async fn new() -> Self {
        Self::with_permissions(&["*".to_owned()]).await
    }

    /// Panics unless every call so far and its answer are as the vendor describes them.
    pub fn check_recordings(&self) {
        testkit::check_recordings(self.recordings.path());
    }

    /// A project whose account has these permissions alone.
    pub async fn with_permissions(permissions: &[String]) -> Self {
        let recordings = tempfile::tempdir().unwrap();
        let record = Some(recordings.path().to_owned());
        let sandbox = Sandbox::start(Settings { record, ..Settings::default() }).await.unwrap();
        // Follows no redirects.
        let endpoint = Endpoint { url: sandbox.url(), pace_percent: 1 };
        let http = clouds_wire::Wire::new(Some(&endpoint)).unwrap().client().clone();
        let principal = json!({"cloud": "google", "project": PROJECT, "name": "deployer", "allowed": permissions});
        let answer = http.post(format!("{}/_sandbox/principals", sandbox.url())).json(&principal).send().await.unwrap();
        let principal: Value = answer.json().await.unwrap();
        let (project, environment, placement) = (ProjectId::new(), EnvironmentId::new(), PlacementId::new());
        let place = EnvironmentPlace { project, environment, placement, label: "shop".to_owned() };
        let whose = Whose { installation: "0123456789ab".to_owned(), team: TeamId::new(), environment: Some(place) };
        let access = Access {
            account: CloudAccountId::new(),
            identity: PROJECT.to_owned(),
            credential: Credential::GoogleKey { json: Secret::new(principal["key"].to_string()) },
            endpoint: Some(endpoint),
            installation: whose.installation.clone(),
        };
        let mut files = Files { variables: vec![("GREETING".to_owned(), Secret::new("hello"))], ..Files::default() };
        for (name, digit) in [("one", '1'), ("two", '2')] {
            let directory = tempfile::tempdir().unwrap();
            std::fs::write(directory.path().join("server.py"), PROGRAM.replace("VERSION", name)).unwrap();
            files.artifacts.insert(digit.to_string().repeat(64), directory);
        }
        for (name, digit) in [("one", '3'), ("two", '4')] {
            let directory = tempfile::tempdir().unwrap();
            let pages = [
                ("index.html", format!("home {name}")),
                ("about.html", format!("about {name}")),
                ("docs/a b.html", format!("docs {name}")),
                ("404.html", "nothing here".to_owned()),
                ("_redirects", "/old/:page /:page 301\n/shown /about 200".to_owned()),
                ("_headers", "/about\n  X-Version: VERSION".replace("VERSION", name)),
                (".secret", "hidden".to_owned()),
            ];
            for (path, text) in pages {
                let path = directory.path().join("dist").join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
            files.artifacts.insert(digit.to_string().repeat(64), directory);
        }
        let journal = MemoryJournal::new(whose.clone());
        Self { sandbox, journal, log: Log::default(), recordings, http, access, whose, files }
    }

    pub fn access(&self) -> Access {
        self.access.clone()
    }

    pub fn set_variables(&mut self, variables: &[(&str, &str)]) {
        self.files.variables = variables.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
    }

    /// A deployment of the first or second version.
    pub fn desired(&self, version: char) -> Desired<WorkloadSpec> {
        let place = self.whose.environment.as_ref().unwrap();
        Desired {
            deployment_id: DeploymentId::new(),
            team_id: self.whose.team,
            project_id: place.project,
            environment_id: place.environment,
            label: "shop".to_owned(),
            artifact: version.to_string().repeat(64).parse().unwrap(),
            spec: server(),
        }
    }

    /// A deployment of the first or second version of a site: `3` or `4`.
    pub fn desired_site(&self, version: char) -> Desired<WorkloadSpec> {
        Desired { spec: site(), ..self.desired(version) }
    }

    /// Work of a process that is cut off there: `None` if it was.
    pub async fn work<T>(
        &self,
        cut: &Arc<Cut>,
        work: impl AsyncFnOnce(&Process<'_>) -> Result<T, CloudError>,
    ) -> Option<Result<T, CloudError>> {
        let process = Process::new(self, &self.journal, cut);
        cut.run(Box::pin(work(&process))).await
    }

    /// Work that is not cut off.
    pub async fn done<T>(&self, work: impl AsyncFnOnce(&Process<'_>) -> Result<T, CloudError>) -> T {
        self.work(&Cut::never(), work).await.unwrap().unwrap()
    }

    /// Asks the sandbox's own API.
    pub async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let url = format!("{}/_sandbox/{path}", self.sandbox.url());
        let request = self.http.request(method.parse().unwrap(), url).json(&body);
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Status and a header of the answer to a visitor.
    pub async fn header(&self, address: &Address, path: &str, name: &str) -> (u16, String) {
        let request = self.http.get(format!("{}{path}", address.reach.base)).header("host", &address.reach.host);
        let answer = request.send().await.unwrap();
        let header = answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), header.unwrap_or_default())
    }

    /// Number of things of a kind, such as `run.revisions`.
    pub async fn count(&self, kind: &str) -> usize {
        let listed = self.control("GET", "inventory?cloud=google", Value::Null).await;
        listed["items"].as_array().unwrap().iter().filter(|item| item["type"] == kind).count()
    }

    pub async fn shows(&self, address: &Address, text: &str) {
        let got = self.get(address, "/").await;
        assert_eq!((got.status, got.text.as_str()), (200, text), "{}", address.url);
    }
}

#[async_trait]
impl Subject for Setting {
    fn open(&self, probe: Arc<dyn Probe>) -> Cloud {
        Gcp::new().with_probe(probe).open(self.access.clone()).unwrap()
    }

    fn region(&self) -> &str {
        REGION
    }

    fn whose(&self) -> Whose {
        self.whose.clone()
    }

    fn bases(&self) -> &[Base] {
        &[Base::Apis, Base::Containers, Base::Files]
    }

    fn inputs(&self) -> &dyn Inputs {
        &self.files
    }

    fn log(&self) -> &dyn LogSink {
        &self.log
    }

    fn fixtures(&self) -> Vec<Fixture> {
        let version = |digit: char, shows: &str| Version {
            artifact: digit.to_string().repeat(64).parse().unwrap(),
            spec: if digit < '3' { server() } else { site() },
            shows: shows.to_owned(),
        };
        vec![
            Fixture { kind: "server", versions: [version('1', "one hello"), version('2', "two hello")] },
            Fixture { kind: "static", versions: [version('3', "home one"), version('4', "home two")] },
        ]
    }

    async fn get(&self, address: &Address, path: &str) -> Got {
        let url = format!("{}{path}", address.reach.base);
        let answer = self.http.get(url).header("host", &address.reach.host).send().await.unwrap();
        Got { status: answer.status().as_u16(), text: answer.text().await.unwrap() }
    }

    /// Keys of everything that exists.
    async fn inventory(&self) -> Vec<String> {
        let listed = self.control("GET", "inventory?cloud=google", Value::Null).await;
        let items = listed["items"].as_array().unwrap().iter();
        items.map(|item| item["key"].as_str().unwrap().to_owned()).collect()
    }

    fn faults(&self) -> Option<&dyn Faults> {
        Some(self)
    }
}

#[async_trait]
impl Faults for Setting {
    async fn add(&self, fault: Fault, nth: u64) {
        let action = match fault {
            Fault::Throttle(after) => json!({"throttle": {"retry_after": after.as_secs()}}),
            Fault::Status(status) => json!({"status": {"status": status}}),
            Fault::Reset => json!("reset"),
            Fault::LostAnswer => json!("lost_response"),
            Fault::Undecodable => json!({"rewrite": {"find": "{", "replace": "<"}}),
            Fault::Expired => json!("expired"),
        };
        // At the sign-in itself it would mean that the key is over, which does not pass.
        let service = if fault == Fault::Expired { "run" } else { "*" };
        self.control("POST", "faults", json!({"service": service, "nth": nth, "count": 1, "action": action})).await;
    }

    async fn clear(&self) -> bool {
        let listed = self.control("GET", "faults", Value::Null).await;
        let rules = listed["faults"].as_array().unwrap();
        let is_met = rules.iter().any(|rule| rule["seen"].as_u64() >= rule["nth"].as_u64());
        self.control("DELETE", "faults", Value::Null).await;
        is_met
    }
}

fn server() -> WorkloadSpec {
    WorkloadSpec::Server(Server {
        command: vec!["python3".to_owned(), "server.py".to_owned()],
        directory: String::new(),
        path: Vec::new(),
        env: vec![("PYTHONUNBUFFERED".to_owned(), "1".to_owned())],
        port: None,
        health_path: "/".to_owned(),
        replicas: 1,
        memory_mib: 512,
        cpu: 1.0,
        image: None,
    })
}

fn site() -> WorkloadSpec {
    WorkloadSpec::Static(StaticSite { root: "dist".to_owned() })
}
