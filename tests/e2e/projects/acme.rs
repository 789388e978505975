//! A certificate that the server gets by itself from an authority.

use chrono::{DateTime, TimeDelta};
use domain::time::now;
use reqwest::tls::TlsInfo;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use testkit::{Pebble, wait_until};

use crate::support::harness::{House, PATIENCE};

/// A server, and the authority it gets its certificate from.
pub struct Secured {
    pub house: House,
    pub pebble: Pebble,
}

fn trusting(pem: &[u8]) -> reqwest::Client {
    let trusted = reqwest::Certificate::from_pem(pem).unwrap();
    reqwest::Client::builder().tls_certs_only([trusted]).tls_info(true).pool_max_idle_per_host(0).build().unwrap()
}

impl Secured {
    /// One that does not run yet, at the port that the authority looks at.
    pub fn prepare(pebble: Pebble) -> Self {
        let roots = pebble.server().file();
        let mut house = House::prepare(&[
            ("MIKROCLOUD_ACME_DOMAINS", "localhost"),
            ("MIKROCLOUD_ACME_EMAIL", "ops@example.org"),
            ("MIKROCLOUD_ACME_DIRECTORY", &pebble.directory()),
            ("MIKROCLOUD_ACME_CA_FILE", roots.to_str().unwrap()),
        ]);
        house.port = pebble.looks_at;
        Self { house, pebble }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.house.port)
    }

    /// A client that trusts what the authority issues since its last start, and nothing else.
    async fn client(&self) -> reqwest::Client {
        trusting(&self.root().await)
    }

    /// The root of what the authority issues since its last start, in PEM.
    pub async fn root(&self) -> Vec<u8> {
        let authority = trusting(&std::fs::read(self.pebble.server().file()).unwrap());
        authority.get(self.pebble.root()).send().await.unwrap().bytes().await.unwrap().to_vec()
    }

    /// The certificate that a client is shown and takes.
    async fn shown(&self, client: &reqwest::Client) -> Option<Vec<u8>> {
        let answer = client.get(format!("{}/healthz", self.url())).send().await.ok()?;
        assert_eq!((answer.status().as_u16(), answer.version()), (200, reqwest::Version::HTTP_2));
        let info = answer.extensions().get::<TlsInfo>().unwrap();
        Some(info.peer_certificate().unwrap().to_vec())
    }

    /// Waits until a client is shown another certificate than this one.
    async fn shows_other(&self, client: &reqwest::Client, before: Option<&Vec<u8>>) -> Vec<u8> {
        let mut shown = None;
        wait_until(PATIENCE, "a certificate", async || {
            shown = self.shown(client).await;
            shown.is_some() && shown.as_ref() != before
        })
        .await;
        shown.unwrap()
    }

    pub async fn database(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.house.data().join("mikrocloud.db")).connect().await.unwrap()
    }

    /// Makes the certificate one that has lived for 80 of its 90 days.
    async fn age(&self) {
        let mut database = self.database().await;
        let query = sqlx::query("UPDATE acme_certificates SET not_before = $1, not_after = $2");
        let query = query.bind(now() - TimeDelta::days(80)).bind(now() + TimeDelta::days(10));
        assert_eq!(query.execute(&mut database).await.unwrap().rows_affected(), 1);
        database.close().await.unwrap();
    }

    /// Ends the pause after a try that failed, as time does.
    pub async fn end_pause(&self) {
        let mut database = self.database().await;
        let query = sqlx::query("UPDATE acme_orders SET leased_until = $1").bind(DateTime::UNIX_EPOCH);
        query.execute(&mut database).await.unwrap();
        database.close().await.unwrap();
    }

    /// Messages of the open alerts.
    pub async fn alerts(&self) -> Vec<String> {
        let mut database = self.database().await;
        let sql = "SELECT message FROM alerts WHERE kind = 'certificate_renewal' AND resolved_at IS NULL";
        let found = sqlx::query_scalar(sql).fetch_all(&mut database).await.unwrap();
        database.close().await.unwrap();
        found
    }

    /// Waits for an alert, without the pauses between tries.
    pub async fn complains(&self) -> String {
        let mut alerts = Vec::new();
        wait_until(PATIENCE, "an alert", async || {
            self.end_pause().await;
            alerts = self.alerts().await;
            !alerts.is_empty()
        })
        .await;
        assert_eq!(alerts.len(), 1, "{alerts:?}");
        alerts.remove(0)
    }
}

