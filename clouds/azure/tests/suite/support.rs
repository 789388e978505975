//! A sandbox with a project, a journal, and servers to deploy.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use clouds_azure::Azure;
use clouds_contract::testing::{Cut, MemoryJournal};
use clouds_contract::{
    Access, Address, Base, Cloud, CloudError, Credential, Desired, Endpoint, EnvironmentPlace, Inputs, LogSink, Observation,
    Outputs, Progress, Route, Scope, Vendor as _, Whose,
};
use domain::artifact::Digest;
use domain::event::NewLine;
use domain::id::{BaseId, CloudAccountId, DeploymentId, EnvironmentId, PlacementId, ProjectId, TeamId};
use domain::secret::Secret;
use domain::workload::{Server, StaticSite, WorkloadSpec};
use sandbox::{Sandbox, Settings};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub const REGION: &str = "northeurope";

/// A program that answers with the name of its version and the variable `GREETING`.
const PROGRAM: &str = r#"
import os, http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
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
    http: reqwest::Client,
    access: Access,
    whose: Whose,
    files: Files,
    bases: Vec<(Base, BaseId)>,
}

impl Setting {
    pub async fn new() -> Self {
        Self::with_permissions(&["*".to_owned()]).await
    }

    /// A project whose account has these permissions alone.
    pub async fn with_permissions(permissions: &[String]) -> Self {
        let sandbox = Sandbox::start(Settings::default()).await.unwrap();
        let http = clouds_wire::Wire::new(None).unwrap().client().clone();
        let principal = json!({"cloud": "azure", "allowed": permissions});
        let answer = http.post(format!("{}/_sandbox/principals", sandbox.url())).json(&principal).send().await.unwrap();
        let principal: Value = answer.json().await.unwrap();
        let text = |field: &str| principal[field].as_str().unwrap().to_owned();
        let (project, environment, placement) = (ProjectId::new(), EnvironmentId::new(), PlacementId::new());
        let place = EnvironmentPlace { project, environment, placement, label: "shop".to_owned() };
        let whose = Whose { installation: "0123456789ab".to_owned(), team: TeamId::new(), environment: Some(place) };
        let access = Access {
            account: CloudAccountId::new(),
            identity: text("subscription"),
            credential: Credential::AzureSecret {
                tenant: text("tenant"),
                client: text("client"),
                secret: Secret::new(text("secret")),
            },
            endpoint: Some(Endpoint { url: sandbox.url(), pace_percent: 1 }),
            installation: whose.installation.clone(),
        };
        let mut files = Files { variables: vec![("GREETING".to_owned(), Secret::new("hello"))], ..Files::default() };
        for (name, digit) in [("one", '1'), ("two", '2')] {
            let directory = tempfile::tempdir().unwrap();
            std::fs::write(directory.path().join("server.py"), PROGRAM.replace("VERSION", name)).unwrap();
            files.artifacts.insert(digit.to_string().repeat(64), directory);
        }
        let bases = vec![(Base::Containers, BaseId::new()), (Base::Files, BaseId::new())];
        let journal = MemoryJournal::new(whose.clone());
        Self { sandbox, journal, log: Log::default(), http, access, whose, files, bases }
    }

    /// A newly opened account, as a process that was started anew has it.
    pub fn open(&self, cut: &Arc<Cut>) -> Cloud {
        Azure::new().with_probe(Arc::clone(cut) as _).open(self.access.clone()).unwrap()
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
        let server = Server {
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
        };
        Desired {
            deployment_id: DeploymentId::new(),
            team_id: self.whose.team,
            project_id: place.project,
            environment_id: place.environment,
            label: "shop".to_owned(),
            artifact: version.to_string().repeat(64).parse().unwrap(),
            spec: WorkloadSpec::Server(server),
        }
    }

    /// A deployment of a site of these files.
    pub fn site(&mut self, digit: char, files: &[(&str, &str)]) -> Desired<WorkloadSpec> {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        self.files.artifacts.insert(digit.to_string().repeat(64), directory);
        Desired { spec: WorkloadSpec::Static(StaticSite::default()), ..self.desired(digit) }
    }

