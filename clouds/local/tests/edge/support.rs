//! A world to test in: an edge, its control plane, artifacts, and a listener in front.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use clouds_contract::{BuildOutcome, BuildRequest, Builds, Cloud, CloudError, Desired, LogSink, Observation, Route, Scope};
use clouds_local::LocalCloud;
use clouds_local::control::memory::MemoryControl;
use clouds_local::edge::{Edge, EdgeConfig};
use domain::artifact::Digest;
use domain::id::{DeploymentId, EnvironmentId, ProjectId, TeamId};
use domain::workload::{Function, FunctionSet, Runtime, Server, StaticSite, WorkloadKind, WorkloadSpec};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Longer than anything takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(40);

pub struct World {
    pub control: Arc<MemoryControl>,
    pub edge: Edge,
    pub cloud: Cloud,
    pub config: EdgeConfig,
    pub owner: Owner,
    pub directory: tempfile::TempDir,
}

/// Owner of everything in a world.
#[derive(Clone, Copy)]
pub struct Owner {
    team: TeamId,
    project: ProjectId,
    environment: EnvironmentId,
}

pub struct Got {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

struct NoBuilds;

#[async_trait]
impl Builds for NoBuilds {
    async fn build(&self, _: BuildRequest, _: &dyn LogSink, _: CancellationToken) -> Result<BuildOutcome, CloudError> {
        Err(CloudError::new(clouds_contract::ErrorKind::Unsupported, "UNSUPPORTED", "no builds here"))
    }

    async fn container_engine(&self) -> domain::engine::ContainerEngine {
        domain::engine::ContainerEngine::Missing
    }

    async fn forget(&self, _: domain::id::ProjectId) -> Result<(), CloudError> {
        Ok(())
    }
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// Times short enough for a test; `change` may make them others.
    pub async fn with(change: impl FnOnce(&mut EdgeConfig)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let instance = format!("test-{}", DeploymentId::new());
        let mut config = EdgeConfig::new(directory.path().join("edge"), instance);
        config.start_deadline = Duration::from_secs(20);
        config.stop_grace = Duration::from_secs(1);
        config.drain = Duration::from_secs(5);
        change(&mut config);
        let control = MemoryControl::new();
        let edge = Edge::start(config.clone(), control.clone()).await.unwrap();
        let cloud = LocalCloud::cloud(Arc::new(edge.clone()), control.clone(), Some(Arc::new(NoBuilds)));
        let owner = Owner { team: TeamId::new(), project: ProjectId::new(), environment: EnvironmentId::new() };
        Self { control, edge, cloud, config, owner, directory }
    }

    /// Another edge over the same state, as after a restart of MikroCloud.
    pub async fn restart(self) -> Self {
        let Self { control, edge, cloud, config, owner, directory } = self;
        drop((edge, cloud));
        let edge = Edge::start(config.clone(), control.clone()).await.unwrap();
        let cloud = LocalCloud::cloud(Arc::new(edge.clone()), control.clone(), Some(Arc::new(NoBuilds)));
        Self { control, edge, cloud, config, owner, directory }
    }

    /// An artifact with these files.
    pub fn artifact(&self, files: &[(&str, &str)]) -> Digest {
        use sha2::Digest as _;
        let digest = Digest::from_bytes(&sha2::Sha256::digest(format!("{files:?}")).into());
        let root = self.directory.path().join("artifacts").join(digest.as_str());
        for (path, content) in files {
            write(&root.join(path), content);
        }
        self.control.lock().artifacts.insert(digest.clone(), root);
        digest
    }

    /// Asks for a workload, in the environment of this project.
    pub async fn apply(&self, spec: WorkloadSpec, files: &[(&str, &str)]) -> DeploymentId {
        let id = DeploymentId::new();
        self.apply_as(id, spec, files).await;
        id
    }

    pub async fn apply_as(&self, id: DeploymentId, spec: WorkloadSpec, files: &[(&str, &str)]) {
        let artifact = self.artifact(files);
        self.apply_known(id, spec, artifact).await;
    }

    /// Asks for a workload whose artifact is on record.
    pub async fn apply_known(&self, id: DeploymentId, spec: WorkloadSpec, artifact: Digest) {
        match spec {
            WorkloadSpec::Static(spec) => {
                self.cloud.static_sites.as_ref().unwrap().apply(&self.scope(), &self.desired(id, artifact, spec)).await.unwrap();
            }
            WorkloadSpec::Server(spec) => {
                self.cloud.servers.as_ref().unwrap().apply(&self.scope(), &self.desired(id, artifact, spec)).await.unwrap();
            }
            WorkloadSpec::Functions(spec) => {
                self.cloud.functions.as_ref().unwrap().apply(&self.scope(), &self.desired(id, artifact, spec)).await.unwrap();
            }
        }
    }

    fn desired<S>(&self, id: DeploymentId, artifact: Digest, spec: S) -> Desired<S> {
        let Owner { team: team_id, project: project_id, environment: environment_id } = self.owner;
        Desired { deployment_id: id, team_id, project_id, environment_id, label: own_label(id), artifact, spec }
    }

