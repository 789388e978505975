//! Storage accounts of Azure: blobs, and static websites.

use http::StatusCode;
use serde_json::json;

use crate::azure::Azure;
use crate::support::Got;

const ACCOUNT: &str = "Microsoft.Storage/storageAccounts/mcdemo0011";
const BLOBS: &str = "https://mcdemo0011.blob.core.windows.net";

struct Storage {
    azure: Azure,
    bearer: String,
    web: String,
}

impl Storage {
    async fn start(test: &str) -> Self {
        let azure = Azure::start(test, &["Microsoft.Storage"]).await;
        let body = json!({
            "location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "tags": {"mikrocloud-environment": "e1"},
            "properties": {"allowBlobPublicAccess": false, "minimumTlsVersion": "TLS1_2"},
        });
        let account = azure.make(ACCOUNT, "2025-06-01", body).await;
        let web = account["properties"]["primaryEndpoints"]["web"].as_str().unwrap();
        let web = web.trim_start_matches("https://").trim_end_matches('/').to_owned();
        let token = azure.bench.azure_token(&azure.principal, "https://storage.azure.com").await;
        Self { azure, bearer: format!("Bearer {token}"), web }
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Got {
        let own = [("authorization", self.bearer.as_str()), ("x-ms-version", "2026-04-06")];
        let headers = [&own, headers].concat();
        self.azure.bench.bytes(method, &format!("{BLOBS}{path}"), &headers, body.to_owned()).await.unwrap()
    }

    async fn put(&self, path: &str, kind: &str, content: &str) -> Got {
        let headers = [
            ("x-ms-blob-type", "BlockBlob"),
            ("x-ms-blob-content-type", kind),
            ("x-ms-blob-cache-control", "no-cache"),
            ("x-ms-meta-deployment", "d1"),
        ];
        self.send("PUT", path, &headers, content).await
    }

    async fn website(&self) {
        let body = "<?xml version=\"1.0\" encoding=\"utf-8\"?><StorageServiceProperties><StaticWebsite><Enabled>true</Enabled>\
                    <IndexDocument>index.html</IndexDocument><ErrorDocument404Path>404.html</ErrorDocument404Path></StaticWebsite></StorageServiceProperties>";
        assert_eq!(self.send("PUT", "/?restype=service&comp=properties", &[], body).await.status, StatusCode::ACCEPTED);
    }
}

#[tokio::test]
async fn blobs_are_put_listed_copied_and_deleted() {
    let storage = Storage::start("blobs").await;
    assert_eq!(storage.send("PUT", "/deployments?restype=container", &[], "").await.status, StatusCode::CREATED);
    let again = storage.send("PUT", "/deployments?restype=container", &[], "").await;
    assert_eq!((again.status, again.header("x-ms-error-code")), (StatusCode::CONFLICT, "ContainerAlreadyExists"));
    assert_eq!(storage.put("/deployments/d1/a%20b.html", "text/html", "one").await.status, StatusCode::CREATED);
    assert_eq!(storage.put("/deployments/d1/assets/x.css", "text/css", "body{}").await.status, StatusCode::CREATED);
    let got = storage.send("GET", "/deployments/d1/a%20b.html", &[], "").await;
    assert_eq!((got.text().as_str(), got.header("content-type"), got.header("x-ms-meta-deployment")), ("one", "text/html", "d1"));
    let listed =
        storage.send("GET", "/deployments?restype=container&comp=list&prefix=d1/&delimiter=/&include=metadata", &[], "").await;
    let text = listed.text();
    assert!(
        text.contains("<Name>d1/a b.html</Name>") && text.contains("<BlobPrefix><Name>d1/assets/</Name></BlobPrefix>"),
        "{text}"
    );
    assert!(text.contains("<deployment>d1</deployment>") && text.contains("<Cache-Control>no-cache</Cache-Control>"), "{text}");
    let page = storage.send("GET", "/deployments?restype=container&comp=list&maxresults=1", &[], "").await.text();
    assert!(page.contains("<NextMarker>d1/a b.html</NextMarker>"), "{page}");
    storage.website().await;
    let source = format!("{BLOBS}/deployments/d1/a%20b.html");
    let copied = storage.send("PUT", "/$web/index.html", &[("x-ms-copy-source", &source)], "").await;
    assert_eq!((copied.status, copied.header("x-ms-copy-status")), (StatusCode::ACCEPTED, "success"));
    let refused = storage.send("PUT", "/$web/x", &[("x-ms-copy-source", &source), ("x-ms-blob-type", "BlockBlob")], "").await;
    assert_eq!(refused.header("x-ms-error-code"), "CannotVerifyCopySource");
    let block = storage.send("PUT", "/deployments/d1/big?comp=block&blockid=YQ==", &[], "01234").await;
    assert_eq!(block.status, StatusCode::CREATED);
    let list = "<?xml version=\"1.0\"?><BlockList><Latest>YQ==</Latest></BlockList>";
    assert_eq!(storage.send("PUT", "/deployments/d1/big?comp=blocklist", &[], list).await.status, StatusCode::CREATED);
    let part = storage.send("GET", "/deployments/d1/big", &[("x-ms-range", "bytes=1-2")], "").await;
    assert_eq!((part.status, part.text().as_str()), (StatusCode::PARTIAL_CONTENT, "12"));
    let once = storage.send("PUT", "/deployments/d1/big", &[("x-ms-blob-type", "BlockBlob"), ("if-none-match", "*")], "x").await;
    assert_eq!(once.header("x-ms-error-code"), "BlobAlreadyExists");
    assert_eq!(storage.send("DELETE", "/deployments/d1/big", &[], "").await.status, StatusCode::ACCEPTED);
    assert_eq!(storage.send("GET", "/deployments/d1/big", &[], "").await.header("x-ms-error-code"), "BlobNotFound");
    storage.azure.clear().await;
}

#[tokio::test]
async fn a_website_is_shown_as_its_blobs_were_stored() {
    let storage = Storage::start("website").await;
    let off = storage.azure.bench.visit(&storage.web, "/").await;
    assert_eq!(off.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(off.text().contains("no static website"), "{}", off.text());
    storage.website().await;
    for (name, content) in [("index.html", "home"), ("docs/index.html", "docs"), ("404.html", "lost")] {
        storage.put(&format!("/$web/{name}"), "text/html", content).await.good();
    }
    let home = storage.azure.bench.visit(&storage.web, "/").await;
    assert_eq!(
        (home.text().as_str(), home.header("content-type"), home.header("cache-control")),
        ("home", "text/html", "no-cache")
    );
    assert_eq!(home.header("x-mikrocloud-simulated"), "azure static-website");
    assert_eq!(storage.azure.bench.visit(&storage.web, "/docs/").await.text(), "docs");
    let lost = storage.azure.bench.visit(&storage.web, "/none").await;
    assert_eq!((lost.status, lost.text().as_str()), (StatusCode::NOT_FOUND, "lost"));
}

#[tokio::test]
async fn blobs_need_a_token_for_storage_and_the_permission() {
    let storage = Storage::start("blobs-login").await;
    let arm = format!("Bearer {}", storage.azure.bench.token);
    let url = format!("{BLOBS}/?comp=list");
    let refused =
        storage.azure.bench.bytes("GET", &url, &[("authorization", &arm), ("x-ms-version", "2026-04-06")], "").await.unwrap();
    assert_eq!(refused.header("x-ms-error-code"), "InvalidAuthenticationInfo");
    let client = storage.azure.principal["client"].as_str().unwrap();
    let action = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write";
    storage.azure.bench.control("PATCH", &format!("principals/azure/{client}"), json!({"denied": [action]})).await.good();
    let refused = storage.put("/$web/index.html", "text/html", "x").await;
    assert_eq!(refused.header("x-ms-error-code"), "AuthorizationPermissionMismatch");
    let permissions = storage.azure.get("Microsoft.Authorization/permissions", "2022-04-01").await;
    assert_eq!(permissions["value"][0]["notDataActions"], json!([action]));
}
