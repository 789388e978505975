//! Functions for Node and Python.

use std::sync::Arc;
use std::time::Duration;

use domain::workload::{FunctionSet, Runtime, StaticSite, WorkloadSpec};
use http::Request;

use crate::support::{World, functions, own_label, until};

const HELLO: &str = "export default async function (request) {\n\
    const url = new URL(request.url);\n\
    const text = request.method === 'POST' ? await request.text() : 'none';\n\
    return new Response(`${request.method} ${url.pathname} ${url.searchParams.get('a')} ${text}`, { status: 201, headers: { 'x-kind': 'node' } });\n}";

const PYTHON: &str = "import json\n\
async def handler(request):\n\
\x20   if request.path.endswith('/fail'):\n\
\x20       raise ValueError('a secret reason')\n\
\x20   if request.path.endswith('/tuple'):\n\
\x20       return 'made', 202, {'x-kind': 'tuple'}\n\
\x20   if request.path.endswith('/stream'):\n\
\x20       return (part for part in ['a', b'b'])\n\
\x20   return {'method': request.method, 'query': request.query, 'body': request.text(), 'host': request.headers['HOST'], 'url': request.url}\n";

fn set() -> FunctionSet {
    let mut set = functions(&[
        ("/hello", "functions/hello.js", Runtime::Node),
        ("/api", "functions/api.py", Runtime::Python),
        ("/methods", "functions/methods.mjs", Runtime::Node),
        ("/fetch", "functions/fetch.cjs", Runtime::Node),
    ]);
    set.site = Some(StaticSite { root: "public".to_owned() });
    set.env = vec![("EXTRA".to_owned(), "got".to_owned())];
    set
}

fn files() -> Vec<(&'static str, &'static str)> {
    vec![
        ("functions/hello.js", HELLO),
        ("functions/api.py", PYTHON),
        (
            "functions/methods.mjs",
            "export const GET = () => new Response(process.env.EXTRA); export function POST() { throw new Error('a secret reason') }",
        ),
        ("functions/fetch.cjs", "module.exports = { fetch: async () => Response.json({ ok: true }) }"),
        ("public/index.html", "home"),
    ]
}

