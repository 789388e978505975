//! Hands the local edge to the HTTP server, and hints to the edge.

use std::net::SocketAddr;

use api::EdgeRouter;
use async_trait::async_trait;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use clouds_local::edge::{ClientAddress, Edge};
use jobs::bus::Subscription;

/// The edge of this process.
pub struct LocalEdge(pub Edge);

#[async_trait]
impl EdgeRouter for LocalEdge {
    fn label_of<'h>(&self, host: &'h str) -> Option<&'h str> {
        self.0.label_of(host)
    }

    async fn handle(&self, label: &str, mut request: Request) -> Response {
        if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>().copied() {
            request.extensions_mut().insert(ClientAddress(peer.ip()));
        }
        self.0.handle(label, request).await.map(Body::new)
    }
}

/// Looks at the desired state as soon as somebody says that it changed.
pub async fn heed_hints(edge: Edge, mut hints: Subscription) {
    loop {
        hints.changed().await;
        edge.refresh();
    }
}