#[tokio::test]
async fn an_acme_certificate_is_got_kept_over_restarts_and_renewed_while_it_runs() {
    let Some(pebble) = Pebble::start() else { return };
    let mut secured = Secured::prepare(pebble);
    secured.house.run().await;
    let client = secured.client().await;
    let first = secured.shows_other(&client, None).await;
    let front = client.get(secured.url()).send().await.unwrap();
    assert_eq!(front.headers()["strict-transport-security"], "max-age=31536000");
    assert!(secured.house.http.get(secured.house.url("/healthz")).send().await.is_err(), "nothing is said in the clear");
    let challenges: i64 = {
        let mut database = secured.database().await;
        sqlx::query_scalar("SELECT COUNT(*) FROM acme_challenges").fetch_one(&mut database).await.unwrap()
    };
    assert_eq!(challenges, 0, "what the authority was shown is over");

    assert!(secured.house.terminate().await.success());
    secured.house.run().await;
    assert_eq!(secured.shown(&client).await.as_ref(), Some(&first), "shown from the first moment on");

    secured.age().await;
    let second = secured.shows_other(&client, Some(&first)).await;
    assert_eq!(secured.house.whole_log().matches("a certificate is ordered").count(), 2, "the first one, and the renewed one");
    assert_eq!(secured.alerts().await, [""; 0]);

    // Without the authority it starts, too.
    secured.pebble.kill();
    secured.house.crash_and_restart().await;
    assert_eq!(secured.shown(&client).await, Some(second));
}

#[tokio::test]
async fn an_acme_authority_that_does_not_answer_raises_an_alert_and_the_old_certificate_is_shown() {
    let Some(mut pebble) = Pebble::start() else { return };
    pebble.kill();
    let mut secured = Secured::prepare(pebble);
    secured.house.run().await;
    assert!(secured.house.whole_log().contains("there is no certificate yet"), "{}", secured.house.log_tail());
    let anybody = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
    assert!(anybody.get(secured.url()).send().await.is_err(), "there is nothing to show");
    let complaint = secured.complains().await;
    assert!(complaint.contains("for localhost") && complaint.contains("there is none"), "{complaint}");

    secured.pebble.restart();
    secured.end_pause().await;
    let client = secured.client().await;
    let first = secured.shows_other(&client, None).await;
    assert_eq!(secured.alerts().await, [""; 0], "it is over");

    secured.pebble.kill();
    secured.age().await;
    let complaint = secured.complains().await;
    assert!(complaint.contains("the present one ends at"), "{complaint}");
    assert_eq!(secured.shown(&client).await.as_ref(), Some(&first));

    // An authority that has lost its memory knows no account of ours: a new one is made.
    secured.pebble.restart();
    secured.end_pause().await;
    let renewed = secured.client().await;
    assert_ne!(secured.shows_other(&renewed, None).await, first);
    assert_eq!(secured.alerts().await, [""; 0]);
}

#[tokio::test]
async fn acme_options_that_cannot_be_meant_stop_the_start() {
    let house = House::prepare(&[]);
    let missing = house.scratch("acme").join("missing.pem");
    let empty = house.scratch("acme").join("empty.pem");
    std::fs::write(&empty, "nothing").unwrap();
    let (missing, empty) = (missing.to_str().unwrap(), empty.to_str().unwrap());
    for (options, problem) in [
        (&["--acme-domain", "localhost", "--tls-certificate", missing, "--tls-key", missing][..], "cannot be used with"),
        (&["--acme-domain", "*.example.org"], "wildcard"),
        (&["--acme-domain", "127.0.0.1"], "the address of a machine"),
        (&["--acme-domain", "localhost", "--acme-directory", "http://127.0.0.1/dir"], "letsencrypt.org"),
        (&["--acme-domain", "localhost", "--acme-ca-file", missing], "missing.pem"),
        (&["--acme-domain", "localhost", "--acme-ca-file", empty], "there is no certificate in it"),
    ] {
        let output = house.up().args(options).output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(problem), "{problem}: {said}");
    }
}
