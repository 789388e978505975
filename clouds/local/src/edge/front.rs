//! The edge as the rest of MikroCloud sees it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use clouds_contract::CloudError;
use domain::id::DeploymentId;
use domain::secret::Secret;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::Body;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::body::{BoxError, EdgeBody};
use super::config::{EdgeConfig, name_of};
use super::deployed::{Deployed, Runtime};
use super::files::Library;
use super::instance::{Instance, Pool};
use super::page::Page;
use super::proxy::{Outgoing, Upstream};
use super::reconcile::Reconciler;
use super::server::{FixedPorts, NoLease, ServerGroup};
use super::shared::{Shared, StopTimes};
use super::table::Target;
use super::workdir::Workdirs;
use crate::control::SharedControlPlane;
use crate::process::kill_marked;

/// Number of times that a request is offered to a process before its failure is reported.
const ATTEMPTS: u32 = 10;

/// Number of other machines' edges that are tried.
const EDGE_ATTEMPTS: u32 = 3;

/// Carries the proof that another edge of this installation sent a request, which is then never sent on again.
const FORWARDED: HeaderName = HeaderName::from_static("x-mikrocloud-edge");

/// The edge of one machine. Cheap to clone; it ends with the last clone.
#[derive(Clone)]
pub struct Edge {
    reconciler: Arc<Reconciler>,
    _end: Arc<DropGuard>,
}

impl Edge {
    /// Kills what an earlier process of the same instance left, loads the desired state and starts to make it true. Fails when the
    /// directory cannot be used or the desired state cannot be read.
    pub async fn start(config: EdgeConfig, control: SharedControlPlane) -> Result<Self, CloudError> {
        let orphans = kill_marked(&config.marker_prefix()).await;
        if orphans > 0 {
            tracing::info!(orphans, "processes of an earlier edge are killed");
        }
        let directory = config.directory.clone();
        tokio::fs::create_dir_all(&directory)
            .await
            .map_err(|error| CloudError::internal(format!("the directory {} cannot be made", directory.display()), error))?;
        let stop = CancellationToken::new();
        let shared = Shared {
            library: Library::new(&directory, Arc::clone(&control)),
            workdirs: Workdirs::new(directory.join("run")),
            config,
            control,
            upstream: Upstream::new(),
            fixed_ports: FixedPorts::default(),
            reconcile: Arc::new(Notify::new()),
            report: Arc::new(Notify::new()),
            stop: stop.clone(),
            stop_times: Mutex::default(),
        };
        let reconciler = Reconciler::new(Arc::new(shared));
        reconciler.clean().await?;
        reconciler.pass().await?;
        tokio::spawn(Arc::clone(&reconciler).run());
        tokio::spawn(Arc::clone(&reconciler).report());
        Ok(Self { reconciler, _end: Arc::new(stop.drop_guard()) })
    }

