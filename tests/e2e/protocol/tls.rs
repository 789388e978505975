//! TLS by the server itself, and clients that take their time.

use std::path::Path;

use serde_json::Value;
use testkit::{Certificate, wait_until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::harness::{House, PATIENCE};

/// A client that trusts a certificate and nothing else, with connections of its own.
fn trusting(certificate: &Certificate) -> reqwest::Client {
    let pem = std::fs::read(certificate.file()).unwrap();
    let trusted = reqwest::Certificate::from_pem(&pem).unwrap();
    reqwest::Client::builder().tls_certs_only([trusted]).pool_max_idle_per_host(0).build().unwrap()
}

#[tokio::test]
async fn with_a_certificate_the_server_speaks_tls_only_and_takes_a_renewed_one() {
    let directory = tempfile::tempdir().unwrap();
    let certificate = Certificate::new(directory.path());
    let (file, key) = (certificate.file(), certificate.key());
    let env = [("MIKROCLOUD_TLS_CERTIFICATE", file.to_str().unwrap()), ("MIKROCLOUD_TLS_KEY", key.to_str().unwrap())];
    let house = House::start_with(&env).await;
    let url = format!("https://127.0.0.1:{}", house.port);
    let first = trusting(&certificate);
    let answer = first.get(format!("{url}/healthz")).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, reqwest::Version::HTTP_2));
    let front = first.get(&url).send().await.unwrap();
    assert_eq!(front.headers()["strict-transport-security"], "max-age=31536000");
    assert!(house.http.get(house.url("/healthz")).send().await.is_err(), "nothing is said in the clear");
    let whoami = house.command(&["whoami"]).env("SSL_CERT_FILE", &file).output().await.unwrap();
    assert!(whoami.status.success(), "{whoami:?}");
    assert!(String::from_utf8_lossy(&whoami.stdout).contains(&url), "{whoami:?}");

    // Renewed in place, as clients of certificate authorities do.
    let renewed = Certificate::new(directory.path());
    let second = trusting(&renewed);
    wait_until(PATIENCE, "the renewed certificate", async || second.get(format!("{url}/healthz")).send().await.is_ok()).await;
    // One that is broken takes nothing away.
    std::fs::write(&key, "not a key").unwrap();
    wait_until(PATIENCE, "the warning", async || {
        let answered = second.get(format!("{url}/healthz")).send().await.is_ok();
        assert!(answered, "the certificate of before is shown");
        house.whole_log().contains("the one before is")
    })
    .await;
}

#[tokio::test]
async fn behind_tls_addresses_say_so_and_schedules_reach_what_is_deployed() {
    let directory = tempfile::tempdir().unwrap();
    let certificate = Certificate::new(directory.path());
    let (file, key) = (certificate.file(), certificate.key());
    let house = House::start_with(&[
        ("MIKROCLOUD_TLS_CERTIFICATE", file.to_str().unwrap()),
        ("MIKROCLOUD_TLS_KEY", key.to_str().unwrap()),
        ("SSL_CERT_FILE", file.to_str().unwrap()),
    ])
    .await;
    let cli = async |arguments: &[&str]| -> Value {
        let output = house.command(arguments).arg("--json").env("SSL_CERT_FILE", &file).output().await.unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let deployed = cli(&["deploy", house.site("page", "a page").to_str().unwrap()]).await;
    assert_eq!(deployed["url"], format!("https://page.localhost:{}", house.port), "{deployed}");
    cli(&["schedules", "create", "tick", "* * * * * *", "--path", "/", "-p", "page"]).await;
    wait_until(PATIENCE, "a run that went well", async || {
        let runs = cli(&["schedules", "runs", "tick", "-p", "page"]).await;
        runs.as_array().unwrap().iter().any(|run| run["outcome"] == "GET / answered 200 OK")
    })
    .await;
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_stops_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let certificate = Certificate::new(directory.path());
    let other = tempfile::tempdir().unwrap();
    let others = Certificate::new(other.path());
    let (file, key) = (certificate.file(), certificate.key());
    let house = House::prepare(&[]);
    let missing = directory.path().join("missing.pem");
    for (file, key, problem) in [
        (missing.as_path(), key.as_path(), "missing.pem"),
        (&file, &missing, "missing.pem"),
        (&key, &key, "there is no certificate in it"),
        (&file, &others.key(), "do not belong together"),
    ] {
        let mut command = house.up();
        let command = command.env("MIKROCLOUD_TLS_CERTIFICATE", file).env("MIKROCLOUD_TLS_KEY", key);
        let output = command.output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(problem), "{problem}: {said}");
    }
    let alone = house.up().env("MIKROCLOUD_TLS_CERTIFICATE", Path::new(&file)).output().await.unwrap();
    assert_eq!(alone.status.code(), Some(2), "{alone:?}");
}

#[tokio::test]
async fn whoever_sends_byte_by_byte_is_cut_off_and_others_are_not() {
    let house = House::start_with(&[("MIKROCLOUD_MAX_HEAD_SECONDS", "2")]).await;
    let mut slow = TcpStream::connect(("127.0.0.1", house.port)).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").await.unwrap();
    let mut silent = TcpStream::connect(("127.0.0.1", house.port)).await.unwrap();
    let mut beginning = TcpStream::connect(("127.0.0.1", house.port)).await.unwrap();
    beginning.write_all(b"PRI * HTTP/2").await.unwrap();
    for (what, connection) in [("slow", &mut slow), ("silent", &mut silent), ("beginning", &mut beginning)] {
        let mut heard = Vec::new();
        timeout(PATIENCE, connection.read_to_end(&mut heard)).await.unwrap_or_else(|_| panic!("{what}: not closed")).ok();
        assert!(heard.is_empty() || heard.starts_with(b"HTTP/1.1 408"), "{what}: {}", String::from_utf8_lossy(&heard));
    }
    assert_eq!(house.http.get(house.url("/healthz")).send().await.unwrap().status().as_u16(), 200);
}
