//! Certificates for domains of teams' own, each by the name that a client asks for.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;

use chrono::TimeDelta;
use domain::custom_domain::CustomDomain;
use domain::environment::Environment;
use domain::id::{DomainId, EnvironmentId, ProjectId};
use domain::project::Project;
use domain::time::now;
use reqwest::tls::TlsInfo;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use sqlx::Connection;
use store::Store;
use testkit::{DnsServer, Pebble, wait_until};

use super::acme::Secured;
use crate::support::harness::PATIENCE;

const WWW: &str = "www.example.org";
const SHOP: &str = "shop.example.com";

/// A server whose authority finds any name, with a project that has domains.
struct Served {
    secured: Secured,
    dns: DnsServer,
    store: Store,
    environment: Environment,
}

/// A client that knows where the server is, whatever name is asked for.
fn finding(server: SocketAddr, names: &[&str]) -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder().tls_info(true).pool_max_idle_per_host(0).timeout(Duration::from_secs(10));
    names.iter().fold(builder, |builder, name| builder.resolve(name, server))
}

impl Served {
    async fn start() -> Option<Self> {
        let dns = DnsServer::start()?;
        let mut secured = Secured::prepare(Pebble::start_asking(dns.address())?);
        secured.house.set_env(&[("MIKROCLOUD_DNS_SERVER", &dns.address().to_string())]);
        secured.house.run().await;
        let store = Store::sqlite(&secured.house.data().join("mikrocloud.db")).await.unwrap();
        let environment = environment(&store).await;
        Some(Self { secured, dns, store, environment })
    }

    /// Serves a domain, as it is once its owner was found out.
    async fn serve(&self, name: &str) -> DomainId {
        let Environment { team_id, project_id, id: environment_id, .. } = self.environment;
        let domain = CustomDomain {
            id: DomainId::new(),
            team_id,
            project_id,
            environment_id,
            name: name.parse().unwrap(),
            token: "4f9a".to_owned(),
            problem: None,
            checked_at: Some(now()),
            next_check_at: None,
            verified_at: Some(now()),
            created_by: self.store.owner_get().await.unwrap().unwrap(),
            created_at: now(),
        };
        let mut tx = self.store.begin().await.unwrap();
        tx.domain_insert(&domain).await.unwrap();
        tx.commit().await.unwrap();
        domain.id
    }

    async fn remove(&self, id: DomainId) {
        let mut tx = self.store.begin().await.unwrap();
        assert!(tx.domain_delete(self.environment.team_id, id).await.unwrap());
        tx.commit().await.unwrap();
    }

    fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.secured.house.port).into()
    }

    /// The certificate that a client is shown under a name.
    async fn shown(&self, client: &reqwest::Client, name: &str) -> Option<Vec<u8>> {
        let url = format!("https://{name}:{}/healthz", self.secured.house.port);
        let answer = client.get(url).send().await.ok()?;
        Some(answer.extensions().get::<TlsInfo>().unwrap().peer_certificate().unwrap().to_vec())
    }

    /// Waits until a client that trusts the authority, and nothing but the name it asked for, takes another certificate than this one.
    async fn shows_other(&self, name: &str, before: Option<&Vec<u8>>) -> Vec<u8> {
        let root = reqwest::Certificate::from_pem(&self.secured.root().await).unwrap();
        let client = finding(self.address(), &[name]).tls_certs_only([root]).build().unwrap();
        let mut shown = None;
        wait_until(PATIENCE, &format!("a certificate for {name}"), async || {
            shown = self.shown(&client, name).await;
            shown.is_some() && shown.as_ref() != before
        })
        .await;
        shown.unwrap()
    }

    /// The certificate that anybody is served, whether or not they should take it.
    async fn shown_to_anybody(&self, name: &str) -> Option<Vec<u8>> {
        let client = finding(self.address(), &[name]).tls_danger_accept_invalid_certs(true).build().unwrap();
        self.shown(&client, name).await
    }

    /// The certificate that a client is served which writes the name in its own way.
    async fn shown_by_openssl(&self, name: &str) -> Vec<u8> {
        let mut openssl = tokio::process::Command::new("openssl");
        openssl.args(["s_client", "-connect", &self.address().to_string(), "-servername", name]);
        let output = openssl.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
        CertificateDer::from_pem_slice(&output.stdout).unwrap().to_vec()
    }

    /// Output of a command of somebody who trusts the authority.
    async fn json(&self, arguments: &[&str]) -> Value {
        let root = self.secured.house.scratch("root").join("root.pem");
        std::fs::write(&root, self.secured.root().await).unwrap();
        let command = self.secured.house.command(arguments).arg("--json").env("SSL_CERT_FILE", root).output();
        let output = command.await.unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Problem of the last attempt to get a domain's certificate.
    async fn problem(&self, name: &str) -> Option<String> {
        let directory = self.secured.pebble.directory();
        let served = self.store.acme_domain_list(&directory).await.unwrap();
        served.into_iter().find(|domain| domain.name.as_str() == name).unwrap().problem
    }

    /// Makes the certificate of one domain one that has lived for 80 of its 90 days.
    async fn age(&self, name: &str) {
        let mut database = self.secured.database().await;
        let query = sqlx::query("UPDATE acme_certificates SET not_before = $1, not_after = $2 WHERE domains = $3");
        let query = query.bind(now() - TimeDelta::days(80)).bind(now() + TimeDelta::days(10)).bind(name);
        assert_eq!(query.execute(&mut database).await.unwrap().rows_affected(), 1);
        database.close().await.unwrap();
    }
}

