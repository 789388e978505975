//! The dashboard, in a real browser. What the browser does is in `web/tests/browser`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, IF_NONE_MATCH};
use serde_json::json;
use tokio::process::Command;
use tokio::time::timeout;

use crate::support::harness::House;

fn web() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../web")
}

/// Deploys a directory as another person does: with the command line, waiting for the end.
fn deploying(house: &House, source: &Path) -> String {
    let config = format!("MIKROCLOUD_CONFIG_DIR={}", house.data().parent().unwrap().join("config").display());
    let source = source.display().to_string();
    json!(["env", config, house.binary, "deploy", source, "--project", "site", "--json"]).to_string()
}

#[tokio::test]
async fn a_first_day_in_a_browser() {
    let house = House::start().await;
    let (one, two, failing) = (house.scratch("one"), house.scratch("two"), house.scratch("failing"));
    std::fs::write(one.join("index.html"), "one").unwrap();
    std::fs::write(two.join("index.html"), "two").unwrap();
    let build = "for (let i = 1; i <= 20000; i++) console.log(`number ${i}`);\n\
        console.log('\\u001b[31merror: <img src=x onerror=alert(1)> this is the reason\\u001b[0m'); process.exitCode = 1;";
    std::fs::write(failing.join("build.js"), build).unwrap();
    std::fs::write(failing.join("package.json"), r#"{"scripts": {"build": "node build.js"}}"#).unwrap();
    house.deploy(&one, &["--project", "site"]).await;

    let mut browser = Command::new("node");
    browser.arg(web().join("tests/browser/first-day.js")).arg(house.url("")).arg(house.sign_in_link.as_ref().unwrap());
    browser.args([deploying(&house, &two), deploying(&house, &failing)]).kill_on_drop(true);
    let output = timeout(Duration::from_mins(3), browser.output()).await.expect("the day ends").expect("node is installed");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{text}");
}

#[tokio::test]
async fn its_files_are_small_kept_and_let_nothing_else_in() {
    let house = House::start().await;
    let page = house.http.get(house.url("/teams/team_x/projects")).header(ACCEPT, "text/html,*/*").send().await.unwrap();
    assert_eq!((page.status().as_u16(), &page.headers()["cache-control"]), (200, &"no-cache".parse().unwrap()));
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("script-src 'self';") && policy.contains("require-trusted-types-for 'script'"), "{policy}");
    assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{policy}");
    let tag = page.headers()["etag"].clone();
    let page = page.text().await.unwrap();
    let script = page.split('"').find(|part| part.starts_with("/assets/") && part.contains(".js")).expect("a script");

    let script = |encoding| house.http.get(house.url(script)).header(ACCEPT_ENCODING, encoding).send();
    let plain = script("identity").await.unwrap();
    assert!(plain.headers()["cache-control"].to_str().unwrap().contains("immutable"), "{:?}", plain.headers());
    assert!(plain.headers()["content-type"].to_str().unwrap().starts_with("text/javascript"), "{:?}", plain.headers());
    let plain = plain.bytes().await.unwrap().len();
    for encoding in ["br", "gzip"] {
        let small = script(encoding).await.unwrap();
        assert_eq!(small.headers()["content-encoding"], encoding);
        assert!(small.bytes().await.unwrap().len() * 2 < plain, "{encoding}");
    }
    assert!(!script("br;q=0").await.unwrap().headers().contains_key("content-encoding"));

    let again = house.http.get(house.url("/")).header(ACCEPT, "text/html").header(IF_NONE_MATCH, tag).send().await.unwrap();
    assert_eq!((again.status().as_u16(), again.bytes().await.unwrap().len()), (304, 0));
    // What is no page of a browser stays an error: programs must not take a page for an answer.
    for (path, accept) in
        [("/nothing", "application/json"), ("/api/v1/nothing", "text/html"), ("/assets/nothing.js", "text/html")]
    {
        let answer = house.http.get(house.url(path)).header(ACCEPT, accept).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 404, "{path}");
    }
}

#[tokio::test]
async fn access_is_given_to_the_session_of_a_cookie_and_uses_nothing_up() {
    let house = House::start().await;
    let token = house.sign_in_link.as_ref().unwrap().split("token=").nth(1).unwrap().to_owned();
    let body = json!({"token": token, "password": "correct horse battery staple", "session": "cookie"});
    let signed_in = house.http.post(house.url("/auth/link")).json(&body).send().await.unwrap();
    let cookie = signed_in.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let ask = |site: &'static str, cookie: String| {
        house.http.post(house.url("/auth/access")).header("cookie", cookie).header("sec-fetch-site", site).send()
    };
    // Tabs that load at the same moment, and answers that nobody read.
    let answers = futures::future::join_all((0..20).map(|_| ask("same-origin", cookie.clone()))).await;
    for answer in answers {
        let answer: serde_json::Value = answer.unwrap().json().await.unwrap();
        assert!(answer["expires_in"].as_i64().unwrap() > 60 && answer["refresh_token"].is_null(), "{answer}");
        let token = answer["access_token"].as_str().unwrap();
        let query = json!({"query": "{ me { user { email } } }"});
        let me = house.http.post(house.url("/graphql")).bearer_auth(token).json(&query).send().await.unwrap();
        assert_eq!(me.status().as_u16(), 200);
    }
    // A deployment below the same domain is another origin, and so is every other site.
    for site in ["same-site", "cross-site"] {
        assert_eq!(ask(site, cookie.clone()).await.unwrap().status().as_u16(), 403, "{site}");
    }
    let nobody = ask("same-origin", "mikrocloud=mcr_wrong".to_owned()).await.unwrap();
    assert_eq!(nobody.status().as_u16(), 204);
}