#[tokio::test]
async fn functions_answer_in_front_of_their_site() {
    let world = World::with(|config| config.function_idle_after = Duration::from_secs(2)).await;
    let id = world.deploy(WorkloadSpec::Functions(set()), &files()).await;
    assert_eq!(world.get("shop", "/").await.body, "home");
    assert_eq!(world.get("shop", "/functions/hello.js").await.status, 404);

    let got = world.send_body("shop", Request::post("/hello/deep?a=1").header("host", "shop.localhost"), "body").await;
    assert_eq!((got.status, got.body.as_str()), (201, "POST /hello/deep 1 body"));
    assert_eq!(got.headers["x-kind"], "node");
    assert_eq!(world.get("shop", "/hello").await.body, "GET /hello null none");
    assert_ne!(world.get("shop", "/helloworld").await.status, 201);

    assert_eq!(world.get("shop", "/methods").await.body, "got");
    let refused = world.send("shop", Request::delete("/methods")).await;
    assert_eq!((refused.status, refused.headers["allow"].to_str().unwrap()), (405, "GET, POST, HEAD"));
    assert_eq!(world.get("shop", "/fetch").await.body, r#"{"ok":true}"#);

    let got = world.send_body("shop", Request::post("/api?q=%20x").header("host", "shop.localhost"), "ü").await;
    let value: serde_json::Value = serde_json::from_str(&got.body).unwrap();
    let expected = serde_json::json!({
        "method": "POST", "query": {"q": " x"}, "body": "ü", "host": "shop.localhost", "url": "http://shop.localhost/api?q=%20x"
    });
    assert_eq!(value, expected);
    assert_eq!(got.headers["content-type"], "application/json");
    let got = world.get("shop", "/api/tuple").await;
    assert_eq!((got.status, got.body.as_str(), got.headers["x-kind"].to_str().unwrap()), (202, "made", "tuple"));
    assert_eq!(world.get("shop", "/api/stream").await.body, "ab");

    until("idle functions are stopped", || async { (world.processes() == 0).then_some(()) }).await;
    assert_eq!(world.get("shop", "/methods").await.body, "got");
    world.cloud.functions.as_ref().unwrap().delete(&world.scope(), id).await.unwrap();
    assert_eq!(world.processes(), 0);
}

#[tokio::test]
async fn a_function_that_throws_tells_the_log_and_not_the_client() {
    let world = World::new().await;
    let id = world.deploy(WorkloadSpec::Functions(set()), &files()).await;
    for request in [Request::post("/methods"), Request::get("/api/fail")] {
        let got = world.send("shop", request).await;
        assert_eq!(got.status, 500);
        assert!(!got.body.contains("secret"), "{}", got.body);
    }
    let both = |log: &String| log.matches("a secret reason").count() >= 2;
    until("the log has both", || async { Some(world.control.log_text(id)).filter(both) }).await;
    assert_eq!(world.get("shop", "/methods").await.body, "got");
}

#[tokio::test]
async fn a_function_that_takes_too_long_is_cut_off_and_the_next_call_works() {
    let world = World::new().await;
    let mut set = functions(&[("/slow", "slow.mjs", Runtime::Node), ("/pyslow", "slow.py", Runtime::Python)]);
    set.timeout_seconds = 1;
    let files = [
        ("slow.mjs", "export default (request) => { if (request.url.endsWith('?hang')) for (;;); return new Response('quick') }"),
        (
            "slow.py",
            "import time\ndef handler(request):\n    time.sleep(30 if 'hang' in request.query else 0)\n    return 'quick'\n",
        ),
    ];
    world.deploy(WorkloadSpec::Functions(set), &files).await;
    for path in ["/slow", "/pyslow"] {
        let got = world.get("shop", &format!("{path}?hang")).await;
        assert_eq!(got.status, 504, "{}", got.body);
        assert_eq!(world.get("shop", path).await.body, "quick");
    }
}

#[tokio::test]
async fn a_function_that_does_not_load_fails_the_deployment_with_its_last_lines() {
    let world = World::new().await;
    let cases = [
        ("broken.mjs", "import 'no-such-module'; export default () => new Response()", Runtime::Node, "no-such-module"),
        ("none.mjs", "export const value = 1", Runtime::Node, "exports no handler"),
        ("broken.py", "import no_such_module\n", Runtime::Python, "no_such_module"),
        ("none.py", "value = 1\n", Runtime::Python, "no function `handler(request)`"),
    ];
    for (file, text, runtime, reason) in cases {
        let id = world.apply(WorkloadSpec::Functions(functions(&[("/x", file, runtime)])), &[(file, text)]).await;
        let (code, message) = world.failure(id).await;
        assert_eq!(code, "FUNCTION_FAILED");
        assert!(message.contains(reason) && message.contains(file), "{message}");
        assert_eq!(world.get(&own_label(id), "/x").await.status, 503);
    }
    let missing = world.apply(WorkloadSpec::Functions(functions(&[("/x", "gone.mjs", Runtime::Node)])), &[("x", "x")]).await;
    assert!(world.failure(missing).await.1.contains("no file `gone.mjs`"));
}

#[tokio::test]
async fn calls_beyond_the_concurrency_wait_for_their_turn() {
    let world = World::new().await;
    let mut set = functions(&[("/count", "count.mjs", Runtime::Node)]);
    set.concurrency = 2;
    let count = "let now = 0, most = 0; export default async () => {\n\
        most = Math.max(most, ++now); await new Promise((done) => setTimeout(done, 100)); now--; return new Response(String(most)) }";
    world.deploy(WorkloadSpec::Functions(set), &[("count.mjs", count)]).await;
    let world = Arc::new(world);
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.get("shop", "/count").await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().status, 200);
    }
    assert_eq!(world.get("shop", "/count").await.body, "2");
}
