//! Images on their way between registries: a small one stands in for those of the clouds.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use clouds_contract::guard::Guards;
use clouds_contract::{Endpoint, ErrorKind};
use clouds_wire::Wire;
use domain::secret::Secret;
use domain::workload::Server;
use images::{Architecture, Base, BlobDigest, Image, Login, Registry, assemble, push};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// A registry in memory: blobs and manifests by path.
#[derive(Default)]
struct Stored {
    blobs: BTreeMap<String, Bytes>,
    manifests: BTreeMap<String, (String, Bytes)>,
    puts: usize,
    /// Uploads from this one on are refused with this status.
    refuse: Option<(usize, u16)>,
}

type Shared = Arc<Mutex<Stored>>;

async fn answer(State(stored): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if parts.headers.get(header::AUTHORIZATION).is_none_or(|value| value != "Bearer token") {
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer realm=\"https://x/\"")]).into_response();
    }
    let path = parts.uri.path().to_owned();
    let body = axum::body::to_bytes(body, 1 << 24).await.unwrap();
    let mut stored = stored.lock().unwrap();
    if let Some((name, _)) = path.split_once("/blobs/uploads") {
        return upload(&mut stored, &parts.method, name, parts.uri.query(), body);
    }
    let found = match path.contains("/manifests/") {
        true if parts.method == Method::PUT => {
            let kind = parts.headers[header::CONTENT_TYPE].to_str().unwrap().to_owned();
            let by_digest = format!("{}/manifests/{}", path.split_once("/manifests/").unwrap().0, BlobDigest::of(&body));
            stored.manifests.insert(path.clone(), (kind.clone(), body.clone()));
            stored.manifests.insert(by_digest, (kind, body));
            return (StatusCode::CREATED, [(header::LOCATION, path)]).into_response();
        }
        true => stored.manifests.get(&path).cloned(),
        false => stored.blobs.get(&path).map(|blob| ("application/octet-stream".to_owned(), blob.clone())),
    };
    match found {
        Some((kind, content)) => ([(header::CONTENT_TYPE, kind)], content).into_response(),
        None => (StatusCode::NOT_FOUND, r#"{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "x"}]}"#).into_response(),
    }
}

fn upload(stored: &mut Stored, method: &Method, name: &str, query: Option<&str>, body: Bytes) -> Response {
    if *method == Method::POST {
        return (StatusCode::ACCEPTED, [(header::LOCATION, format!("{name}/blobs/uploads/1"))]).into_response();
    }
    stored.puts += 1;
    if let Some((from, status)) = stored.refuse
        && stored.puts >= from
    {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    let digest = query.unwrap().strip_prefix("digest=").unwrap().replace("%3A", ":");
    assert_eq!(BlobDigest::of(&body).to_string(), digest);
    let path = format!("{name}/blobs/{digest}");
    stored.blobs.insert(path.clone(), body);
    (StatusCode::CREATED, [(header::LOCATION, path)]).into_response()
}

struct Setting {
    stored: Shared,
    wire: Wire,
}

impl Setting {
    async fn new() -> Self {
        let stored = Shared::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(Arc::clone(&stored));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { stored, wire: Wire::new(Some(&Endpoint { url, pace_percent: 0 })).unwrap() }
    }

    fn registry(&self, host: &str, token: &str) -> Arc<Registry> {
        let guards = Arc::new(Guards::new("test", &[("registry", 4000)], 0));
        Arc::new(Registry::new(host, &Login::Token(Secret::new(token)), &self.wire, guards).unwrap())
    }
}

async fn image(base: Base) -> Image {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("server.js"), "x").unwrap();
    let server = Server {
        command: vec!["node".to_owned(), "server.js".to_owned()],
        directory: String::new(),
        path: Vec::new(),
        env: Vec::new(),
        port: None,
        health_path: "/".to_owned(),
        replicas: 1,
        memory_mib: 512,
        cpu: 1.0,
        image: None,
    };
    assemble::assemble(directory.path(), &server, base, &[]).await.unwrap()
}

