//! Signing in: what protects passwords, browsers and sessions, and command lines that a browser lets in.

use std::process::Stdio;

use reqwest::header::{COOKIE, SET_COOKIE};
use serde_json::{Value, json};
use testkit::wait_until;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::access::PASSWORD;
use crate::support::browser::Browser;
use crate::support::harness::{House, PATIENCE};

const OWNER: &str = "owner@localhost";

impl House {
    /// Gives the owner a password; the tokens of the session that begins with that.
    pub async fn owner_session(&self) -> Value {
        let (status, tokens) = self.post("/auth/link", json!({"token": self.link_token(), "password": PASSWORD})).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }

    /// Signs the owner in with the password; the status and the answer.
    pub async fn sign_in(&self, email: &str, password: &str) -> (u16, Value) {
        self.post("/auth/sign-in", json!({"email": email, "password": password})).await
    }

    /// The payload of a mutation in a session.
    pub async fn in_session(&self, tokens: &Value, mutation: &str, input_type: &str, input: Value, fields: &str) -> Value {
        let query = format!(
            "mutation($input: {input_type}!) {{ {mutation}(input: $input) {{ {fields} userErrors {{ code message }} }} }}"
        );
        let mut answer = self.graphql_as(tokens["access_token"].as_str().unwrap(), &query, json!({"input": input})).await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"][mutation].take()
    }

    /// Fields of the account of a session.
    pub async fn account(&self, tokens: &Value, fields: &str) -> Value {
        let query = format!("{{ me {{ account {{ {fields} }} }} }}");
        self.graphql_as(tokens["access_token"].as_str().unwrap(), &query, json!({})).await["data"]["me"]["account"].take()
    }
}

#[tokio::test]
async fn guessing_is_slowed_down_for_an_account_whether_there_is_one_or_not() {
    let house = House::start().await;
    let tokens = house.owner_session().await;
    for email in [OWNER, "nobody@localhost"] {
        for _ in 0..5 {
            assert_eq!(house.sign_in(email, "wrong password").await.0, 401);
        }
        // The right password has to wait, too: whoever guesses learns nothing. Other addresses do not.
        let request = house.http.post(house.url("/auth/sign-in")).json(&json!({"email": email, "password": PASSWORD}));
        let response = request.send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (429, "1"), "{email}");
        let answer: Value = response.json().await.unwrap();
        assert!(answer["detail"].as_str().unwrap().contains("in a row: try again in 1 second"), "{answer}");
    }
    assert_eq!(house.sign_in("other@localhost", "wrong password").await.0, 401);
    wait_until(PATIENCE, "the owner to be let in", async || house.sign_in(OWNER, PASSWORD).await.0 == 200).await;
    assert_eq!(house.sign_in(OWNER, "wrong password").await.0, 401, "the failures of before are forgotten");
    let events = house.account(&tokens, "securityEvents { kind address }").await;
    let throttled = json!({"kind": "ATTEMPTS_THROTTLED", "address": "127.0.0.1"});
    assert!(events["securityEvents"].as_array().unwrap().contains(&throttled), "{events}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_guesses_at_once_are_no_way_round() {
    let house = House::start().await;
    house.owner_session().await;
    let guesses = futures::future::join_all((0..40).map(|_| house.sign_in(OWNER, "wrong password"))).await;
    let tried = guesses.iter().filter(|(status, _)| *status == 401).count();
    assert!(tried <= 6, "{tried} guesses were tried: {guesses:?}");
    assert!(guesses.iter().all(|(status, _)| matches!(status, 401 | 429)), "{guesses:?}");
}

