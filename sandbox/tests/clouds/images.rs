//! Images as MikroCloud assembles them, and pushing them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{Bench, Got};

/// A server that answers with its version and a variable.
pub fn server(version: &str) -> String {
    format!(
        "import http from 'node:http';\n\
         http.createServer((request, response) => response.end(`{version} ${{request.url}} ${{process.env.GREETING ?? ''}}`))\n\
         .listen(process.env.PORT, process.env.HOST);\n"
    )
}

pub fn digest(content: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(content)))
}

/// Blobs and manifest of an image with these files below `/app`.
pub fn image(files: &[(&str, &str)], command: &[&str]) -> (Vec<Bytes>, Bytes) {
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, format!("app/{path}"), content.as_bytes()).unwrap();
    }
    let layer = builder.into_inner().unwrap().finish().unwrap();
    let config = json!({
        "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]},
        "config": {"Cmd": command, "WorkingDir": "/app", "Env": ["PATH=/usr/local/bin:/usr/bin", "PORT=8080", "HOST=0.0.0.0"]},
    });
    let config = config.to_string();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(config.as_bytes()), "size": config.len()},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest(&layer), "size": layer.len(),
            "annotations": {"org.mikrocloud.layer": "application"}}],
    });
    (vec![Bytes::from(layer), Bytes::from(config)], Bytes::from(manifest.to_string()))
}

/// A token of a registry: by the challenge, as clients do.
pub async fn token(bench: &Bench, host: &str, repository: &str, user: &str) -> String {
    let refused = bench.bytes("GET", &format!("https://{host}/v2/"), &[("authorization", "Bearer no")], "").await.unwrap();
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let challenge = refused.header("www-authenticate").to_owned();
    let realm = challenge.split("realm=\"").nth(1).unwrap().split('"').next().unwrap();
    let service = challenge.split("service=\"").nth(1).unwrap().split('"').next().unwrap();
    let basic = format!("Basic {}", STANDARD.encode(format!("{user}:{}", bench.token)));
    let url = format!("{realm}?service={service}&scope=repository:{repository}:pull,push");
    let got = bench.bytes("GET", &url, &[("authorization", &basic)], "").await.unwrap().good();
    got.get("token").or(got.get("access_token")).and_then(Value::as_str).unwrap().to_owned()
}

/// Pushes an image and returns its reference by digest.
pub async fn push(bench: &Bench, host: &str, repository: &str, token: &str, (blobs, manifest): (Vec<Bytes>, Bytes)) -> String {
    let bearer = if token.starts_with("Basic ") { token.to_owned() } else { format!("Bearer {token}") };
    let headers = [("authorization", bearer.as_str())];
    let base = format!("https://{host}/v2/{repository}");
    for blob in blobs {
        let digest = digest(&blob);
        let begun = bench.bytes("POST", &format!("{base}/blobs/uploads/"), &headers, "").await.unwrap();
        assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.text());
        let location = format!("https://{host}{}", begun.header("location"));
        assert_eq!(bench.bytes("PATCH", &location, &headers, blob.clone()).await.unwrap().status, StatusCode::ACCEPTED);
        let put = bench.bytes("PUT", &format!("{location}?digest={digest}"), &headers, "").await.unwrap();
        assert_eq!(put.status, StatusCode::CREATED, "{}", put.text());
    }
    let digest = digest(&manifest);
    let kind = ("content-type", "application/vnd.oci.image.manifest.v1+json");
    let put = bench.bytes("PUT", &format!("{base}/manifests/{digest}"), &[headers[0], kind], manifest).await.unwrap();
    assert_eq!(put.status, StatusCode::CREATED, "{}", put.text());
    assert_eq!(put.header("docker-content-digest"), digest);
    format!("{host}/{repository}@{digest}")
}

const HOST: &str = "europe-west1-docker.pkg.dev";
const REPOSITORIES: &str = "https://artifactregistry.googleapis.com/v1/projects/demo-project/locations/europe-west1/repositories";

/// A bench with a repository of Artifact Registry.
pub async fn with_repository(test: &str) -> Bench {
    let mut bench = Bench::start(test).await;
    prepare_repository(&mut bench).await;
    bench
}

