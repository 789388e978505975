//! The listener and the server's life.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use services::{RateLimiter, Services};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::connections::{Manners, serve};
use crate::hosts::{EdgeRouter, HostSwitch};
use crate::load::LoadLimits;
use crate::public_url::PublicUrl;
use crate::routes::{machine_router, router};
use crate::state::{ApiState, MachineState};
use crate::tls::Tls;

/// Settings of a server.
#[derive(Clone)]
pub struct ServerSettings {
    /// The use cases.
    pub services: Services,
    /// The edge of this machine, if it runs here.
    pub edge: Option<Arc<dyn EdgeRouter>>,
    /// Renders `/metrics`.
    pub metrics: PrometheusHandle,
}

/// Admission settings of an API.
pub struct Admission {
    /// Counts the requests of each user.
    pub limiter: RateLimiter,
    /// Maximum number of concurrent requests of all users.
    pub load: LoadLimits,
    /// Address and proxies through which people reach it.
    pub reach: Reach,
    /// Other sites whose scripts may use it.
    pub allowed_origins: Vec<Url>,
}

/// Address and proxies through which people reach an API.
pub struct Reach {
    /// Public URL.
    pub public_url: Url,
    /// With which certificate; without one the listener speaks plain HTTP.
    pub tls: Option<Arc<Tls>>,
}

impl Reach {
    /// Returns the URL for programs on this machine: the public URL if the certificate is for that name.
    pub fn url_on(&self, listening: SocketAddr) -> String {
        match &self.tls {
            Some(_) => self.public_url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{listening}"),
        }
    }
}

/// A server that is bound to its address and not yet serving.
pub struct Server(Bound);

impl Server {
    /// The API on a listener.
    pub fn new(listener: TcpListener, settings: ServerSettings, admission: Admission) -> Self {
        let ServerSettings { services, edge, metrics } = settings;
        let schema = schema::build(services.clone());
        let limiter = Arc::new(admission.limiter);
        let (public, allowed_origins) = (PublicUrl::new(admission.reach.public_url), admission.allowed_origins.into());
        let api = router(
            ApiState { machine: MachineState { services, metrics }, schema, limiter, public, allowed_origins },
            admission.load,
        );
        Self(Bound {
            listener,
            service: HostSwitch { edge, api, peer: None },
            manners: Manners { tls: admission.reach.tls, head: admission.load.head },
        })
    }

    /// The address it listens on.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.listener.local_addr()
    }

    /// Serves until told to stop, then lets requests under way finish for a while.
    pub async fn run(self, stop: CancellationToken) -> io::Result<()> {
        self.0.run(stop).await
    }
}

/// The server of a process that is no API: what machines ask about its health and, on an edge, what is deployed.
pub struct MachineServer(Bound);

impl MachineServer {
    /// Such a server on a listener.
    pub fn new(listener: TcpListener, settings: ServerSettings) -> Self {
        let ServerSettings { services, edge, metrics } = settings;
        let api = machine_router(MachineState { services, metrics });
        Self(Bound {
            listener,
            service: HostSwitch { edge, api, peer: None },
            manners: Manners { tls: None, head: LoadLimits::default().head },
        })
    }

    /// The address it listens on.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.listener.local_addr()
    }

    /// Serves until told to stop, then lets requests under way finish for a while.
    pub async fn run(self, stop: CancellationToken) -> io::Result<()> {
        self.0.run(stop).await
    }
}

struct Bound {
    listener: TcpListener,
    service: HostSwitch,
    manners: Manners,
}

impl Bound {
    async fn run(self, stop: CancellationToken) -> io::Result<()> {
        if let Some(tls) = self.manners.tls.clone() {
            let stop = stop.clone();
            tokio::spawn(async move { tls.keep(stop).await });
        }
        serve(self.listener, self.service, self.manners, stop).await
    }
}
