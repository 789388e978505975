//! A small HTTP client, for set-up and for checking that both sides answer the same. Load comes from `wrk`.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

async fn send(request: Request<Full<Bytes>>) -> Result<Bytes> {
    let address = request.uri().to_string();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.with_context(|| format!("no answer from {address}"))?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    ensure!(status.is_success(), "{address} answered {status}: {}", String::from_utf8_lossy(&body));
    Ok(body)
}

/// The body behind an address, asked for under this host name.
pub async fn get(url: &str, host: &str) -> Result<Bytes> {
    send(Request::get(url).header(HOST, host).body(Full::default())?).await
}

/// The `data` of a GraphQL answer.
pub async fn graphql(url: &str, token: &str, query: &str) -> Result<Value> {
    let request = Request::post(format!("{url}/graphql"))
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .header(CONTENT_TYPE, "application/json")
        .body(Full::from(json!({ "query": query }).to_string()))?;
    let answer: Value = serde_json::from_slice(&send(request).await?)?;
    ensure!(answer.get("errors").is_none(), "{query}: {answer}");
    Ok(answer["data"].clone())
}
