//! Selection of the requests that go to the edge.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use http::header::HOST;
use tower::Service;

/// Answers requests for the hosts of what is deployed on this machine.
#[async_trait]
pub trait EdgeRouter: Send + Sync + 'static {
    /// The label of a host that is the edge's, such as `shop` for `shop.localhost:8080`; `None` for one that is the API's.
    fn label_of<'h>(&self, host: &'h str) -> Option<&'h str>;

    /// Answers a request for a label.
    async fn handle(&self, label: &str, request: Request) -> Response;
}

/// Sends each request of a connection to the edge or to the API, by its host.
#[derive(Clone)]
pub(crate) struct HostSwitch {
    pub edge: Option<Arc<dyn EdgeRouter>>,
    pub api: Router,
    pub peer: Option<SocketAddr>,
}

impl Service<Request> for HostSwitch {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        if let Some(edge) = &self.edge
            && let Some(host) = host_of(&request)
            && let Some(label) = edge.label_of(&host)
        {
            let (edge, label) = (Arc::clone(edge), label.to_owned());
            return Box::pin(async move { Ok(edge.handle(&label, request).await) });
        }
        let mut api = self.api.clone();
        Box::pin(async move { Service::<Request<Body>>::call(&mut api, request).await })
    }
}

/// The host a request is for: of its target where it has one (HTTP/2, proxies), of its `Host` header otherwise.
fn host_of(request: &Request) -> Option<String> {
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    let header = request.headers().get(HOST).and_then(|value| value.to_str().ok());
    authority.or(header).map(str::to_owned)
}
