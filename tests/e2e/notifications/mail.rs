//! Mail, through a server that MikroCloud did not write.

use std::process::Stdio;

use serde_json::{Value, json};
use testkit::{Certificate, test_tool, wait_until};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::identity::access::PASSWORD;
use crate::support::harness::{House, PATIENCE};

/// Prints its port, then each mail as a line of JSON. It takes mail by STARTTLS and from who signs in only.
const SERVER: &str = include_str!("mail_server.py");

/// A mail server that runs.
struct MailServer {
    _child: Child,
    said: Lines<BufReader<ChildStdout>>,
    port: u16,
}

impl MailServer {
    /// Starts one; `None` where it is not installed.
    async fn start(certificate: &Certificate) -> Option<Self> {
        let packages = test_tool("aiosmtpd")?;
        let mut command = Command::new("python3");
        command.args(["-c", SERVER]).arg(certificate.file()).arg(certificate.key()).env("PYTHONPATH", packages);
        let mut child = command.kill_on_drop(true).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = timeout(PATIENCE, said.next_line()).await.expect("it starts").unwrap().unwrap().parse().unwrap();
        Some(Self { _child: child, said, port })
    }

    /// The next mail that tells nobody about their account.
    async fn next(&mut self) -> Value {
        loop {
            let mail = self.any().await;
            if !mail["headers"]["subject"].as_str().unwrap().starts_with("Your MikroCloud account: ") {
                return mail;
            }
        }
    }

    async fn any(&mut self) -> Value {
        serde_json::from_str(&timeout(PATIENCE, self.said.next_line()).await.expect("a mail").unwrap().unwrap()).unwrap()
    }
}

/// A house that sends mail through a server whose certificate it trusts.
async fn house_with_mail(more: &[(&str, &str)]) -> Option<(House, MailServer)> {
    let directory = tempfile::tempdir().unwrap().keep();
    let certificate = Certificate::new(&directory);
    let server = MailServer::start(&certificate).await?;
    let url = format!("smtp://user:planted-mail-password@127.0.0.1:{}?tls=required", server.port);
    let (file, from) = (certificate.file(), "MikroCloud <noreply@example.org>");
    let env = [("MIKROCLOUD_SMTP_URL", url.as_str()), ("MIKROCLOUD_MAIL_FROM", from), ("SSL_CERT_FILE", file.to_str().unwrap())];
    Some((House::start_with(&[&env[..], more].concat()).await, server))
}

#[tokio::test]
async fn members_are_written_to_in_two_parts_by_tls_and_nobody_else_is() {
    let Some((house, mut server)) = house_with_mail(&[]).await else { return };
    house.colleague("ann", "admin").await;
    let stranger = house.cli(&["notifications", "add", "email", "ops", "eve@example.com", "--json"]).await.error();
    assert!(stranger.0 == "NO_MEMBER" && stranger.1.contains("members only"), "{stranger:?}");
    let injected =
        house.cli(&["notifications", "add", "email", "ops", "ann@example.org\r\nBcc: eve@example.com", "--json"]).await;
    assert_eq!(injected.error().0, "NO_MEMBER");
    let bot = house.json(&["members", "add-service-account", "bot", "--role", "viewer"]).await;
    let bot = bot["user"]["email"].as_str().unwrap().to_owned();
    assert_eq!(house.cli(&["notifications", "add", "email", "ops", &bot, "--json"]).await.error().0, "NO_MEMBER");
    let made = house.json(&["notifications", "add", "email", "ops", "ann@example.org", "--event", "deployment.live"]).await;
    assert_eq!((&made["channel"]["address"], &made["secret"]), (&json!("a…@example.org"), &Value::Null));

    let deployed = house.deploy(house.site("shop", "a page"), &[]).await;
    let mail = server.next().await;
    assert_eq!(
        (&mail["to"], &mail["from"], &mail["tls"]),
        (&json!(["ann@example.org"]), &json!("noreply@example.org"), &json!(true))
    );
    let headers = &mail["headers"];
    assert_eq!(headers["subject"], "shop: deployment 1 to production is live");
    assert_eq!(
        (&headers["from"], &headers["auto-submitted"]),
        (&json!("MikroCloud <noreply@example.org>"), &json!("auto-generated"))
    );
    assert!(headers["list-unsubscribe"].is_null());
    let url = deployed["url"].as_str().unwrap();
    assert!(
        mail["parts"]["text/plain"].as_str().unwrap().contains(url) && mail["parts"]["text/html"].as_str().unwrap().contains(url)
    );
    let id = house.sent("ops").await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(headers["message-id"], format!("<{id}@example.org>"));

    house.json(&["notifications", "replay", &id]).await;
    assert_eq!(server.next().await["headers"]["message-id"], headers["message-id"], "the same mail");
    house.json(&["members", "remove", "ann@example.org"]).await;
    house.json(&["notifications", "replay", &id]).await;
    house.all_are("ops", "FAILED").await;
    assert!(house.sent("ops").await[0]["error"].as_str().unwrap().contains("no longer in the team"));
    assert!(!house.whole_log().contains("planted-mail-password"));
}

