//! The server of moto, and calls to it.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::OnceCell;

use crate::http::{Answer, Call, Reach};
use crate::settings::Moto;

/// Program that is looked for on the path.
const PROGRAM: &str = "moto_server";

/// Time that moto may take to answer first.
const PATIENCE: Duration = Duration::from_mins(1);

/// Settings of moto: services run at once, AWS's own policies exist, certificates are issued soon.
const SETTINGS: [(&str, &str); 3] =
    [("MOTO_ECS_SERVICE_RUNNING", "1"), ("MOTO_IAM_LOAD_MANAGED_POLICIES", "true"), ("MOTO_ACM_VALIDATION_WAIT", "2")];

/// Moto, which is started with the first call.
pub(super) struct Server {
    moto: Moto,
    address: OnceCell<SocketAddr>,
    /// Ends with the sandbox.
    child: Mutex<Option<Child>>,
    client: Client<HttpConnector, Full<Bytes>>,
    /// Regions that were spoken to.
    regions: Mutex<BTreeSet<String>>,
}

impl Server {
    pub fn new(moto: Moto) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { moto, address: OnceCell::new(), child: Mutex::default(), client, regions: Mutex::default() }
    }

    /// Regions that were spoken to.
    pub fn regions(&self) -> Vec<String> {
        self.regions.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Returns true if it was spoken to.
    pub fn is_running(&self) -> bool {
        self.address.get().is_some()
    }

    async fn address(&self) -> Result<SocketAddr, String> {
        self.address.get_or_try_init(|| self.start()).await.copied()
    }

    async fn start(&self) -> Result<SocketAddr, String> {
        let program = match &self.moto {
            Moto::Running(address) => return Ok(*address),
            Moto::Program(program) => program.clone(),
            Moto::OnPath => PathBuf::from(PROGRAM),
        };
        let missing = |error: std::io::Error| {
            format!(
                "simulated: AWS needs moto, and {} does not start ({error}): install it with `pip install 'moto[server]'`\n",
                program.display()
            )
        };
        let free =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.and_then(|listener| listener.local_addr()).map_err(missing)?;
        let mut command = Command::new(&program);
        command.args(["-H", "127.0.0.1", "-p", &free.port().to_string()]).envs(SETTINGS).kill_on_drop(true);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(missing)?;
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        let answers = async {
            while TcpStream::connect(free).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, answers).await {
            Ok(()) => Ok(free),
            Err(_) => Err(format!("simulated: {} was started and does not answer\n", program.display())),
        }
    }

    /// Passes a call on; the error is for people.
    pub async fn pass(&self, call: &Call, region: &str) -> Result<Answer, String> {
        self.regions.lock().unwrap_or_else(PoisonError::into_inner).insert(region.to_owned());
        let mut headers = call.headers.clone();
        headers.remove("x-original-host");
        // A signature names service and region; without one the host does.
        let is_signed = call.header("authorization").starts_with("AWS4-");
        if call.origin.reach != Reach::Own
            && !is_signed
            && let Ok(host) = HeaderValue::from_str(&call.host)
        {
            headers.insert(HOST, host);
        } else {
            headers.remove(HOST);
        }
        let query = if call.raw_query.is_empty() { String::new() } else { format!("?{}", call.raw_query) };
        let path = bucket_of(&call.host).map_or_else(|| call.path().to_owned(), |bucket| format!("/{bucket}{}", call.path()));
        self.send(call.method.clone(), &format!("{path}{query}"), headers, call.body.clone()).await
    }

    /// Asks as the sandbox itself.
    pub async fn ask(
        &self,
        service: &str,
        region: &str,
        method: Method,
        path: &str,
        more: &[(&'static str, &str)],
        body: String,
    ) -> Result<Answer, String> {
        let mut headers = HeaderMap::new();
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=SANDBOX/20261001/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        let own = ("authorization", scope.as_str());
        for (name, value) in more.iter().copied().chain([own]) {
            headers.insert(name, HeaderValue::from_str(value).map_err(|error| error.to_string())?);
        }
        self.send(method, path, headers, Bytes::from(body)).await
    }

    async fn send(&self, method: Method, path: &str, mut headers: HeaderMap, body: Bytes) -> Result<Answer, String> {
        let address = self.address().await?;
        for name in [CONNECTION, TRANSFER_ENCODING, CONTENT_LENGTH] {
            headers.remove(name);
        }
        let mut request = Request::builder().method(method).uri(format!("http://{address}{path}"));
        if let Some(own) = request.headers_mut() {
            own.extend(headers);
        }
        let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
        let failed = |error: &dyn std::error::Error| format!("simulated: moto did not answer ({error})\n");
        let answer = self.client.request(request).await.map_err(|error| failed(&error))?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| failed(&error))?.to_bytes();
        let mut headers = parts.headers;
        for name in [CONNECTION, TRANSFER_ENCODING] {
            headers.remove(name);
        }
        Ok(Answer { status: parts.status, headers, body })
    }

    /// Empties it, if it was spoken to.
    pub async fn reset(&self) {
        if self.is_running()
            && let Err(error) = self.send(Method::POST, "/moto-api/reset", HeaderMap::new(), Bytes::new()).await
        {
            tracing::warn!(error, "moto could not be emptied");
        }
    }
}

/// The bucket in a host such as `mc-files.s3.eu-west-1.amazonaws.com`: moto gets it in the path.
fn bucket_of(host: &str) -> Option<&str> {
    let name = host.strip_suffix(".amazonaws.com")?;
    let (bucket, rest) = name.split_once(".s3")?;
    (!bucket.is_empty() && (rest.is_empty() || rest.starts_with('.') || rest.starts_with('-'))).then_some(bucket)
}
