//! The edge of the sandbox, and what it is told to run.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clouds_contract::{Desired, Observation};
use clouds_local::control::Workload;
use clouds_local::control::memory::MemoryControl;
use clouds_local::edge::{ClientAddress, Edge, EdgeBody, EdgeConfig};
use domain::id::{DeploymentId, EnvironmentId, ProjectId, TeamId};
use domain::secret::Secret;
use http::header::IF_NONE_MATCH;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;

use super::artifact::{Unprepared, prepare};
use super::caddy::{CaddySite, Visitor};
use super::chain::follow;
use super::page::{Broken, SIMULATED};
use super::plan::{Wanted, plan};
use super::{Runtime, Runtimes};
use crate::aws::{Visit, is_front};
use crate::azure;
use crate::http::Answer;
use crate::kernel::Kernel;
use crate::world::{State, World};

/// Time for which processes may end themselves when the sandbox stops.
const STOP_GRACE: Duration = Duration::from_secs(4);

/// Time that a visitor waits for something to start.
const COLD_START: Duration = Duration::from_secs(30);

/// The edge of the sandbox, and what it is told to run.
pub(crate) struct DataPlane {
    edge: Edge,
    control: Arc<MemoryControl>,
    directory: PathBuf,
    owner: (TeamId, ProjectId, EnvironmentId),
    runs: Mutex<HashMap<String, Run>>,
    /// Held by the one that makes the edge's state true.
    turn: Mutex<()>,
}

/// End of the way of a visitor's request.
enum Reached {
    Answer(Answer),
    /// The key of what runs.
    Runs(String),
    Broken(Broken),
}

/// Follows a host by the world alone.
fn in_world(state: &State, host: &str) -> (&'static str, Reached) {
    let (service, found) = follow(state, host);
    (service, found.map_or_else(Reached::Broken, |found| Reached::Runs(found.key)))
}

/// Something that was to run, and the outcome.
struct Run {
    wanted: Wanted,
    outcome: Outcome,
}

enum Outcome {
    Runs(DeploymentId, Option<Arc<CaddySite>>),
    NotRun(String),
    Failed(String),
}

impl DataPlane {
    /// Starts an edge with its files below this directory.
    pub async fn start(directory: &Path) -> io::Result<Self> {
        let directory = std::path::absolute(directory)?;
        let instance = format!("sandbox-{}", crate::world::digest_of(directory.as_os_str().as_encoded_bytes()).split_at(12).0);
        let mut config = EdgeConfig::new(directory.join("edge"), instance);
        config.drain = Duration::from_secs(5);
        config.stop_grace = Duration::from_secs(2);
        let control = MemoryControl::new();
        let edge = Edge::start(config, control.clone()).await.map_err(io::Error::other)?;
        let owner = (TeamId::new(), ProjectId::new(), EnvironmentId::new());
        Ok(Self { edge, control, directory: directory.join("artifacts"), owner, runs: Mutex::default(), turn: Mutex::new(()) })
    }

