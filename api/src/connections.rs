//! Connections: over TLS where there is a certificate, and each has to say in time what it wants.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::hosts::HostSwitch;
use crate::tls::Tls;

/// Timeout of the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Interval at which an idle HTTP/2 connection is pinged, and the timeout of the reply.
const PING: Duration = Duration::from_secs(20);
/// Maximum number of concurrent requests of one HTTP/2 connection.
const STREAMS: u32 = 256;
/// Grace period of running requests after a server was told to stop. Subscriptions never end by themselves.
const GRACE: Duration = Duration::from_secs(5);
/// Connection preface of an HTTP/2 client (RFC 9113, 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Interval at which the rest of the preface is polled.
const PEEK: Duration = Duration::from_millis(20);
/// Pause after a connection could not be accepted, which happens when this process has no file descriptor left.
const PAUSE: Duration = Duration::from_secs(1);

/// Limits that a server imposes on its clients.
#[derive(Clone)]
pub(crate) struct Manners {
    /// The certificate to agree on TLS with, if any.
    pub tls: Option<Arc<Tls>>,
    /// Timeout of a request's head, including the time between two requests. Clients that hold connections open byte by byte are
    /// cut off.
    pub head: Duration,
}

/// Serves connections until told to stop, then lets requests under way finish for a while.
pub(crate) async fn serve(
    listener: TcpListener,
    service: HostSwitch,
    manners: Manners,
    stop: CancellationToken,
) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = accept(&listener) => accepted,
            () = stop.cancelled() => break,
        };
        // Small answers must not wait for the peer's acknowledgement of the ones before (Nagle's algorithm).
        let _ = stream.set_nodelay(true);
        let service = HostSwitch { peer: Some(peer), ..service.clone() };
        tokio::spawn(connection(stream, service, manners.clone(), graceful.watcher()));
    }
    drop(listener);
    let _ = timeout(GRACE, graceful.shutdown()).await;
    Ok(())
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // The client is gone already.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken; the next try is in a second");
                sleep(PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, service: HostSwitch, manners: Manners, watcher: Watcher) {
    let Manners { tls, head } = manners;
    let Some(tls) = tls else {
        // A client that says nothing is gone, or holds on to the connection.
        let Ok(Ok(protocol)) = timeout(head, spoken(&stream)).await else { return };
        return converse(stream, service, (protocol, head), watcher).await;
    };
    match timeout(HANDSHAKE, tls.accept(stream)).await {
        Ok(Ok(None)) => tracing::debug!("an authority looked whether a name leads here"),
        Ok(Ok(Some(stream))) => {
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let protocol = if is_http2 { Protocol::Http2 } else { Protocol::Http1 };
            converse(stream, service, (protocol, head), watcher).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "a client did not agree on TLS"),
        Err(_) => tracing::debug!("a client took too long to agree on TLS"),
    }
}

#[derive(Debug, Clone, Copy)]
enum Protocol {
    Http1,
    Http2,
}

/// Detects the protocol of a client from its first bytes, which stay to be read. The library's own detection waits for them
/// without a timeout.
async fn spoken(stream: &TcpStream) -> io::Result<Protocol> {
    let mut heard = [0; PREFACE.len()];
    loop {
        let length = stream.peek(&mut heard).await?;
        if length == 0 || !PREFACE.starts_with(&heard[..length]) {
            return Ok(Protocol::Http1);
        }
        if length == PREFACE.len() {
            return Ok(Protocol::Http2);
        }
        // The rest of it comes with the next packet.
        sleep(PEEK).await;
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    service: HostSwitch,
    (protocol, head): (Protocol, Duration),
    watcher: Watcher,
) {
    let service = TowerToHyperService::new(service.map_request(|request: http::Request<_>| request.map(Body::new)));
    let builder = auto::Builder::new(TokioExecutor::new());
    let mut builder = match protocol {
        Protocol::Http1 => builder.http1_only(),
        Protocol::Http2 => builder.http2_only(),
    };
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head);
    let mut http2 = builder.http2();
    http2.timer(TokioTimer::new()).keep_alive_interval(PING).keep_alive_timeout(PING);
    http2.max_concurrent_streams(STREAMS).enable_connect_protocol();
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
    if let Err(error) = watcher.watch(connection).await {
        // Clients that go away in the middle are no fault.
        tracing::trace!(%error, "a connection ended early");
    }
}