    pub fn route(&self, id: DeploymentId) -> Route {
        let Owner { team: team_id, project: project_id, environment: environment_id } = self.owner;
        let kind = WorkloadKind::Static;
        Route { label: "shop".to_owned(), team_id, project_id, environment_id, deployment_id: id, kind, before: None }
    }

    /// The scope that the local cloud is given.
    pub fn scope(&self) -> Scope<'static> {
        Scope::local(self.owner.team, None)
    }

    /// Makes `shop` show this deployment.
    pub async fn switch(&self, id: DeploymentId) {
        self.cloud.traffic.switch(&self.scope(), &self.route(id)).await.unwrap();
    }

    /// Asks for a workload, waits until it is ready and shows it.
    pub async fn deploy(&self, spec: WorkloadSpec, files: &[(&str, &str)]) -> DeploymentId {
        let id = self.apply(spec, files).await;
        self.ready(id).await;
        self.switch(id).await;
        id
    }

    pub async fn ready(&self, id: DeploymentId) {
        let observed = self.settled(id).await;
        assert!(matches!(observed, Observation::Ready { .. }), "{observed:?}\n{}", self.control.log_text(id));
    }

    /// The code and message with which it fails.
    pub async fn failure(&self, id: DeploymentId) -> (String, String) {
        match self.settled(id).await {
            Observation::Failed { code, message } => (code, message),
            other => panic!("{other:?}\n{}", self.control.log_text(id)),
        }
    }

    async fn settled(&self, id: DeploymentId) -> Observation {
        let settled = |observed: &Observation| matches!(observed, Observation::Ready { .. } | Observation::Failed { .. });
        until("it is ready or failed", || async { Some(self.control.observed(id)).filter(settled) }).await
    }

    pub async fn get(&self, label: &str, path: &str) -> Got {
        self.send(label, Request::get(path).header("host", format!("{label}.localhost"))).await
    }

    pub async fn send(&self, label: &str, request: http::request::Builder) -> Got {
        self.send_body(label, request, Bytes::new()).await
    }

    pub async fn send_body(&self, label: &str, request: http::request::Builder, body: impl Into<Bytes>) -> Got {
        let request = request.body(Full::new(body.into())).unwrap();
        let response = timeout(PATIENCE, self.edge.handle(label, request)).await.expect("an answer in time");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        Got { status: parts.status.as_u16(), headers: parts.headers, body: String::from_utf8_lossy(&bytes).into_owned() }
    }

    /// A listener that hands what it takes to the edge, by host, as MikroCloud's own does.
    pub async fn listen(&self) -> u16 {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let edge = self.edge.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let edge = edge.clone();
                let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
                    let edge = edge.clone();
                    async move {
                        let host = request.headers()["host"].to_str().unwrap().to_owned();
                        let label = edge.label_of(&host).unwrap_or_default().to_owned();
                        Ok::<_, Infallible>(edge.handle(&label, request).await)
                    }
                });
                let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                tokio::spawn(async move {
                    let _ = server.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
                });
            }
        });
        port
    }

    /// Returns the number of this edge's processes that are alive.
    pub fn processes(&self) -> usize {
        marked(&format!("{}:", self.config.instance)).len()
    }
}

pub fn own_label(id: DeploymentId) -> String {
    format!("shop--{}", id.short())
}

/// The ids of living processes whose marker starts with this.
pub fn marked(prefix: &str) -> Vec<u32> {
    let needle = format!("MIKROCLOUD_PROCESS={prefix}");
    let ids = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let alive = |id: &u32| {
        let environment = std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry.starts_with(needle.as_bytes()))
    };
    ids.filter(alive).collect()
}

/// Waits for a condition with a deadline.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, check: impl Fn() -> F) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = check().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited too long until {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

pub fn write(path: &Path, content: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// A server of one file.
pub fn server(command: &[&str]) -> Server {
    Server {
        directory: String::new(),
        path: Vec::new(),
        command: command.iter().map(|part| (*part).to_owned()).collect(),
        env: Vec::new(),
        port: None,
        health_path: "/".to_owned(),
        replicas: 1,
        memory_mib: 512,
        cpu: 1.0,
        image: None,
    }
}

pub fn node() -> WorkloadSpec {
    WorkloadSpec::Server(server(&["node", "server.mjs"]))
}

pub fn site() -> WorkloadSpec {
    WorkloadSpec::Static(StaticSite::default())
}

/// A Node server that answers with the value of an expression, in which `request` is the request.
pub fn answering(expression: &str) -> String {
    format!(
        "import http from 'node:http';\n\
         const server = http.createServer((request, response) => response.end(String({expression})));\n\
         server.listen(process.env.PORT, '127.0.0.1');\n"
    )
}

pub fn functions(functions: &[(&str, &str, Runtime)]) -> FunctionSet {
    let functions = functions
        .iter()
        .map(|(route, file, runtime)| Function { route: (*route).to_owned(), file: (*file).to_owned(), runtime: *runtime })
        .collect();
    FunctionSet { functions, site: None, env: Vec::new(), memory_mib: 512, timeout_seconds: 10, concurrency: 10 }
}
