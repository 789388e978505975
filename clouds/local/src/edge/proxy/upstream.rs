//! The client side of the proxy.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use http::header::{CONNECTION, UPGRADE};
use http::{Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, Error, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::body::{RequestBody, ResponseBody};
use super::headers::remove_hop_by_hop;
use super::request::Outgoing;
use super::tunnel;
use crate::edge::body::EdgeBody;
use crate::edge::instance::Lease;

/// Time for which an unused connection to a process is kept. It is shorter than that of common servers (Node 5 s, gunicorn 2 s),
/// so that they rarely close one just as we use it.
const IDLE: Duration = Duration::from_millis(1500);

/// Passes requests on.
#[derive(Clone)]
pub(crate) struct Upstream {
    /// Over connections that are kept.
    kept: Client<HttpConnector, RequestBody>,
    /// Each over a connection of its own.
    fresh: Client<HttpConnector, RequestBody>,
}

/// Reason for which a process did not answer a request.
#[derive(Debug)]
pub(crate) struct ForwardError {
    /// Permission to offer the request again, there or elsewhere.
    pub retry: Retry,
    /// Description of the problem, for people.
    pub message: String,
}

/// Permission to offer a request to a process again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    /// Its body is gone, or seeing it twice could do harm.
    Never,
    /// The process may have seen it, which is no harm. More than once would let a request that crashes one process crash all.
    Once,
    /// No process has seen it.
    Always,
}

impl Retry {
    /// Returns true if another attempt is permitted after this one, counted from 1.
    pub fn allows(self, attempt: u32) -> bool {
        match self {
            Self::Never => false,
            Self::Once => attempt <= 1,
            Self::Always => true,
        }
    }
}

impl Upstream {
    /// A client for processes on this machine.
    pub fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_secs(5)));
        let client = |idle: usize| {
            let mut builder = Client::builder(TokioExecutor::new());
            builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).pool_max_idle_per_host(idle);
            builder.build(connector.clone())
        };
        Self { kept: client(64), fresh: client(0) }
    }

    /// Passes the request on. What is `held` beside the lease is kept until the answer is sent, too.
    pub async fn forward<H>(&self, outgoing: &mut Outgoing, lease: Lease, held: H) -> Result<Response<EdgeBody>, ForwardError>
    where
        H: Send + Unpin + 'static,
    {
        let request = outgoing
            .request(&lease.instance().authority)
            .map_err(|error| ForwardError { retry: Retry::Never, message: error.to_string() })?;
        let client = if outgoing.fresh { &self.fresh } else { &self.kept };
        match client.request(request).await {
            Ok(response) => Ok(answer(response, outgoing, lease, held)),
            Err(error) => {
                // A kept connection may have been closed just then: another one could be, too.
                outgoing.fresh = true;
                Err(classify(&error, outgoing))
            }
        }
    }
}

fn answer<H: Send + Unpin + 'static>(
    mut response: Response<Incoming>,
    outgoing: &mut Outgoing,
    lease: Lease,
    held: H,
) -> Response<EdgeBody> {
    *response.version_mut() = Version::HTTP_11;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS
        && let Some(client) = outgoing.upgrade.take()
    {
        let process = hyper::upgrade::on(&mut response);
        tunnel::connect(client, process, lease);
        let (mut parts, _) = response.into_parts();
        let protocol = parts.headers.get(UPGRADE).cloned();
        remove_hop_by_hop(&mut parts.headers);
        parts.headers.insert(CONNECTION, http::HeaderValue::from_static("upgrade"));
        parts.headers.extend(protocol.map(|protocol| (UPGRADE, protocol)));
        return Response::from_parts(parts, EdgeBody::empty());
    }
    remove_hop_by_hop(response.headers_mut());
    response.map(|body| EdgeBody::stream(ResponseBody::new(body, (lease, held))))
}

fn classify(error: &Error, outgoing: &Outgoing) -> ForwardError {
    let whole = outgoing.body.is_whole();
    if error.is_connect() {
        let retry = if whole { Retry::Always } else { Retry::Never };
        return ForwardError { retry, message: "no connection to the server's process could be made".to_owned() };
    }
    let cause = error.source().and_then(|source| source.downcast_ref::<hyper::Error>());
    let unsent = cause.is_some_and(hyper::Error::is_canceled);
    let broken = cause.is_some_and(|cause| cause.is_incomplete_message() || cause.is_closed() || was_reset(cause));
    let message = if broken || unsent {
        "the server's process closed the connection before it answered".to_owned()
    } else {
        let detail = cause.map_or_else(|| error.to_string(), ToString::to_string);
        format!("the server's process gave no valid answer: {detail}")
    };
    let retry = match () {
        () if whole && unsent => Retry::Always,
        () if whole && broken && outgoing.method.is_idempotent() => Retry::Once,
        () => Retry::Never,
    };
    ForwardError { retry, message }
}

fn was_reset(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| matches!(cause.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe))
}