async fn environment(store: &Store) -> Environment {
    let mut tx = store.begin().await.unwrap();
    let owner = store.owner_get().await.unwrap().unwrap();
    let project = Project {
        id: ProjectId::new(),
        team_id: tx.team_list_of(owner).await.unwrap()[0],
        name: "shop".parse().unwrap(),
        repository: None,
        reference: None,
        created_at: now(),
        updated_at: now(),
        deleting_at: None,
    };
    let environment = Environment {
        id: EnvironmentId::new(),
        team_id: project.team_id,
        project_id: project.id,
        name: "production".parse().unwrap(),
        live_deployment_id: None,
        config_version: 0,
        protected: false,
        created_at: now(),
        deleting_at: None,
    };
    tx.project_insert(&project).await.unwrap();
    tx.environment_insert(&environment).await.unwrap();
    tx.commit().await.unwrap();
    environment
}

#[tokio::test]
async fn a_domain_is_shown_with_a_certificate_of_its_own_which_is_kept_renewed_and_forgotten_with_it() {
    let Some(mut served) = Served::start().await else { return };
    served.serve(WWW).await;
    let shop = served.serve(SHOP).await;
    let own = served.shows_other("localhost", None).await;
    let (www, first) = (served.shows_other(WWW, None).await, served.shows_other(SHOP, None).await);
    assert!(own != www && own != first && www != first);
    assert_eq!(served.shown_by_openssl("WWW.Example.ORG").await, www);
    assert_eq!(served.shown_to_anybody("stranger.example.org").await.as_ref(), Some(&own));
    assert_eq!(served.problem(WWW).await, None);

    served.remove(shop).await;
    wait_until(PATIENCE, "the removed domain", async || served.shown_to_anybody(SHOP).await.as_ref() == Some(&own)).await;

    assert!(served.secured.house.terminate().await.success());
    served.secured.house.run().await;
    assert_eq!(served.shown_to_anybody(WWW).await.as_ref(), Some(&www), "shown from the first moment on");

    served.age(WWW).await;
    served.shows_other(WWW, Some(&www)).await;
    assert_eq!(served.shown_to_anybody("localhost").await.as_ref(), Some(&own), "it is not renewed");
    let orders = served.secured.house.whole_log().matches("a certificate is ordered").count();
    assert_eq!(orders, 4, "one for each name, and the renewed one");
    assert_eq!(served.secured.alerts().await, [""; 0]);
}

#[tokio::test]
async fn a_domain_without_a_certificate_is_refused_tells_why_and_holds_up_nobody() {
    let Some(served) = Served::start().await else { return };
    let broken = "broken.example.org";
    served.dns.fail(broken);
    let id = served.serve(broken).await;
    wait_until(PATIENCE, "the problem", async || served.problem(broken).await.is_some()).await;
    let problem = served.problem(broken).await.unwrap();
    assert!(problem.contains(broken) && problem.contains("port 443"), "{problem}");
    assert_eq!(served.shown_to_anybody(broken).await, None, "there is nothing to show");

    served.serve(WWW).await;
    let (own, www) = (served.shows_other("localhost", None).await, served.shows_other(WWW, None).await);
    let complaint = served.secured.complains().await;
    assert!(complaint.contains("a certificate for broken.example.org failed"), "{complaint}");
    let alerts = served.store.alert_list(served.environment.team_id, false, None, 10).await.unwrap().items;
    assert_eq!(alerts.iter().map(|alert| alert.subject.as_str()).collect::<Vec<_>>(), [broken], "the team's");
    assert_eq!(served.shown_to_anybody("localhost").await, Some(own));
    assert_eq!(served.shown_to_anybody(WWW).await, Some(www));

    // Once it leads here, all is well.
    served.dns.recover(broken);
    served.secured.end_pause().await;
    served.shows_other(broken, None).await;
    assert_eq!((served.problem(broken).await, served.secured.alerts().await), (None, vec![]));

    // So it is when it is removed.
    served.dns.fail(broken);
    served.age(broken).await;
    let complaint = served.secured.complains().await;
    assert!(complaint.contains("the present one ends at"), "{complaint}");
    served.remove(id).await;
    wait_until(PATIENCE, "the end of the alert", async || served.secured.alerts().await.is_empty()).await;
}

#[tokio::test]
async fn who_adds_a_domain_and_shows_that_it_is_theirs_sees_their_site_over_tls() {
    let Some(served) = Served::start().await else { return };
    served.shows_other("localhost", None).await;
    let site = served.secured.house.site("page", "over TLS");
    served.json(&["deploy", site.to_str().unwrap()]).await;
    let added = served.json(&["domains", "add", WWW, "-p", "page"]).await;
    assert_eq!(added["certificate"]["state"], "WAITING", "{added}");
    let record = |field: &str| added["records"][0][field].as_str().unwrap().to_owned();
    served.dns.set_txt(&record("name"), &record("value"));
    let verified = served.json(&["domains", "verify", WWW, "-p", "page"]).await;
    served.shows_other(WWW, None).await;
    let root = reqwest::Certificate::from_pem(&served.secured.root().await).unwrap();
    let client = finding(served.address(), &[WWW]).tls_certs_only([root]).build().unwrap();
    wait_until(PATIENCE, "the site", async || {
        let answer = client.get(verified["url"].as_str().unwrap()).send().await.unwrap();
        answer.text().await.unwrap() == "over TLS"
    })
    .await;
    let shown = served.json(&["domains", "show", WWW, "-p", "page"]).await;
    assert_eq!((&shown["certificate"]["state"], &shown["certificate"]["problem"]), (&json!("ISSUED"), &Value::Null), "{shown}");
}