    /// Work of a process that is cut off there: `None` if it was.
    pub async fn work<T>(
        &self,
        cut: &Arc<Cut>,
        work: impl AsyncFnOnce(&Worker<'_>) -> Result<T, CloudError>,
    ) -> Option<Result<T, CloudError>> {
        let (cloud, journal, stop) = (self.open(cut), self.journal.with_cut(cut), CancellationToken::new());
        let worker = Worker { setting: self, cloud, journal, stop };
        cut.run(Box::pin(work(&worker))).await
    }

    /// Work that is not cut off.
    pub async fn done<T>(&self, work: impl AsyncFnOnce(&Worker<'_>) -> Result<T, CloudError>) -> T {
        self.work(&Cut::never(), work).await.unwrap().unwrap()
    }

    /// Asks the sandbox's own API.
    pub async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let url = format!("{}/_sandbox/{path}", self.sandbox.url());
        let request = self.http.request(method.parse().unwrap(), url).json(&body);
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Keys of everything that exists.
    pub async fn inventory(&self) -> Vec<String> {
        let listed = self.control("GET", "inventory?cloud=azure", Value::Null).await;
        let items = listed["items"].as_array().unwrap().iter();
        items.map(|item| item["key"].as_str().unwrap().to_owned()).collect()
    }

    /// Number of things of a kind, such as `run.revisions`.
    pub async fn count(&self, kind: &str) -> usize {
        let listed = self.control("GET", "inventory?cloud=azure", Value::Null).await;
        listed["items"].as_array().unwrap().iter().filter(|item| item["type"] == kind).count()
    }

    /// Answer to a visitor.
    pub async fn get(&self, address: &Address, path: &str) -> (u16, String) {
        let answer =
            self.http.get(format!("{}{path}", address.reach.base)).header("host", &address.reach.host).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub async fn shows(&self, address: &Address, text: &str) {
        assert_eq!(self.get(address, "/").await, (200, text.to_owned()), "{}", address.url);
    }
}

/// A process at work.
pub struct Worker<'a> {
    pub setting: &'a Setting,
    pub cloud: Cloud,
    journal: MemoryJournal,
    stop: CancellationToken,
}

/// Goes on until it is ready.
pub async fn until<T>(mut step: impl AsyncFnMut() -> Result<Progress<T>, CloudError>) -> Result<T, CloudError> {
    for _ in 0..300 {
        match step().await? {
            Progress::Ready(value) => return Ok(value),
            Progress::Pending(wait) => tokio::time::sleep(wait.retry_after.min(Duration::from_millis(20))).await,
        }
    }
    panic!("it never becomes ready")
}

impl Worker<'_> {
    pub fn scope<'a>(&'a self, base: &'a Outputs) -> Scope<'a> {
        Scope {
            whose: self.setting.whose.clone(),
            region: REGION,
            base,
            journal: &self.journal,
            inputs: &self.setting.files,
            log: &self.setting.log,
            stop: &self.stop,
        }
    }

    pub async fn bases(&self) -> Result<Outputs, CloudError> {
        let account = self.cloud.account.as_ref().unwrap();
        let nothing = Outputs::new();
        let mut all = Outputs::new();
        for (base, id) in &self.setting.bases {
            let scope = Scope { whose: Whose { environment: None, ..self.setting.whose.clone() }, ..self.scope(&nothing) };
            let journal = self.journal.of(scope.whose.clone());
            let scope = Scope { journal: &journal, ..scope };
            all.extend(until(async || account.prepare(*base, *id, &scope).await).await?);
        }
        Ok(all)
    }

    pub async fn dismantle(&self) -> Result<(), CloudError> {
        let account = self.cloud.account.as_ref().unwrap();
        let nothing = Outputs::new();
        for (base, id) in &self.setting.bases {
            let scope = Scope { whose: Whose { environment: None, ..self.setting.whose.clone() }, ..self.scope(&nothing) };
            until(async || account.dismantle(*base, *id, &scope).await).await?;
        }
        Ok(())
    }

    /// Makes a deployment and waits until it is ready; its own address.
    pub async fn apply(&self, desired: &Desired<WorkloadSpec>) -> Result<Option<Address>, CloudError> {
        let base = self.bases().await?;
        let scope = self.scope(&base);
        let started = until(async || self.cloud.apply(&scope, desired).await).await?;
        until(async || {
            Ok(match self.cloud.observe(&scope, desired.deployment_id, &desired.spec).await? {
                Observation::Ready { .. } => Progress::Ready(()),
                Observation::Failed { code, message } => panic!("{code}: {message}"),
                Observation::Absent => panic!("it is absent"),
                Observation::Pending { detail } => Progress::pending(detail, Duration::from_millis(5)),
            })
        })
        .await?;
        Ok(started.address)
    }

    pub async fn switch(&self, desired: &Desired<WorkloadSpec>) -> Result<Address, CloudError> {
        let route = Route {
            label: "shop".to_owned(),
            team_id: desired.team_id,
            project_id: desired.project_id,
            environment_id: desired.environment_id,
            deployment_id: desired.deployment_id,
            kind: desired.spec.workload_kind(),
            before: None,
        };
        let nothing = Outputs::new();
        let scope = self.scope(&nothing);
        until(async || self.cloud.traffic.switch(&scope, &route).await).await
    }

    pub async fn shown(&self) -> Result<Option<DeploymentId>, CloudError> {
        let nothing = Outputs::new();
        self.cloud.traffic.shown(&self.scope(&nothing)).await
    }

    pub async fn rest(&self, desired: &Desired<WorkloadSpec>) -> Result<(), CloudError> {
        let nothing = Outputs::new();
        let scope = self.scope(&nothing);
        until(async || self.cloud.rest(&scope, desired.deployment_id, &desired.spec).await).await
    }

    pub async fn delete(&self, desired: &Desired<WorkloadSpec>) -> Result<(), CloudError> {
        let nothing = Outputs::new();
        let scope = self.scope(&nothing);
        until(async || self.cloud.delete(&scope, desired.deployment_id).await).await
    }

    pub async fn remove(&self) -> Result<(), CloudError> {
        let nothing = Outputs::new();
        let scope = self.scope(&nothing);
        until(async || self.cloud.traffic.remove(&scope).await).await
    }
}
