//! The sandbox as a server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clouds_local::edge::EdgeBody;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::aws::Aws;
use crate::control;
use crate::data_plane::DataPlane;
use crate::http::{Answer, Call, Destination, Origin};
use crate::kernel::{CallLog, Kernel};
use crate::recorder::Recorder;
use crate::registry::{self, Uploads};
use crate::settings::Settings;
use crate::world::World;

/// Most bytes of a request to an API.
const LONGEST: usize = 1 << 30;

/// Time for which requests in progress may go on when the sandbox stops.
const DRAIN: Duration = Duration::from_secs(2);

/// A running sandbox. It ends with [`Sandbox::stop`], or at once when it is dropped.
pub struct Sandbox {
    address: SocketAddr,
    kernel: Arc<Kernel>,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// Removed with the sandbox, if nothing is to be kept.
    _scratch: Option<tempfile::TempDir>,
}

/// A connection that is closed on purpose.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed because a fault asks for it")]
struct Cut;

impl Sandbox {
    /// Starts a sandbox: listens, loads what is kept and starts what ran. Fails if the address is taken or a directory cannot be used.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let scratch = if settings.data.is_none() { Some(tempfile::tempdir()?) } else { None };
        let directory = settings.data.clone().or_else(|| scratch.as_ref().map(|scratch| scratch.path().to_owned()));
        let directory = directory.unwrap_or_default();
        let kernel = Arc::new(Kernel {
            world: World::open(&directory, settings.data.is_some())?,
            uploads: Uploads::default(),
            faults: crate::faults::Faults::default(),
            recorder: settings.record.map(Recorder::new).transpose()?,
            data_plane: DataPlane::start(&directory).await?,
            aws: Aws::new(settings.moto),
            calls: CallLog::default(),
        });
        let listener = TcpListener::bind(settings.listen).await?;
        let address = listener.local_addr()?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let follower = Arc::clone(&kernel).follow();
        let ended = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = follower => {}
                () = ended.cancelled() => {}
            }
        });
        tokio::spawn(accept(listener, Arc::clone(&kernel), stop.clone(), tasks.clone()));
        Ok(Self { address, kernel, stop, tasks, _scratch: scratch })
    }

    /// Address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Base address of its own API and of `/_host/<host>/..`, such as `http://127.0.0.1:8090`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops it: requests in progress finish, processes end, the snapshot is written.
    pub async fn stop(self) -> io::Result<()> {
        self.stop.cancel();
        self.tasks.close();
        let _ = tokio::time::timeout(DRAIN, self.tasks.wait()).await;
        self.kernel.data_plane.stop().await;
        self.kernel.world.save()
    }
}

/// Runs a sandbox until it is cancelled; `started` is told once it answers.
pub async fn run(settings: Settings, cancel: CancellationToken, started: impl FnOnce(&Sandbox)) -> io::Result<()> {
    let sandbox = Sandbox::start(settings).await?;
    started(&sandbox);
    cancel.cancelled().await;
    sandbox.stop().await
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept(listener: TcpListener, kernel: Arc<Kernel>, stop: CancellationToken, tasks: TaskTracker) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, client)) => {
                tasks.spawn(connection(stream, client, Arc::clone(&kernel), stop.clone()));
            }
            Err(error) => {
                // Too many open files, say: the next one may fit.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, client: SocketAddr, kernel: Arc<Kernel>, stop: CancellationToken) {
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let kernel = Arc::clone(&kernel);
        async move { respond(&kernel, client, request).await }
    });
    let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
    let serving = server.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(serving);
    tokio::select! {
        ended = serving.as_mut() => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended");
            }
            return;
        }
        () = stop.cancelled() => serving.as_mut().graceful_shutdown(),
    }
    let _ = serving.await;
}

async fn respond(kernel: &Arc<Kernel>, client: SocketAddr, request: Request<Incoming>) -> Result<Response<EdgeBody>, Cut> {
    let authority = request.uri().authority().map(|authority| authority.as_str().to_owned());
    let origin = Origin::of(request.headers(), authority.as_deref(), request.uri().path());
    if let Some(host) = origin.host.clone()
        && Destination::of(&host) == Destination::DataPlane
    {
        return Ok(kernel.data_plane.handle(kernel, &host, client.ip(), in_place(request, &origin)).await);
    }
    let is_head = request.method() == Method::HEAD;
    let call = match read(request, origin).await {
        Ok(call) => call,
        Err(answer) => return Ok(answer.into_response()),
    };
    let answer = if call.host.is_empty() { own(kernel, call).await } else { kernel.answer(call).await };
    answer.map(|answer| sent(answer, is_head)).ok_or(Cut)
}

/// The request as the vendor's host would get it: without `/_host/<host>`.
fn in_place(mut request: Request<Incoming>, origin: &Origin) -> Request<Incoming> {
    if request.uri().path() != origin.path {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        if let Ok(uri) = format!("{}{query}", origin.path).parse() {
            *request.uri_mut() = uri;
        }
    }
    request
}

async fn read(request: Request<Incoming>, origin: Origin) -> Result<Call, Answer> {
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, LONGEST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return Err(Answer::text(StatusCode::PAYLOAD_TOO_LARGE, error.to_string())),
    };
    let host = origin.host.clone().unwrap_or_default();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    Ok(Call::new(parts.method, host, origin, &query, parts.headers, body))
}

/// Answers a call to the sandbox's own address: its API, or a registry whose host stands in the path.
async fn own(kernel: &Arc<Kernel>, mut call: Call) -> Option<Answer> {
    if call.path() == "/_sandbox" || call.path().starts_with("/_sandbox/") {
        // Browsers say so when a page of somebody else asks: it must not steer what runs here.
        if !call.header("origin").is_empty() {
            return Some(Answer::text(StatusCode::FORBIDDEN, "The sandbox takes no requests of web pages.\n"));
        }
        let found = if call.path() == "/_sandbox/inventory" { kernel.aws.inventory(&kernel.world).await } else { Vec::new() };
        if call.path() == "/_sandbox/reset" {
            kernel.aws.reset().await;
        }
        let kernel = Arc::clone(kernel);
        let answer = tokio::task::spawn_blocking(move || {
            let answer = control::answer(&kernel, &call, found);
            kernel.world.touch();
            answer
        });
        return Some(answer.await.unwrap_or_else(|error| Answer::text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())));
    }
    if call.path() == "/v2" || call.path().starts_with("/v2/") {
        // The registry reads its host from the path; faults and the log know it as a registry by any of its names.
        registry::OWN_HOST.clone_into(&mut call.host);
        return kernel.answer(call).await;
    }
    Some(Answer::text(StatusCode::NOT_FOUND, "This is the sandbox of MikroCloud: GET /_sandbox says what it has.\n"))
}

fn sent(answer: Answer, is_head: bool) -> Response<EdgeBody> {
    let mut answer = answer;
    if is_head {
        let length = answer.body.len();
        if !answer.headers.contains_key(CONTENT_LENGTH) {
            answer.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        answer.body = Bytes::new();
    } else {
        // The server counts itself: what is sent may have been changed on its way.
        answer.headers.remove(CONTENT_LENGTH);
    }
    answer.into_response()
}
