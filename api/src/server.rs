//! The listener and the server's life.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use services::Services;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::hosts::{EdgeRouter, HostSwitch};
use crate::routes::{ApiState, router};

/// What a server needs.
pub struct ServerSettings {
    /// The use cases.
    pub services: Services,
    /// The edge of this machine, if it runs here.
    pub edge: Option<Arc<dyn EdgeRouter>>,
    /// Renders `/metrics`.
    pub metrics: PrometheusHandle,
}

/// A server that is bound to its address and not yet serving.
pub struct Server {
    listener: TcpListener,
    service: HostSwitch,
}

impl Server {
    /// How long requests may go on after the server was told to stop; subscriptions never end by themselves.
    const GRACE: Duration = Duration::from_secs(5);

    /// A server on a listener.
    pub fn new(listener: TcpListener, settings: ServerSettings) -> Self {
        let ServerSettings { services, edge, metrics } = settings;
        let schema = schema::build(services.clone());
        let api = router(ApiState { services, schema, metrics });
        Self { listener, service: HostSwitch { edge, api, peer: None } }
    }

    /// The address it listens on.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until told to stop, then lets requests under way finish for a while.
    pub async fn run(self, stop: CancellationToken) -> io::Result<()> {
        let stopped = stop.clone();
        let serving = axum::serve(self.listener, self.service).with_graceful_shutdown(async move { stop.cancelled().await });
        tokio::select! {
            result = serving.into_future() => result,
            () = async { stopped.cancelled().await; tokio::time::sleep(Self::GRACE).await } => Ok(()),
        }
    }
}