#[tokio::test]
async fn a_password_that_is_easy_to_guess_or_stolen_is_refused_and_a_silent_service_stops_nobody() {
    // A service that knows one password: of its digest it hears five digits.
    let service = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", service.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        let mut heard = Vec::new();
        for _ in 0..2 {
            let (mut stream, _) = service.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            heard.push(String::from_utf8_lossy(&request[..length]).into_owned());
            // SHA-1 of "stolen horse battery staple" without its first five digits.
            let digest = hex::encode_upper(<sha1::Sha1 as sha1::Digest>::digest(b"stolen horse battery staple"));
            let body = format!("{}:7\r\n{}:0\r\n", &digest[5..], "0".repeat(35));
            let answer = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes()).await.unwrap();
        }
        heard
    });
    let house = House::start_with(&[("MIKROCLOUD_BREACHED_PASSWORDS", &address)]).await;
    let token = house.link_token();
    for (password, reason) in [("owner@localhost", "PASSWORD_GUESSABLE"), ("stolen horse battery staple", "PASSWORD_BREACHED")] {
        let (status, answer) = house.post("/auth/link", json!({"token": token, "password": password})).await;
        assert_eq!((status, &answer["reason"]), (422, &json!(reason)), "{answer}");
    }
    let tokens = house.owner_session().await;
    let heard = heard.await.unwrap();
    assert!(
        heard[0].starts_with("GET /range/") && heard[0].split('/').nth(2).unwrap().starts_with(|c: char| c.is_ascii_hexdigit())
    );
    assert!(heard.iter().all(|request| request.contains("add-padding: true") && !request.contains("horse")), "{heard:?}");
    // The service is gone now.
    let input = json!({"password": PASSWORD, "newPassword": "another quite uncommon phrase"});
    let changed = house.in_session(&tokens, "changePassword", "ChangePasswordInput", input, "done").await;
    assert_eq!(changed["done"], true, "{changed}");
}

#[tokio::test]
async fn a_browser_keeps_its_session_in_a_cookie_that_scripts_and_other_sites_do_not_get() {
    let house = House::start().await;
    house.owner_session().await;
    let body = json!({"email": OWNER, "password": PASSWORD, "session": "cookie"});
    let response = house.http.post(house.url("/auth/sign-in")).json(&body).send().await.unwrap();
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("mikrocloud=mcr_") && cookie.contains("; HttpOnly; SameSite=Lax; Path=/"), "{cookie}");
    let tokens: Value = response.json().await.unwrap();
    assert!(tokens["access_token"].is_string() && tokens["refresh_token"].is_null(), "{tokens}");
    let pair = cookie.split(';').next().unwrap().to_owned();
    let refresh = async |headers: &[(&str, &str)]| {
        let mut request = house.http.post(house.url("/auth/refresh")).header(COOKIE, &pair).json(&json!({}));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let next = response.headers().get(SET_COOKIE).map(|cookie| cookie.to_str().unwrap().to_owned());
        (response.status().as_u16(), next)
    };
    assert_eq!(refresh(&[("sec-fetch-site", "cross-site")]).await, (403, None));
    assert_eq!(refresh(&[("origin", "https://evil.example.org")]).await, (403, None));
    let (status, next) = refresh(&[("sec-fetch-site", "same-origin")]).await;
    assert_eq!(status, 200, "the refusals used nothing up");
    assert!(next.unwrap().starts_with("mikrocloud=mcr_"));
    // The cookie of before is used up: its second use ends the session, and the cookie is taken away.
    let (status, next) = refresh(&[]).await;
    assert_eq!(status, 401);
    assert!(next.unwrap().starts_with("mikrocloud=; "));
    // The cookie alone is no credential of the API.
    let (_, fresh) = house.post("/auth/sign-in", json!({"email": OWNER, "password": PASSWORD})).await;
    let pair = format!("mikrocloud={}", fresh["refresh_token"].as_str().unwrap());
    let query = json!({"query": "{ me { role } }"});
    let answer: Value =
        house.http.post(house.url("/graphql")).header(COOKIE, pair).json(&query).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
}

#[tokio::test]
async fn behind_tls_the_cookie_is_for_tls_and_this_host_only() {
    let house = House::start_with(&[("MIKROCLOUD_PUBLIC_URL", "https://cloud.example.org")]).await;
    let body = json!({"token": house.link_token(), "password": PASSWORD, "session": "cookie"});
    let request = house.http.post(house.url("/auth/link")).header("origin", "https://cloud.example.org").json(&body);
    let response = request.send().await.unwrap();
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("__Host-mikrocloud=mcr_") && cookie.contains("; Secure; Path=/"), "{cookie}");
}

