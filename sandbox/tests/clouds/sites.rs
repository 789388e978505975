//! Static sites on Cloud Run: a bucket that is mounted.

use http::StatusCode;
use serde_json::json;

use crate::support::Bench;

const SERVICES: &str = "https://run.googleapis.com/v2/projects/demo-project/locations/europe-west1/services";

const CADDYFILE: &str = r#":8080 {
	root * "/srv"
	route {
		@hidden path /Caddyfile
		error @hidden 404
		header x-frame-options "DENY"
		@old path_regexp r0 "^/old/(?P<id>[^/]+)$"
		redir @old "/new/{re.r0.id}" 301
		@found file {path} {path}/index.html {path}.html
		rewrite @found {file_match.relative}
		file_server
	}
	handle_errors {
		rewrite * /404.html
		file_server
	}
}
"#;

async fn upload(bench: &Bench, name: &str, content: &str) {
    let url = format!("https://storage.googleapis.com/upload/storage/v1/b/mc-files/o?uploadType=media&name={name}");
    bench.bytes("POST", &url, &[("content-type", "text/html")], content.to_owned()).await.unwrap().good();
}

#[tokio::test]
async fn a_mounted_bucket_is_a_static_site_if_its_account_may_read_it() {
    let mut bench = Bench::start("sites").await;
    bench.google("demo-project").await;
    bench.enable("demo-project", &["run", "iam"]).await;
    let accounts = "https://iam.googleapis.com/v1/projects/demo-project/serviceAccounts";
    let account = bench.call("POST", accounts, json!({"accountId": "mc-serve-0011"})).await.good();
    let bucket = json!({"name": "mc-files", "location": "EUROPE-WEST1"});
    bench.call("POST", "https://storage.googleapis.com/storage/v1/b?project=demo-project", bucket).await.good();
    for (name, content) in [("index.html", "home"), ("about.html", "about"), ("404.html", "lost"), ("Caddyfile", CADDYFILE)] {
        upload(&bench, &format!("sites/d1/{name}"), content).await;
    }
    upload(&bench, "sites/d2/index.html", "other").await;
    let service = |revision: &str| {
        json!({
            "invokerIamDisabled": true,
            "template": {
                "revision": revision,
                "serviceAccount": account["email"],
                "volumes": [{"name": "files", "gcs": {"bucket": "mc-files", "readOnly": true, "mountOptions": ["implicit-dirs"]}}],
                "containers": [{
                    "image": "docker.io/library/caddy:2",
                    "args": ["caddy", "run", "--config", "/srv/sites/d1/Caddyfile"],
                    "env": [{"name": "SITE", "value": "d1"}],
                    "volumeMounts": [{"name": "files", "mountPath": "/srv"}],
                }],
            },
        })
    };
    let operation = bench.call("POST", &format!("{SERVICES}?serviceId=early"), service("early-d1")).await.good();
    let failed = bench.done("https://run.googleapis.com/v2", operation).await;
    assert!(failed["error"]["message"].as_str().unwrap().contains("storage.objects.list"), "{failed}");
    let binding = json!({"role": "roles/storage.objectViewer", "members": [format!("serviceAccount:{}", account["email"].as_str().unwrap())]});
    bench.call("PUT", "https://storage.googleapis.com/storage/v1/b/mc-files/iam", json!({"bindings": [binding]})).await.good();
    let operation = bench.call("POST", &format!("{SERVICES}?serviceId=site"), service("site-d1")).await.good();
    let ready = bench.response("https://run.googleapis.com/v2", operation).await;
    let host = ready["uri"].as_str().unwrap().trim_start_matches("https://").to_owned();
    assert_eq!(bench.visit(&host, "/").await.text(), "home");
    assert_eq!(bench.visit(&host, "/about").await.text(), "about");
    assert_eq!(bench.visit(&host, "/Caddyfile").await.status, StatusCode::NOT_FOUND);
    let moved = bench.visit(&host, "/old/7").await;
    assert_eq!((moved.status.as_u16(), moved.header("location"), moved.header("x-frame-options")), (301, "/new/7", "DENY"));
    let lost = bench.visit(&host, "/none").await;
    assert_eq!((lost.status, lost.text().as_str()), (StatusCode::NOT_FOUND, "lost"));
}
