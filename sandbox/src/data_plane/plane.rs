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
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;

use super::artifact::{Unprepared, prepare};
use super::chain::follow;
use super::page::{Broken, SIMULATED};
use super::plan::{Wanted, plan};
use super::{Runtime, Runtimes};
use crate::world::World;

/// Time for which processes may end themselves when the sandbox stops.
const STOP_GRACE: Duration = Duration::from_secs(4);

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

/// What came of something that was to run.
struct Run {
    wanted: Wanted,
    outcome: Outcome,
}

enum Outcome {
    Runs(DeploymentId),
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
                let id = wanted.workload;
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
                Outcome::Runs(id)
            }
        };
        self.runs().insert(wanted.key.clone(), Run { wanted, outcome });
    }

    /// Answers a visitor.
    pub async fn handle(&self, world: &World, host: &str, client: IpAddr, mut request: Request<Incoming>) -> Response<EdgeBody> {
        let (service, found) = follow(&world.lock(), host);
        let found = found.and_then(|found| self.workload(&found.key));
        let mut response = match found {
            Ok(id) => {
                request.extensions_mut().insert(ClientAddress(client));
                self.edge.handle(&own_label(id), request).await
            }
            Err(broken) => broken.answer().into_response(),
        };
        response.headers_mut().insert(SIMULATED, HeaderValue::from_static(service));
        response
    }

    fn workload(&self, key: &str) -> Result<DeploymentId, Broken> {
        match self.runs().get(key).map(|run| &run.outcome) {
            Some(Outcome::Runs(id)) => Ok(*id),
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
            Some(Outcome::Runs(id)) => *id,
        };
        match self.control.observed(id) {
            Observation::Ready { .. } => Runtime::Ready,
            Observation::Failed { message, .. } => Runtime::Failed(message),
            Observation::Pending { .. } | Observation::Absent => Runtime::Starting,
        }
    }
}

/// Label at which the edge shows a revision, started on demand.
fn own_label(id: DeploymentId) -> String {
    format!("own-{id}")
}

/// Label that keeps a revision running while traffic goes there.
fn live_label(id: DeploymentId) -> String {
    format!("live-{id}")
}