#[tokio::test]
async fn a_push_sends_what_is_missing_and_goes_on_after_an_interruption() {
    let setting = Setting::new().await;
    let (registry, image, stop) =
        (setting.registry("r.example", "token"), image(Base::empty(Architecture::Amd64)).await, CancellationToken::new());
    setting.stored.lock().unwrap().refuse = Some((2, 500));
    let error = push::push(&registry, "p/r/app", "d1", &image, &stop).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    let before = {
        let mut stored = setting.stored.lock().unwrap();
        stored.refuse = None;
        stored.puts
    };
    push::push(&registry, "p/r/app", "d1", &image, &stop).await.unwrap();
    let stored = setting.stored.lock().unwrap();
    assert_eq!((stored.puts - before, stored.blobs.len()), (1, 2));
    let (kind, manifest) = &stored.manifests[&format!("/v2/r.example/p/r/app/manifests/{}", image.digest)];
    assert_eq!((kind.as_str(), manifest), (images::MANIFEST, &image.manifest));
}

#[tokio::test]
async fn a_base_goes_from_registry_to_registry_and_its_own_start_is_replaced() {
    let setting = Setting::new().await;
    let (layer, config) = (
        Bytes::from_static(b"layer"),
        json!({
            "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ["sha256:1"]}, "history": [{}],
            "config": {"Env": ["PATH=/usr/local/bin", "NODE_VERSION=22"], "Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["node"]},
        }),
    );
    let config = Bytes::from(config.to_string());
    let describe = |kind: &str, blob: &Bytes| json!({"mediaType": kind, "digest": BlobDigest::of(blob), "size": blob.len()});
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": describe("application/vnd.docker.container.image.v1+json", &config),
        "layers": [describe("application/vnd.docker.image.rootfs.diff.tar.gzip", &layer)],
    });
    let manifest = Bytes::from(manifest.to_string());
    let digest = BlobDigest::of(&manifest);
    let index = json!({"manifests": [
        {"digest": BlobDigest::of(b"x"), "platform": {"os": "linux", "architecture": "arm64"}},
        {"digest": digest, "platform": {"os": "linux", "architecture": "amd64"}},
    ]});
    {
        let mut stored = setting.stored.lock().unwrap();
        let path = "/v2/public.example/library/node";
        for blob in [&layer, &config] {
            stored.blobs.insert(format!("{path}/blobs/{}", BlobDigest::of(blob)), blob.clone());
        }
        let kind = "application/vnd.docker.distribution.manifest.list.v2+json".to_owned();
        stored.manifests.insert(format!("{path}/manifests/22"), (kind, Bytes::from(index.to_string())));
        let kind = "application/vnd.docker.distribution.manifest.v2+json".to_owned();
        stored.manifests.insert(format!("{path}/manifests/{digest}"), (kind, manifest));
    }
    let public = setting.registry("public.example", "token");
    let base = Base::pull(&public, "library/node", "22", Architecture::Amd64).await.unwrap();
    let image = image(base).await;
    let registry = setting.registry("r.example", "token");
    push::push(&registry, "p/r/app", "d1", &image, &CancellationToken::new()).await.unwrap();
    let stored = setting.stored.lock().unwrap();
    assert_eq!(stored.blobs[&format!("/v2/r.example/p/r/app/blobs/{}", BlobDigest::of(&layer))], layer);
    let manifest: Value = serde_json::from_slice(&image.manifest).unwrap();
    assert_eq!(manifest["layers"][0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
    let config = manifest["config"]["digest"].as_str().unwrap();
    let config: Value = serde_json::from_slice(&stored.blobs[&format!("/v2/r.example/p/r/app/blobs/{config}")]).unwrap();
    assert_eq!(config["config"]["Entrypoint"], json!(["node", "server.js"]));
    assert_eq!(config["config"]["Cmd"], Value::Null);
    assert_eq!(config["rootfs"]["diff_ids"].as_array().unwrap().len(), 2);
    assert_eq!(config["config"]["Env"][1], "NODE_VERSION=22");
}

#[tokio::test]
async fn a_registry_that_refuses_the_credential_says_so_and_a_missing_base_is_not_found() {
    let setting = Setting::new().await;
    let (registry, image, stop) =
        (setting.registry("r.example", "stale"), image(Base::empty(Architecture::Amd64)).await, CancellationToken::new());
    let error = push::push(&registry, "p/r/app", "d1", &image, &stop).await.unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::Busy, "REGISTRY_SIGNED_OUT"));
    let registry = setting.registry("public.example", "token");
    let error = Base::pull(&registry, "library/none", "1", Architecture::Amd64).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
}