    fn runs(&self) -> MutexGuard<'_, HashMap<String, Run>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the edge run what the world says. Unpacks images, so it is not for the threads that serve requests.
    pub fn reconcile(&self, world: &World) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = plan(&world.lock());
        let keys: Vec<_> = wanted.iter().map(|wanted| wanted.key.clone()).collect();
        for wanted in wanted {
            let is_same = self.runs().get(&wanted.key).is_some_and(|run| run.wanted == wanted);
            if !is_same {
                self.run(world, wanted);
            }
        }
        let gone: Vec<_> = self.runs().extract_if(|key, _| !keys.contains(key)).map(|(_, run)| run.wanted.workload).collect();
        if !gone.is_empty() {
            let mut state = self.control.lock();
            for id in gone {
                state.workloads.remove(&id);
                state.routes.remove(&live_label(id));
            }
        }
        self.edge.refresh();
    }

    fn run(&self, world: &World, wanted: Wanted) {
        let outcome = match prepare(world.blobs(), &self.directory, &wanted) {
            Err(Unprepared::NotRun(reason)) => Outcome::NotRun(reason),
            Err(Unprepared::Failed(reason)) => Outcome::Failed(reason),
            Ok(prepared) => {
                let (team_id, project_id, environment_id) = self.owner;
                let (id, site) = (wanted.workload, prepared.site.map(Arc::new));
                let desired = Desired {
                    deployment_id: id,
                    team_id,
                    project_id,
                    environment_id,
                    label: own_label(id),
                    artifact: prepared.artifact.clone(),
                    spec: prepared.spec,
                };
                let mut state = self.control.lock();
                state.artifacts.insert(prepared.artifact, prepared.directory);
                let env = prepared.env.into_iter().map(|(name, value)| (name, Secret::new(value)));
                state.variables.insert(id, env.collect());
                let is_known = state.workloads.get(&id).is_some_and(|known| known.desired == desired);
                if !is_known {
                    let observed = Observation::Pending { detail: "waits for the edge".to_owned() };
                    state.workloads.insert(id, Workload { desired, observed });
                }
                if wanted.live {
                    state.routes.insert(live_label(id), id);
                } else {
                    state.routes.remove(&live_label(id));
                }
                Outcome::Runs(id, site)
            }
        };
        self.runs().insert(wanted.key.clone(), Run { wanted, outcome });
    }

    /// Answers a visitor.
    pub async fn handle(
        &self,
        kernel: &Kernel,
        host: &str,
        client: IpAddr,
        mut request: Request<Incoming>,
    ) -> Response<EdgeBody> {
        let world = &kernel.world;
        if let Some(response) = website(world, host, &request) {
            return response;
        }
        let is_aws = is_front(&world.lock(), host);
        let (service, found) = if is_aws { self.front(kernel, host, &request).await } else { in_world(&world.lock(), host) };
        let found = match found {
            Reached::Answer(answer) => return answer.with(SIMULATED, service).into_response(),
            Reached::Broken(broken) => Err(broken),
            Reached::Runs(key) => {
                self.wait_until(|| self.runs().contains_key(&key)).await;
                self.workload(&key)
            }
        };
        let mut response = match found {
            Ok((_, Some(site))) => site.answer(world.blobs(), &visitor(&request)).into_response(),
            Ok((id, None)) => {
                let is_unknown = || matches!(self.control.observed(id), Observation::Pending { .. } | Observation::Absent);
                self.wait_until(|| !is_unknown()).await;
                request.extensions_mut().insert(ClientAddress(client));
                self.edge.handle(&own_label(id), request).await
            }
            Err(broken) => broken.answer().into_response(),
        };
        response.headers_mut().insert(SIMULATED, HeaderValue::from_static(service));
        response
    }

    /// Waits for something that starts, as a visitor of a cloud waits for a cold start. What takes longer is told as it is.
    async fn wait_until(&self, is_there: impl Fn() -> bool) {
        let there = async {
            while !is_there() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(COLD_START, there).await;
    }

    /// Follows a host of CloudFront or of a load balancer.
    async fn front(&self, kernel: &Kernel, host: &str, request: &Request<Incoming>) -> (&'static str, Reached) {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let method = request.method().clone();
        let reached = match kernel.aws.front(&kernel.world).visit(host, &method, &path).await {
            Visit::Answer(answer) => Reached::Answer(answer),
            Visit::Runs(key) => Reached::Runs(key),
            Visit::Broken(broken) => Reached::Broken(Broken { status: broken.status, message: broken.message }),
        };
        (if host.ends_with(".elb.amazonaws.com") { "aws load-balancer" } else { "aws cloudfront" }, reached)
    }

    fn workload(&self, key: &str) -> Result<(DeploymentId, Option<Arc<CaddySite>>), Broken> {
        match self.runs().get(key).map(|run| &run.outcome) {
            Some(Outcome::Runs(id, site)) => Ok((*id, site.clone())),
            Some(Outcome::NotRun(reason) | Outcome::Failed(reason)) => Err(Broken::new(reason.clone())),
            None => Err(Broken::new(format!("{} is being started", key.rsplit('/').next().unwrap_or(key)))),
        }
    }

    /// Lines that a revision printed.
    pub fn log(&self, key: &str) -> Option<String> {
        let id = self.runs().get(key).map(|run| run.wanted.workload)?;
        Some(self.control.log_text(id))
    }

    /// Ends everything that runs.
    pub async fn stop(&self) {
        self.edge.shutdown(STOP_GRACE).await;
    }
}

impl Runtimes for DataPlane {
    fn of(&self, key: &str) -> Runtime {
        let id = match self.runs().get(key).map(|run| &run.outcome) {
            None => return Runtime::Starting,
            Some(Outcome::NotRun(reason)) => return Runtime::NotRun(reason.clone()),
            Some(Outcome::Failed(reason)) => return Runtime::Failed(reason.clone()),
            Some(Outcome::Runs(id, _)) => *id,
        };
        match self.control.observed(id) {
            Observation::Ready { .. } => Runtime::Ready,
            Observation::Failed { message, .. } => Runtime::Failed(message),
            Observation::Pending { .. } | Observation::Absent => Runtime::Starting,
        }
    }
}

/// A request as a site of Caddy's reads it.
fn visitor(request: &Request<Incoming>) -> Visitor {
    Visitor {
        method: request.method().clone(),
        path: crate::http::decode_path(request.uri().path()),
        query: request.uri().query().unwrap_or_default().to_owned(),
        headers: request.headers().clone(),
    }
}

/// The answer of a static website of Azure, whose files are served as they were stored; `None` for other hosts.
fn website(world: &World, host: &str, request: &Request<Incoming>) -> Option<Response<EdgeBody>> {
    let (state, none_match) = (world.lock(), request.headers().get(IF_NONE_MATCH));
    let none_match = none_match.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let answer = match azure::website_of(&state, host)? {
        Ok(account) => azure::website_file(&state, world.blobs(), &account, request.method(), request.uri().path(), none_match),
        Err(message) => Broken::new(message).answer(),
    };
    Some(answer.with(SIMULATED, "azure static-website").into_response())
}

/// Label at which the edge shows a revision, started on demand.
fn own_label(id: DeploymentId) -> String {
    format!("own-{id}")
}

/// Label that keeps a revision running while traffic goes there.
fn live_label(id: DeploymentId) -> String {
    format!("live-{id}")
}
