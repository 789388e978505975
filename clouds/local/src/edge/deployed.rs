//! One workload that this edge has.

use std::sync::Arc;

use bytes::Bytes;
use clouds_contract::{Desired, Observation};
use domain::workload::{Server, WorkloadSpec};
use http::{Request, Response};
use http_body::Body;

use super::body::{BoxError, EdgeBody};
use super::functions::FunctionGroup;
use super::page::Page;
use super::proxy::Outgoing;
use super::server::ServerGroup;
use super::shared::{Place, Shared};
use super::site::StaticRuntime;
use crate::control::Workload;

/// One workload that this edge has.
pub(crate) struct Deployed {
    pub place: Arc<Place>,
    pub runtime: Runtime,
}

/// Runtime of the workload, by its kind.
pub(crate) enum Runtime {
    Static(StaticRuntime),
    Server(Arc<ServerGroup>),
    Functions(FunctionGroup),
}

impl Deployed {
    /// Takes a workload on. What was never ready, or is to be shown, is started.
    pub fn start(shared: Arc<Shared>, workload: Workload, live: bool) -> Arc<Self> {
        let spec = workload.desired.spec.clone();
        let place = Place::new(shared, workload);
        let runtime = match &spec {
            WorkloadSpec::Static(site) => Runtime::Static(StaticRuntime::new(Arc::clone(&place), &site.root, Vec::new())),
            WorkloadSpec::Server(server) => Runtime::Server(ServerGroup::start(Arc::clone(&place), server.clone(), live)),
            WorkloadSpec::Functions(set) => Runtime::Functions(FunctionGroup::new(Arc::clone(&place), set)),
        };
        let deployed = Arc::new(Self { place, runtime });
        deployed.check_soon();
        deployed
    }

    /// Returns the desired state.
    pub fn desired(&self) -> &Desired<WorkloadSpec> {
        &self.place.desired
    }

    /// Returns true if it matches the desired state, apart from the number of replicas.
    pub fn is_as(&self, desired: &Desired<WorkloadSpec>) -> bool {
        let (WorkloadSpec::Server(mine), WorkloadSpec::Server(other)) = (&self.desired().spec, &desired.spec) else {
            return self.desired() == desired;
        };
        let other = Server { replicas: mine.replicas, ..other.clone() };
        *self.desired() == Desired { spec: WorkloadSpec::Server(other), ..desired.clone() }
    }

    /// Says how many replicas it is to have on this machine.
    pub fn set_replicas(&self, spec: &WorkloadSpec) {
        if let (Runtime::Server(group), WorkloadSpec::Server(server)) = (&self.runtime, spec) {
            group.set_replicas(server.replicas);
        }
    }

    /// Files and functions that are not ready yet are looked at, in a task of its own. Servers have their supervisor.
    fn check_soon(self: &Arc<Self>) {
        if !matches!(self.place.status.current(), Observation::Pending { .. } | Observation::Absent) {
            return;
        }
        let this = Arc::clone(self);
        tokio::spawn(async move {
            while !this.place.retire.is_cancelled() {
                match &this.runtime {
                    Runtime::Static(site) => site.check().await,
                    Runtime::Functions(functions) => functions.check().await,
                    Runtime::Server(_) => return,
                }
                if !matches!(this.place.status.current(), Observation::Pending { .. } | Observation::Absent) {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_secs(2)).await;
            }
        });
    }

    /// Returns true if a route may point to it now: a request would be answered.
    pub fn is_serving(&self) -> bool {
        match &self.runtime {
            Runtime::Server(server) => server.is_serving(),
            Runtime::Static(_) | Runtime::Functions(_) => self.place.status.is_ready(),
        }
    }

    /// Says whether a route shows it, or is to show it.
    pub fn set_live(&self, live: bool) {
        match &self.runtime {
            Runtime::Server(server) => server.set_live(live),
            Runtime::Static(site) if !live => site.rest(),
            Runtime::Functions(functions) if !live => functions.site().into_iter().for_each(StaticRuntime::rest),
            Runtime::Static(_) | Runtime::Functions(_) => {}
        }
    }

    /// Returns the reason for which it does not answer, if it failed before it ever did.
    pub fn failure(&self) -> Option<Page> {
        match (&self.runtime, self.place.status.current()) {
            (Runtime::Static(_) | Runtime::Functions(_), Observation::Failed { message, .. }) => {
                Some(Page::unavailable(format!("this deployment failed: {message}"), 60))
            }
            (Runtime::Functions(_), Observation::Pending { .. } | Observation::Absent) => {
                Some(Page::unavailable("this deployment is starting", 2))
            }
            _ => None,
        }
    }

    /// Answers a request with files, when it is one that files answer; otherwise gives it back.
    pub async fn file<B>(&self, request: Request<B>) -> Result<Response<EdgeBody>, Request<B>>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let site = match &self.runtime {
            Runtime::Static(site) => site,
            Runtime::Server(_) | Runtime::Functions(_) => return Err(request),
        };
        let (parts, _) = request.into_parts();
        let opened = match site.opened() {
            Some(site) => Ok(site),
            None => match self.failure() {
                Some(page) => Err(page),
                None => site.site_or_page().await,
            },
        };
        Ok(match opened {
            Ok(site) => site.respond(&parts.method, &parts.uri, &parts.headers).await,
            Err(page) => page.response(&parts.headers),
        })
    }

    /// Answers a request that goes to a function.
    pub async fn call(&self, functions: &FunctionGroup, outgoing: Outgoing) -> Response<EdgeBody> {
        if let Some(page) = self.failure() {
            return page.response(&outgoing.headers);
        }
        let path = outgoing.uri.path().to_owned();
        functions.call(&path, outgoing).await
    }

    /// Stops everything of it and waits until nothing is left. Its files stay.
    pub async fn retire(&self) {
        self.place.retire.cancel();
        match &self.runtime {
            Runtime::Server(server) => server.gone().await,
            Runtime::Functions(functions) => functions.gone().await,
            Runtime::Static(_) => {}
        }
    }
}