/// Signs in and makes a repository of Artifact Registry.
pub async fn prepare_repository(bench: &mut Bench) {
    bench.google("demo-project").await;
    bench.enable("demo-project", &["artifactregistry", "run", "iam", "secretmanager"]).await;
    let body = json!({"format": "DOCKER", "labels": {"mikrocloud-installation": "0011"}});
    let operation = bench.call("POST", &format!("{REPOSITORIES}?repositoryId=apps"), body).await.good();
    let repository = bench.response("https://artifactregistry.googleapis.com/v1", operation).await;
    assert_eq!(repository["registryUri"], json!("europe-west1-docker.pkg.dev/demo-project/apps"));
}

/// Pushes an image of a server into it.
pub async fn push_server(bench: &Bench, version: &str) -> String {
    push_program(bench, &server(version)).await
}

/// Pushes an image of a program for Node.js into it.
pub async fn push_program(bench: &Bench, program: &str) -> String {
    let token = token(bench, HOST, "demo-project/apps/web", "oauth2accesstoken").await;
    let image = image(&[("server.mjs", program)], &["node", "server.mjs"]);
    push(bench, HOST, "demo-project/apps/web", &token, image).await
}

fn manifest_request(bench: &Bench, path: &str) -> Request<Full<Bytes>> {
    let request = Request::get(format!("{}{path}", bench.sandbox.url()));
    request.header("authorization", format!("Bearer {}", bench.token)).body(Full::default()).unwrap()
}

#[tokio::test]
async fn an_image_is_pushed_listed_pulled_and_deleted() {
    let bench = with_repository("images").await;
    let reference = push_server(&bench, "one").await;
    let digest = reference.split_once('@').unwrap().1.to_owned();
    let images = bench.get(&format!("{REPOSITORIES}/apps/dockerImages")).await.good();
    assert_eq!(images["dockerImages"][0]["uri"], json!(reference));
    let pulled = bench.get(&format!("https://{HOST}/v2/demo-project/apps/web/manifests/{digest}")).await;
    assert_eq!(pulled.status, StatusCode::OK);
    let head = bench.call("HEAD", &format!("https://{HOST}/v2/demo-project/apps/web/manifests/{digest}"), Value::Null).await;
    assert_eq!((head.header("docker-content-digest"), head.body.len()), (digest.as_str(), 0));
    let own = format!("/v2/{HOST}/demo-project/apps/web/manifests/{digest}");
    assert_eq!(bench.send(manifest_request(&bench, &own)).await.unwrap().body, pulled.body);
    assert_eq!(bench.inventory("google").await.iter().filter(|item| item.starts_with("image ")).count(), 1);
    let deleted = bench.call("DELETE", &format!("{REPOSITORIES}/apps/packages/web"), Value::Null).await.good();
    assert_eq!(deleted["name"].as_str().map(|name| name.contains("/operations/")), Some(true));
    bench.done("https://artifactregistry.googleapis.com/v1", deleted).await;
    let operation = bench.call("DELETE", &format!("{REPOSITORIES}/apps"), Value::Null).await.good();
    bench.response("https://artifactregistry.googleapis.com/v1", operation).await;
    assert_eq!(bench.inventory("google").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_registry_checks_digests_parts_and_permissions() {
    let bench = with_repository("registry").await;
    let base = format!("https://{HOST}/v2/demo-project/apps/web");
    let wrong = bench.bytes("POST", &format!("{base}/blobs/uploads/?digest={}", digest(b"a")), &[], "b").await.unwrap();
    assert_eq!(wrong.json()["errors"][0]["code"], json!("DIGEST_INVALID"));
    let (_, manifest) = image(&[], &["node"]);
    let wrong = bench.bytes("PUT", &format!("{base}/manifests/v1"), &[], manifest).await.unwrap();
    assert_eq!(wrong.json()["errors"][0]["code"], json!("MANIFEST_BLOB_UNKNOWN"));
    let unknown: Got = bench.get(&format!("https://{HOST}/v2/demo-project/other/web/tags/list")).await;
    assert_eq!(unknown.json()["errors"][0]["code"], json!("NAME_UNKNOWN"));
    let id = "mikrocloud@demo-project.iam.gserviceaccount.com";
    let denied = json!({"denied": ["artifactregistry.repositories.uploadArtifacts"]});
    bench.control("PATCH", &format!("principals/google/{id}"), denied).await.good();
    let refused = bench.bytes("POST", &format!("{base}/blobs/uploads/"), &[], "").await.unwrap();
    assert_eq!(refused.error().0, 403);
    assert!(refused.error().1.contains("uploadArtifacts"), "{}", refused.text());
}