#[tokio::test]
async fn what_the_mail_server_refuses_is_tried_again_only_where_that_can_help() {
    let Some((house, mut server)) = house_with_mail(&[]).await else { return };
    house.colleague("ann", "admin").await;
    house.colleague("refused", "viewer").await;
    let both = ["notifications", "add", "email", "ops", "ann@example.org", "refused@example.org", "--event", "deployment.live"];
    house.json(&both).await;
    let title = "Bust: {{ project.name }}\nBcc: eve@example.com";
    house
        .json(&["notifications", "template", "ops", "deployment.live", "--title", title, "--body", "<b>{{ project.name }}</b>"])
        .await;
    house.deploy(house.site("shop", "a page"), &[]).await;
    let of = async |number: usize| {
        let mut sent = house.sent("ops").await;
        sent.sort_by_key(|delivery| delivery["id"].to_string());
        let id = sent[number]["id"].as_str().unwrap().to_owned();
        house.json(&["notifications", "delivery", &id]).await
    };
    wait_until(PATIENCE, "both were tried", async || of(0).await["attemptCount"] == 1 && of(1).await["attemptCount"] == 1).await;
    let (temporary, permanent) = (of(0).await, of(1).await);
    assert_eq!((&temporary["state"], &temporary["attempts"][0]["status"]), (&json!("PENDING"), &json!(451)), "{temporary}");
    assert_eq!((&permanent["state"], &permanent["attempts"][0]["status"]), (&json!("FAILED"), &json!(550)), "{permanent}");
    house.hurry().await;
    let mail = server.next().await;
    assert_eq!(mail["headers"]["subject"], "Bust: shop Bcc: eve@example.com", "one line, no header of others");
    assert!(!mail["names"].as_array().unwrap().contains(&json!("bcc")) && mail["to"] == json!(["ann@example.org"]), "{mail}");
    assert!(mail["parts"]["text/html"].as_str().unwrap().contains("&lt;b&gt;shop&lt;/b&gt;"), "{mail}");
}

#[tokio::test]
async fn a_mail_server_that_would_be_spoken_to_in_the_clear_is_refused_at_the_start() {
    for (url, from, problem) in [
        ("smtp://user:hunter2@mail.example.org", "noreply@example.org", "in the clear"),
        ("smtps://user:hunter2@mail.example.org", "nobody", "no sender's address"),
        ("hunter2", "noreply@example.org", "no address of a mail server"),
    ] {
        let house = House::prepare(&[("MIKROCLOUD_SMTP_URL", url), ("MIKROCLOUD_MAIL_FROM", from)]);
        let ran: crate::support::client::Ran = timeout(PATIENCE, house.up().output()).await.expect("it ends").unwrap().into();
        assert!(ran.exit == 2 && ran.stderr.contains(problem) && !ran.stderr.contains("hunter2"), "{ran:?}");
    }
}

#[tokio::test]
async fn links_go_by_mail_to_whom_they_are_for_and_to_nobody_else() {
    let public = [("MIKROCLOUD_PUBLIC_URL", "https://cloud.example.org")];
    let Some((house, mut server)) = house_with_mail(&public).await else { return };
    let added = house.json(&["members", "add", "ann@example.org", "--role", "viewer"]).await;
    assert_eq!(added["signInLink"], Value::Null, "who adds them cannot sign in for them");
    let mail = server.next().await;
    assert_eq!((&mail["to"], &mail["headers"]["subject"]), (&json!(["ann@example.org"]), &json!("Sign in to MikroCloud")));
    let text = mail["parts"]["text/plain"].as_str().unwrap();
    let token = text.split("https://cloud.example.org/auth/link?token=").nth(1).expect(text).trim();
    let (status, _) = house.post("/auth/link", json!({"token": token, "password": PASSWORD})).await;
    assert_eq!(status, 200);
    // To set a password is something that one is told of.
    let told = server.any().await;
    assert_eq!(told["headers"]["subject"], "Your MikroCloud account: the password was changed");
    assert!(told["parts"]["text/plain"].as_str().unwrap().contains("From: 127.0.0.1"), "{told}");

    house.other_team().await;
    let invited = house.json(&["members", "add", "other@example.org", "--role", "viewer"]).await;
    assert!(invited["signInLink"].is_null() && invited["invitation"].is_string(), "{invited}");
    let mail = server.next().await;
    assert_eq!(mail["to"], json!(["other@example.org"]));
    let text = mail["parts"]["text/plain"].as_str().unwrap();
    assert!(text.contains("Owner invites you") && text.contains("https://cloud.example.org/auth/invitation?token="), "{text}");
    let waiting = "SELECT COUNT(*) FROM letters";
    wait_until(PATIENCE, "sent letters are gone", async || house.count(waiting).await == 0).await;
    assert!(!house.whole_log().contains(token));
}