    /// The label in a `Host` header, such as `shop--preview` in `shop--preview.localhost:8080`, or the whole name of a domain of
    /// a team's own. `None` for every other host.
    pub fn label_of<'h>(&self, host: &'h str) -> Option<&'h str> {
        self.reconciler.shared.config.label_of(host).or_else(|| {
            let name = name_of(host);
            self.reconciler.is_domain(name).then_some(name)
        })
    }

    /// Returns the address at which this machine accepts visitors' requests.
    pub fn listening(&self) -> Option<String> {
        self.reconciler.shared.config.listening.clone()
    }

    /// The address at which a label is seen.
    pub fn url(&self, label: &str) -> String {
        self.reconciler.shared.config.url(label)
    }

    /// Answers a request for a label. Put a [`super::ClientAddress`] among its extensions to tell workloads who asks. Connections
    /// that change their protocol pass when the server that took the request lets them.
    pub async fn handle<B>(&self, label: &str, request: Request<B>) -> Response<EdgeBody>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let Some(target) = self.reconciler.target(label) else { return unknown(label, request.headers()) };
        let mut request = request;
        let is_forwarded = self.take_forwarded(request.headers_mut());
        let deployed = match target {
            Target { here: Some(deployed), there: Some(there), .. } if !is_forwarded && !deployed.is_serving() => {
                return Box::pin(self.pass_to_others(Some(deployed), &there, self.outgoing(request))).await;
            }
            Target { here: Some(deployed), .. } => deployed,
            Target { there: Some(there), .. } if !is_forwarded => {
                return Box::pin(self.pass_to_others(None, &there, self.outgoing(request))).await;
            }
            Target { .. } => {
                return Page::unavailable("this deployment is moving to another machine", 2).response(request.headers());
            }
        };
        let request = match deployed.file(request).await {
            Ok(response) => return response,
            Err(request) => request,
        };
        let outgoing = self.outgoing(request);
        match &deployed.runtime {
            // Boxed, so that requests for files do not carry the room that these need.
            Runtime::Functions(functions) => Box::pin(deployed.call(functions, outgoing)).await,
            Runtime::Server(_) | Runtime::Static(_) => Box::pin(self.pass_on(label, Arc::clone(&deployed), outgoing)).await,
        }
    }

    fn outgoing<B>(&self, request: Request<B>) -> Outgoing
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Outgoing::new(request, &self.reconciler.shared.config.public_scheme)
    }

    /// Returns true if another edge of this installation sent the request, and removes the mark of that, so that nobody behind
    /// the edge sees it.
    fn take_forwarded(&self, headers: &mut HeaderMap) -> bool {
        let shown = headers.remove(FORWARDED);
        let known = self.reconciler.shared.config.forwarding.as_ref();
        shown.zip(known).is_some_and(|(shown, known)| known.borrow().iter().any(|secret| secret.equals(shown.as_bytes())))
    }

    /// Offers the request to edges of other machines on which the deployment answers.
    async fn pass_to_others(&self, here: Option<Arc<Deployed>>, there: &Pool, mut outgoing: Outgoing) -> Response<EdgeBody> {
        let secrets = self.reconciler.shared.config.forwarding.as_ref();
        let shown = |secrets: &[Secret]| HeaderValue::from_str(secrets.first()?.expose()).ok();
        if let Some(value) = secrets.and_then(|secrets| shown(&secrets.borrow())) {
            outgoing.headers.insert(FORWARDED, value);
        }
        let mut avoid: Option<Arc<Instance>> = None;
        for attempt in 1..=EDGE_ATTEMPTS {
            let Some(lease) = there.lease(avoid.as_ref()) else { break };
            avoid = Some(Arc::clone(lease.instance()));
            match self.reconciler.shared.upstream.forward(&mut outgoing, lease, ()).await {
                Ok(response) => return response,
                Err(error) if error.retry.allows(attempt) => {}
                Err(error) => return Page::new(StatusCode::BAD_GATEWAY, error.message).response(&outgoing.headers),
            }
        }
        let starting =
            if here.is_some() { "this deployment is starting" } else { "the machine that runs this deployment does not answer" };
        Page::unavailable(starting, 2).response(&outgoing.headers)
    }

    /// Offers the request to processes until one answers or it cannot be offered again.
    async fn pass_on(&self, label: &str, mut deployed: Arc<Deployed>, mut outgoing: Outgoing) -> Response<EdgeBody> {
        let mut avoid: Option<Arc<Instance>> = None;
        let mut reason = String::new();
        for attempt in 1..=ATTEMPTS {
            let Runtime::Server(server) = &deployed.runtime else { break };
            let lease = match self.lease(label, &deployed, server, avoid.as_ref()).await {
                Ok(lease) => lease,
                Err(NoLease::Page(page)) => return page.response(&outgoing.headers),
                Err(NoLease::Gone) => match self.reconciler.find(label) {
                    Some(now) if !Arc::ptr_eq(&now, &deployed) => {
                        deployed = now;
                        continue;
                    }
                    Some(_) => return Page::unavailable("this deployment is being stopped", 5).response(&outgoing.headers),
                    None => return unknown(label, &outgoing.headers),
                },
            };
            let instance = Arc::clone(lease.instance());
            match self.reconciler.shared.upstream.forward(&mut outgoing, lease, ()).await {
                Ok(response) => return response,
                Err(error) => {
                    reason = error.message;
                    if !error.retry.allows(attempt) {
                        break;
                    }
                }
            }
            if attempt > 1 {
                // It may have ended a moment ago: its supervisor is about to notice.
                sleep(Duration::from_millis(50)).await;
            }
            avoid = Some(instance);
            deployed = self.reconciler.find(label).unwrap_or(deployed);
        }
        Page::new(StatusCode::BAD_GATEWAY, reason).response(&outgoing.headers)
    }

    /// A place in a process of this server. When the label comes to show another workload meanwhile, that one is to be asked.
    async fn lease(
        &self,
        label: &str,
        deployed: &Arc<Deployed>,
        server: &ServerGroup,
        avoid: Option<&Arc<Instance>>,
    ) -> Result<super::instance::Lease, NoLease> {
        let mut table = self.reconciler.table();
        let is_same = |target: &Target| target.here.as_ref().is_some_and(|now| Arc::ptr_eq(now, deployed));
        let moved = table.wait_for(|table| !table.get(label).is_some_and(is_same));
        let own = label.eq_ignore_ascii_case(&deployed.desired().label);
        tokio::select! {
            biased;
            lease = server.lease(avoid, own) => lease,
            _ = moved => Err(NoLease::Gone),
        }
    }

    /// Says that the desired state changed: it is read again now.
    pub fn refresh(&self) {
        self.reconciler.shared.reconcile.notify_one();
    }

    /// Waits until new requests for this label go to this deployment.
    pub(crate) async fn wait_shown(&self, label: &str, id: DeploymentId) {
        let mut table = self.reconciler.table();
        // The sender lives as long as this edge.
        let _ = table.wait_for(|table| table.get(label).is_some_and(|target| target.deployment_id == id)).await;
    }

    /// Waits until this label shows nothing.
    pub(crate) async fn wait_hidden(&self, label: &str) {
        let mut table = self.reconciler.table();
        let _ = table.wait_for(|table| table.get(label).is_none()).await;
    }

    /// Waits until nothing of this deployment is left on this machine.
    pub(crate) async fn wait_gone(&self, id: DeploymentId) {
        self.reconciler.wait_gone(id).await;
    }

    /// Ends everything: takes up no change any more, lets requests under way finish for half of `grace`, asks processes to end
    /// (SIGTERM) and kills what is left when it is over.
    pub async fn shutdown(&self, grace: Duration) {
        let shared = &self.reconciler.shared;
        let times = StopTimes { drain: grace / 2, grace: grace / 2 };
        *shared.stop_times.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = times;
        shared.stop.cancel();
        if timeout(grace + Duration::from_secs(10), self.reconciler.retire_all()).await.is_err() {
            tracing::warn!("some processes did not end in time");
        }
    }
}

fn unknown(label: &str, request: &HeaderMap) -> Response<EdgeBody> {
    let label: String = label.chars().take(80).collect();
    let message =
        format!("nothing is deployed as `{label}`: run `mikrocloud deploy` in the project's directory, or check the name");
    Page::new(StatusCode::NOT_FOUND, message).response(request)
}
