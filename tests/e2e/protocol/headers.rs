//! Headers for browsers.

use std::collections::HashSet;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::json;

use crate::support::harness::House;

async fn headers(house: &House, path: &str) -> HeaderMap {
    house.http.get(house.url(path)).send().await.unwrap().headers().clone()
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn every_answer_tells_browsers_what_to_refuse() {
    let house = House::start().await;
    for path in ["/", "/auth/sign-in", "/auth/account", "/graphql", "/api/v1/projects", "/api/v1/docs", "/nowhere", "/healthz"] {
        let headers = headers(&house, path).await;
        assert_eq!(text(&headers, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(text(&headers, "x-frame-options"), "DENY", "{path}");
        assert_eq!(text(&headers, "referrer-policy"), "no-referrer", "{path}");
        assert_eq!(text(&headers, "cross-origin-opener-policy"), "same-origin", "{path}");
        assert!(text(&headers, "permissions-policy").contains("camera=()"), "{path}");
        let policy = text(&headers, "content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(headers.contains_key("cache-control"), "{path}");
        assert!(!headers.contains_key("strict-transport-security"), "there is no TLS here");
    }
    // What our pages bring along is under a nonce, which no two answers share; nothing else is a style or a script of them.
    let mut seen = HashSet::new();
    for (path, marked) in [("/auth/sign-in", 1), ("/auth/sign-in", 1), ("/graphql", 1), ("/api/v1/docs", 3)] {
        let answer = house.http.get(house.url(path)).send().await.unwrap();
        let policy = text(answer.headers(), "content-security-policy").to_owned();
        let page = answer.text().await.unwrap();
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
        assert!(nonce.len() >= 22 && seen.insert(nonce.to_owned()), "{path}: 128 bits, and new: {policy}");
        assert_eq!(page.matches(&format!("nonce=\"{nonce}\"")).count(), marked, "{path}: {page}");
        let brought = ["<style", "<script", "rel=\"stylesheet\""].map(|tag| page.matches(tag).count());
        assert_eq!(brought.iter().sum::<usize>(), marked, "{path}: {page}");
        assert!(!policy.contains("unsafe") && !policy.contains("script-src 'self'"), "{path}: {policy}");
    }
    // Tokens stay in no cache.
    let body = json!({"email": "owner@localhost", "password": "wrong password"});
    let answer = house.http.post(house.url("/auth/sign-in")).json(&body).send().await.unwrap();
    assert_eq!(answer.headers()["cache-control"], "no-store");
}

#[tokio::test]
async fn behind_tls_browsers_are_told_to_stay_there() {
    let house = House::start_with(&[("MIKROCLOUD_PUBLIC_URL", "https://cloud.example.org")]).await;
    assert_eq!(text(&headers(&house, "/").await, "strict-transport-security"), "max-age=31536000");
}

#[tokio::test]
async fn only_listed_sites_may_use_the_api_from_their_scripts() {
    let listed = "https://app.example.org";
    let house = House::start_with(&[("MIKROCLOUD_ALLOWED_ORIGINS", listed)]).await;
    let preflight = async |origin: &str| {
        let request = house.http.request(Method::OPTIONS, house.url("/graphql")).header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        request.header("access-control-request-headers", "authorization,content-type").send().await.unwrap().headers().clone()
    };
    let allowed = preflight(listed).await;
    assert_eq!(text(&allowed, "access-control-allow-origin"), listed);
    assert!(text(&allowed, "access-control-allow-headers").contains("authorization"), "{allowed:?}");
    assert!(!allowed.contains_key("access-control-allow-credentials"), "cookies are not sent along");
    assert!(!preflight("https://evil.example.org").await.contains_key("access-control-allow-origin"));
    // A script of the listed site does what its token allows; where the cookie counts, it is another site.
    let ask = |path: &str| {
        let request = house.http.post(house.url(path)).header("origin", listed).header("sec-fetch-site", "cross-site");
        request.bearer_auth(house.token())
    };
    let answer = ask("/graphql").json(&json!({"query": "{ me { role } }"})).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), text(answer.headers(), "access-control-allow-origin")), (200, listed));
    assert_eq!(ask("/auth/refresh").json(&json!({})).send().await.unwrap().status().as_u16(), 403);
    let unlisted = House::start().await;
    let request = unlisted.http.get(unlisted.url("/api/v1/projects")).header("origin", listed).send().await.unwrap();
    assert!(!request.headers().contains_key("access-control-allow-origin"));
    let wrong = house.up().env("MIKROCLOUD_ALLOWED_ORIGINS", "*").output().await.unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("https://app.example.org"), "{wrong:?}");
}