#[tokio::test]
async fn a_reused_refresh_token_ends_its_session_and_its_user_is_told() {
    let house = House::start().await;
    let first = house.owner_session().await;
    let (_, other) = house.sign_in(OWNER, PASSWORD).await;
    assert_eq!(house.post("/auth/refresh", json!({"refresh_token": first["refresh_token"]})).await.0, 200);
    for _ in 0..2 {
        assert_eq!(house.post("/auth/refresh", json!({"refresh_token": first["refresh_token"]})).await.0, 401);
    }
    let account = house.account(&other, "sessions { current } securityEvents { kind seenAt }").await;
    assert_eq!(account["sessions"], json!([{"current": true}]), "{account}");
    let told: Vec<_> =
        account["securityEvents"].as_array().unwrap().iter().filter(|event| event["kind"] == "TOKEN_REUSED").collect();
    assert_eq!(told, [&json!({"kind": "TOKEN_REUSED", "seenAt": null})], "once: {account}");
    let page = Browser::signed_in(&house, OWNER, "/auth/account").await.1.text;
    assert!(page.contains("A refresh token was used twice"), "{page}");
    assert!(!house.account(&other, "securityEvents { seenAt }").await["securityEvents"][0]["seenAt"].is_null());
}

#[tokio::test]
async fn signing_out_everywhere_ends_sessions_and_command_lines_but_not_keys() {
    let mut house = House::start().await;
    let tokens = house.owner_session().await;
    let machine_key = house.token();
    let other_config = tempfile::tempdir().unwrap();
    let mut login = house.command(&["login", "--url", &house.url(""), "--email", OWNER, "--json"]);
    let mut login =
        login.env("MIKROCLOUD_CONFIG_DIR", other_config.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut login.stdin.take().unwrap(), format!("{PASSWORD}\n").as_bytes()).await.unwrap();
    assert!(timeout(PATIENCE, login.wait()).await.unwrap().unwrap().success());
    let whoami = async |house: &House| {
        let mut command = house.command(&["whoami", "--json"]);
        let command = command.env("MIKROCLOUD_CONFIG_DIR", other_config.path()).stdout(Stdio::null());
        command.status().await.unwrap().code()
    };
    assert_eq!(whoami(&house).await, Some(0));
    let (mut browser, account) = Browser::signed_in(&house, OWNER, "/auth/account").await;
    assert_eq!((account.status, account.url.path()), (200, "/auth/account"), "{account:?}");
    let left = browser.submit_to(&account, "/auth/sign-out-everywhere", &[]).await;
    assert!(left.text.contains("All your sessions are ended"), "{left:?}");
    let me = house.graphql_as(tokens["access_token"].as_str().unwrap(), "{ me { role } }", json!({})).await;
    assert_eq!(me["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{me}");
    assert_eq!(whoami(&house).await, Some(4), "the command line that signed in");
    let key = house.graphql_as(&machine_key, "{ me { role } }", json!({})).await;
    assert_eq!(key["data"]["me"]["role"], "OWNER", "a key that was not made by a sign-in stays");
    // It survives a restart.
    house.terminate().await;
    house.run().await;
    assert_eq!(house.post("/auth/refresh", json!({"refresh_token": tokens["refresh_token"]})).await.0, 401);
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions_only() {
    let house = House::start().await;
    let present = house.owner_session().await;
    let (_, other) = house.sign_in(OWNER, PASSWORD).await;
    let change = async |password: Option<&str>, new: &str| {
        let input = json!({"password": password, "newPassword": new});
        house.in_session(&present, "changePassword", "ChangePasswordInput", input, "done").await
    };
    for (password, new, code) in [
        (None, "another quite uncommon phrase", "PASSWORD_NEEDED"),
        (Some("wrong password"), "another quite uncommon phrase", "WRONG_PASSWORD"),
        (Some(PASSWORD), "password1234", "PASSWORD_GUESSABLE"),
    ] {
        assert_eq!(change(password, new).await["userErrors"][0]["code"], code);
    }
    assert_eq!(change(Some(PASSWORD), "another quite uncommon phrase").await["done"], true);
    let role =
        async |tokens: &Value| house.graphql_as(tokens["access_token"].as_str().unwrap(), "{ me { role } }", json!({})).await;
    assert_eq!(role(&present).await["data"]["me"]["role"], "OWNER");
    assert_eq!(role(&other).await["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    assert_eq!(house.sign_in(OWNER, PASSWORD).await.0, 401);
    assert_eq!(house.sign_in(OWNER, "another quite uncommon phrase").await.0, 200);
}

#[tokio::test]
async fn a_command_line_is_let_in_by_a_browser_and_signs_out_by_itself() {
    let house = House::start().await;
    house.owner_session().await;
    house.json(&["logout"]).await;
    let mut login = house.command(&["login", "--url", &house.url(""), "--json"]);
    let mut login = login.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(login.stderr.take().unwrap()).lines();
    let first = timeout(PATIENCE, said.next_line()).await.unwrap().unwrap().unwrap();
    let address = first.strip_prefix("Open ").unwrap();
    assert!(address.starts_with(&house.url("/auth/device?code=")), "{first}");

    let mut browser = Browser::new();
    let form = browser.get(address).await;
    assert!(form.text.contains("type=\"password\""), "signing in comes first: {form:?}");
    let question = browser.submit(&form, &[("email", OWNER), ("password", PASSWORD)]).await;
    assert!(question.text.contains("wants to be signed in as") && question.text.contains("127.0.0.1"), "{question:?}");
    let done = browser.submit(&question, &[("decision", "allow")]).await;
    assert!(done.text.contains("go back to your terminal"), "{done:?}");
    let output = timeout(PATIENCE, login.wait_with_output()).await.unwrap().unwrap();
    let me: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(me["user"]["email"], OWNER, "{me}");
    let again = browser.submit(&question, &[("decision", "allow")]).await;
    assert!(again.status == 422 && again.text.contains("No command line waits"), "{again:?}");

    let keys = house.json(&["keys"]).await;
    let key =
        keys.as_array().unwrap().iter().find(|key| key["name"].as_str().unwrap().starts_with("mikrocloud login on ")).unwrap();
    assert!(key["expiresAt"].is_string(), "{key}");
    let token = house.token();
    house.json(&["logout"]).await;
    let refused = house.graphql_as(&token, "{ me { role } }", json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{refused}");
}

#[tokio::test]
async fn a_waiting_command_line_hears_the_errors_of_the_standard() {
    let house = House::start().await;
    let tokens = house.owner_session().await;
    let begin = async || house.post("/auth/device/code", json!({"name": "Łódź\u{7}"})).await.1;
    let ask = async |device: &Value| {
        let body = json!({"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": device["device_code"]});
        house.post("/auth/token", body).await
    };
    let device = begin().await;
    assert_eq!((&device["interval"], &device["expires_in"]), (&json!(2), &json!(900)), "{device}");
    assert_eq!(ask(&device).await, (400, json!({"error": "authorization_pending"})));
    assert_eq!(ask(&device).await, (400, json!({"error": "slow_down"})));
    let wrong = house.post("/auth/token", json!({"grant_type": "password", "device_code": "x"})).await;
    assert_eq!(wrong, (400, json!({"error": "unsupported_grant_type"})));
    assert_eq!(ask(&json!({"device_code": "mcd_invented"})).await, (400, json!({"error": "expired_token"})));
    let decide = async |device: &Value, decision: &str, token: &str| {
        let body = json!({"user_code": device["user_code"], "decision": decision});
        let request = house.http.post(house.url("/auth/device")).bearer_auth(token).json(&body);
        request.send().await.unwrap().status().as_u16()
    };
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(decide(&device, "allow", &house.token()).await, 403, "an API key lets nobody in");
    assert_eq!(decide(&device, "deny", access).await, 204);
    assert_eq!(decide(&device, "allow", access).await, 422, "it is decided");
    assert_eq!(ask(&device).await, (400, json!({"error": "access_denied"})));
    let device = begin().await;
    assert_eq!(decide(&device, "allow", access).await, 204);
    let (status, answer) = ask(&device).await;
    assert!(status == 200 && answer["access_token"].as_str().unwrap().starts_with("mck_"), "{answer}");
    assert_eq!(ask(&device).await, (400, json!({"error": "expired_token"})), "the key is told once");
    let events = house.account(&tokens, "securityEvents { kind }").await;
    assert_eq!(events["securityEvents"][0]["kind"], "DEVICE_APPROVED", "{events}");
}

#[tokio::test]
async fn others_can_check_access_tokens_by_the_published_keys() {
    let house = House::start().await;
    let tokens = house.owner_session().await;
    let response = house.http.get(house.url("/.well-known/jwks.json")).send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "public, max-age=3600");
    let keys: Value = response.json().await.unwrap();
    let token = tokens["access_token"].as_str().unwrap();
    let part = |index: usize| base64(token.split('.').nth(index).unwrap());
    let header: Value = serde_json::from_slice(&part(0)).unwrap();
    assert_eq!((&header["alg"], &header["kid"]), (&json!("ES256"), &keys["keys"][0]["kid"]), "{header} {keys}");
    let claims: Value = serde_json::from_slice(&part(1)).unwrap();
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900, "{claims}");
}

fn base64(text: &str) -> Vec<u8> {
    base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text).unwrap()
}
