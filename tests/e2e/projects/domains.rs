//! Domains of a team's own, against a DNS server that nobody here wrote.

use std::net::Ipv4Addr;

use chrono::{DateTime, TimeDelta, Utc};
use domain::time::now;
use reqwest::header::{ETAG, HOST, IF_MATCH};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use testkit::{DnsServer, wait_until};

use crate::support::harness::{House, PATIENCE};

/// A house that asks this DNS server, and what else its environment says.
async fn house(dns: &DnsServer, env: &[(&str, &str)]) -> House {
    let address = dns.address().to_string();
    House::start_with(&[&[("MIKROCLOUD_DNS_SERVER", address.as_str())], env].concat()).await
}

impl House {
    /// The page that a visitor of a host sees.
    async fn host(&self, host: &str) -> String {
        let request = self.http.get(self.url("/")).header(HOST, host);
        request.send().await.unwrap().text().await.unwrap()
    }

    /// Waits until visitors of a host see something.
    async fn host_shows(&self, host: &str, text: &str) {
        wait_until(PATIENCE, &format!("`{text}` at {host}"), async || self.host(host).await == text).await;
    }

    async fn add_domain(&self, name: &str, options: &[&str]) -> Value {
        self.json(&[&["domains", "add", name, "-p", "page"], options].concat()).await
    }

    async fn domain(&self, name: &str) -> Value {
        self.json(&["domains", "show", name, "-p", "page"]).await
    }

    /// Looks at the DNS and returns the problem that it found.
    async fn not_verified(&self, name: &str) -> String {
        let ran = self.cli(&["domains", "verify", name, "-p", "page", "--json"]).await;
        let (code, message) = ran.error();
        assert_eq!((ran.exit, code.as_str()), (1, "NOT_VERIFIED"), "{ran:?}");
        message
    }

    /// Makes it time for the next look at each domain, as time does.
    async fn next_look(&self) {
        let database = SqliteConnectOptions::new().filename(self.data().join("mikrocloud.db"));
        let mut database = database.connect().await.unwrap();
        let due = sqlx::query("UPDATE domains SET next_check_at = $1 WHERE next_check_at IS NOT NULL").bind(DateTime::UNIX_EPOCH);
        due.execute(&mut database).await.unwrap();
        database.close().await.unwrap();
    }

    async fn add_as(&self, token: &str, project: &Value, name: &str) -> Value {
        let query = "mutation($input: AddDomainInput!) { addDomain(input: $input) { domain { id records { name value } }
            userErrors { field code message } } }";
        let answer = self.graphql_as(token, query, json!({"input": {"projectId": project, "name": name}})).await;
        answer["data"]["addDomain"].clone()
    }
}

/// Name and value of the record that the owner of a domain is to publish.
fn proof(domain: &Value) -> (String, String) {
    let record = &domain["records"][0];
    (record["name"].as_str().unwrap().to_owned(), record["value"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_domain_is_served_once_the_dns_shows_that_it_is_the_teams() {
    let Some(dns) = DnsServer::start() else { return };
    let mut house = house(&dns, &[]).await;
    house.json(&["projects", "create", "page"]).await;
    assert_eq!(house.json(&["domains", "-p", "page"]).await, json!([]));
    let added = house.add_domain("WWW.Example.org.", &[]).await;
    assert_eq!(
        (&added["name"], &added["state"], &added["environment"]),
        (&json!("www.example.org"), &json!("PENDING"), &json!("production"))
    );
    assert_eq!(added["url"], format!("http://www.example.org:{}", house.port));
    let (name, value) = proof(&added);
    assert_eq!(name, "_mikrocloud.www.example.org");
    assert_eq!(added["records"].as_array().unwrap().len(), 1, "nobody else knows `localhost`");

    house.deploy(house.site("page", "the first"), &[]).await;
    assert_ne!(house.host("www.example.org").await, "the first", "not before it is known to be the team's");
    let problem = house.not_verified("www.example.org").await;
    assert!(problem.contains("`_mikrocloud.www.example.org` is not there yet") && problem.contains(&value), "{problem}");
    dns.set_txt(&name, "mikrocloud-verification=another");
    let problem = house.not_verified("www.example.org").await;
    assert!(problem.contains("says `mikrocloud-verification=another`"), "{problem}");
    dns.set_txt(&name, &value);
    let verified = house.json(&["domains", "verify", "www.example.org", "-p", "page"]).await;
    assert_eq!((&verified["state"], &verified["problem"]), (&json!("VERIFIED"), &Value::Null), "{verified}");
    house.host_shows("www.example.org", "the first").await;

    house.deploy(house.site("page", "the second"), &[]).await;
    for host in ["www.example.org", "WWW.EXAMPLE.ORG:8080", "www.example.org."] {
        assert_eq!(house.host(host).await, "the second", "{host}");
    }
    for host in ["example.org", "x.www.example.org", "page"] {
        assert_ne!(house.host(host).await, "the second", "{host}");
    }
    house.crash_and_restart().await;
    assert_eq!(house.host("www.example.org").await, "the second", "also after a crash");

    house.deploy(house.site("page", "on its way"), &["--environment", "staging"]).await;
    let moved = house.json(&["domains", "update", "www.example.org", "--environment", "staging", "-p", "page"]).await;
    assert_eq!((&moved["environment"], &moved["state"]), (&json!("staging"), &json!("VERIFIED")));
    house.host_shows("www.example.org", "on its way").await;
    house.json(&["projects", "create", "empty"]).await;
    let (name, value) = proof(&house.json(&["domains", "add", "empty.example", "-p", "empty"]).await);
    dns.set_txt(&name, &value);
    house.json(&["domains", "verify", "empty.example", "-p", "empty"]).await;
    // Nobody is shown the API under a name that a team was given.
    wait_until(PATIENCE, "a page for a domain that shows nothing", async || {
        house.host("empty.example").await.contains("nothing is deployed as `empty.example`")
    })
    .await;
    let listed = house.cli(&["domains", "-p", "page"]).await.stdout;
    assert!(listed.contains("www.example.org  staging") && listed.contains("verified"), "{listed}");

    assert_eq!(house.json(&["domains", "remove", "www.example.org", "-p", "page"]).await, json!({"removed": "www.example.org"}));
    wait_until(PATIENCE, "the end of the domain", async || house.host("www.example.org").await != "on its way").await;
    assert_eq!(house.json(&["domains", "-p", "page"]).await, json!([]));
}

#[tokio::test]
async fn the_dns_is_looked_at_by_itself_and_its_failures_take_nothing_away() {
    let Some(dns) = DnsServer::start() else { return };
    let house = house(&dns, &[("MIKROCLOUD_BASE_DOMAIN", "apps.example.net")]).await;
    house.json(&["projects", "create", "page"]).await;
    let added = house.add_domain("b\u{fc}cher.example", &[]).await;
    assert_eq!((&added["name"], &added["unicodeName"]), (&json!("xn--bcher-kva.example"), &json!("b\u{fc}cher.example")));
    let leads = json!({"type": "CNAME", "name": "xn--bcher-kva.example", "value": "page.apps.example.net"});
    assert_eq!(added["records"][1], leads);
    let (name, value) = proof(&added);
    dns.fail(&name);
    let problem = house.not_verified("b\u{fc}cher.example").await;
    assert!(problem.contains("the DNS did not answer"), "{problem}");
    let waiting = house.domain("xn--bcher-kva.example").await;
    let next: DateTime<Utc> = waiting["nextCheckAt"].as_str().unwrap().parse().unwrap();
    assert!((now()..now() + TimeDelta::minutes(1)).contains(&next), "{waiting}");

    let added = house.add_domain("shop.example", &[]).await;
    let (name, value) = (proof(&added).0, format!("{value} ").replace(&value, &proof(&added).1));
    dns.set_txt(&name, &value);
    dns.set_addresses("shop.example", &[Ipv4Addr::new(192, 0, 2, 1)]);
    dns.set_addresses("page.apps.example.net", &[Ipv4Addr::new(192, 0, 2, 7)]);
    wait_until(PATIENCE, "a look", async || {
        house.next_look().await;
        house.domain("shop.example").await["state"] == "VERIFIED"
    })
    .await;
    let problem = house.domain("shop.example").await["problem"].as_str().unwrap().to_owned();
    assert!(problem.contains("it leads to 192.0.2.1, and `page.apps.example.net` to 192.0.2.7"), "{problem}");
    house.deploy(house.site("page", "the page"), &[]).await;
    house.host_shows("shop.example", "the page").await;

    // Who cannot ask the DNS does not take away what it said before.
    dns.clear_txt(&name);
    dns.fail("shop.example");
    wait_until(PATIENCE, "another look", async || {
        house.next_look().await;
        house.domain("shop.example").await["problem"].as_str().is_some_and(|problem| problem.contains("is not known"))
    })
    .await;
    assert_eq!(house.domain("shop.example").await["state"], "VERIFIED");
    assert_eq!(house.host("shop.example").await, "the page");
}

#[tokio::test]
async fn a_domain_goes_to_the_team_that_shows_that_it_is_theirs_and_not_while_another_does() {
    let Some(dns) = DnsServer::start() else { return };
    let house = house(&dns, &[]).await;
    house.deploy(house.site("page", "ours"), &[]).await;
    let ours = house.add_domain("shop.example", &[]).await;
    let (name, our_proof) = proof(&ours);
    dns.set_txt(&name, &our_proof);
    house.json(&["domains", "verify", "shop.example", "-p", "page"]).await;
    house.host_shows("shop.example", "ours").await;

    let others = house.other_team().await;
    let made = "mutation { createProject(input: {name: \"theirs\"}) { project { id } } }";
    let project = house.graphql_as(&others, made, json!({})).await["data"]["createProject"]["project"]["id"].clone();
    let theirs = house.add_as(&others, &project, "shop.example").await["domain"].clone();
    let (_, their_proof) = proof(&theirs);
    assert_ne!(our_proof, their_proof);
    let look = async |expected: &str, what: &str| {
        wait_until(PATIENCE, what, async || {
            house.next_look().await;
            let query = "query($id: ID!) { domain(id: $id) { state problem } }";
            let answer = house.graphql_as(&others, query, json!({"id": theirs["id"]})).await;
            answer["data"]["domain"].to_string().contains(expected)
        })
        .await;
    };
    look("make one with the value", "no proof of theirs").await;
    dns.set_txt(&name, &their_proof);
    look("another team of this installation shows that it is theirs, too", "both show it").await;
    assert_eq!(house.host("shop.example").await, "ours");

    dns.clear_txt(&name);
    dns.set_txt(&name, &their_proof);
    look("VERIFIED", "it is theirs").await;
    wait_until(PATIENCE, "the end of ours", async || house.host("shop.example").await != "ours").await;
    let lost = house.domain("shop.example").await;
    assert_eq!((&lost["state"], &lost["nextCheckAt"]), (&json!("PENDING"), &Value::Null), "{lost}");
    assert!(lost["problem"].as_str().unwrap().contains("another team shows in the DNS"), "{lost}");
    let alerts = house.graphql("{ alerts { nodes { kind subject } } }", json!({})).await;
    assert_eq!(alerts["alerts"]["nodes"], json!([{"kind": "domain_lost", "subject": "shop.example"}]));
    let entries = house.audit(json!({"action": "domain.lose"}), 5).await;
    assert_eq!(entries.len(), 1, "{entries:?}");

    // And back.
    dns.clear_txt(&name);
    dns.set_txt(&name, &our_proof);
    house.json(&["domains", "verify", "shop.example", "-p", "page"]).await;
    house.host_shows("shop.example", "ours").await;
}

#[tokio::test]
async fn what_can_be_no_domain_is_refused_with_a_reason() {
    let Some(dns) = DnsServer::start() else { return };
    let house =
        house(&dns, &[("MIKROCLOUD_BASE_DOMAIN", "apps.example.net"), ("MIKROCLOUD_PUBLIC_URL", "https://cloud.example.net")])
            .await;
    house.json(&["projects", "create", "page"]).await;
    house.add_domain("www.example.org", &[]).await;
    let long = format!("{}.example", "a".repeat(64));
    for (name, code, reason) in [
        ("", "INVALID_NAME", "is empty"),
        ("intranet", "INVALID_NAME", "without a dot"),
        ("https://example.org/", "INVALID_NAME", "the name alone"),
        ("*.example.org", "INVALID_NAME", "wildcard"),
        ("192.0.2.1", "INVALID_NAME", "address of a machine"),
        ("$(id).example.org", "INVALID_NAME", "no host name"),
        (&long, "INVALID_NAME", "too long"),
        ("shop.apps.example.net", "INVALID_NAME", "belong to environments"),
        ("apps.example.net", "INVALID_NAME", "belong to environments"),
        ("Cloud.Example.Net", "INVALID_NAME", "installation itself"),
        ("www.example.org", "TAKEN", "has `www.example.org` already"),
    ] {
        let ran = house.cli(&["domains", "add", name, "-p", "page", "--json"]).await;
        let (found, message) = ran.error();
        assert_eq!(found, code, "{name}: {message}");
        assert!(message.contains(reason), "{name}: {message}");
    }
    let ran = house.cli(&["domains", "add", "a.example", "-p", "page", "-e", "nowhere", "--json"]).await;
    assert_eq!(ran.error().0, "NOT_FOUND");
    for command in ["show", "verify", "remove"] {
        let ran = house.cli(&["domains", command, "nothing.example", "-p", "page", "--json"]).await;
        assert!(ran.error().1.contains("`mikrocloud domains` lists them"), "{ran:?}");
    }

    let project = house.graphql("{ project(slug: \"page\") { id } }", json!({})).await["project"]["id"].clone();
    let token = house.token();
    for number in 2..=100 {
        let added = house.add_as(&token, &project, &format!("n{number}.example")).await;
        assert_eq!(added["userErrors"], json!([]), "{number}");
    }
    let refused = house.add_as(&token, &project, "n101.example").await;
    assert_eq!(refused["userErrors"][0]["code"], "TOO_MANY", "{refused}");
}

#[tokio::test]
async fn domains_go_with_their_environment_and_with_their_project() {
    let Some(dns) = DnsServer::start() else { return };
    let house = house(&dns, &[]).await;
    house.deploy(house.site("page", "staged"), &["--environment", "staging"]).await;
    let (name, value) = proof(&house.add_domain("shop.example", &["-e", "staging"]).await);
    dns.set_txt(&name, &value);
    house.json(&["domains", "verify", "shop.example", "-p", "page"]).await;
    house.host_shows("shop.example", "staged").await;
    house.json(&["environments", "delete", "staging", "-p", "page"]).await;
    wait_until(PATIENCE, "the end of the domain", async || house.json(&["domains", "-p", "page"]).await == json!([])).await;
    assert_ne!(house.host("shop.example").await, "staged");

    house.add_domain("shop.example", &[]).await;
    house.json(&["projects", "delete", "page", "--yes"]).await;
    let others = house.other_team().await;
    wait_until(PATIENCE, "the end of the project", async || {
        let answer = house.graphql("{ project(slug: \"page\") { id } }", json!({})).await;
        answer["project"].is_null()
    })
    .await;
    let made = "mutation { createProject(input: {name: \"theirs\"}) { project { id } } }";
    let project = house.graphql_as(&others, made, json!({})).await["data"]["createProject"]["project"]["id"].clone();
    assert_eq!(house.add_as(&others, &project, "shop.example").await["userErrors"], json!([]), "the name is free");
}

#[tokio::test]
async fn domains_over_rest() {
    let Some(dns) = DnsServer::start() else { return };
    let house = house(&dns, &[]).await;
    house.json(&["projects", "create", "page"]).await;
    let project = house.graphql("{ project(slug: \"page\") { id } }", json!({})).await["project"]["id"].clone();
    let (token, url) = (house.token(), house.url("/api/v1/domains"));
    let body = json!({"projectId": project, "name": "shop.example"});
    let add = async || {
        let request = house.http.post(&url).bearer_auth(&token).header("idempotency-key", "once").json(&body);
        request.send().await.unwrap()
    };
    let added = add().await;
    let location = added.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(added.status(), 201);
    let added: Value = added.json().await.unwrap();
    assert_eq!(location, format!("/api/v1/domains/{}", added["id"].as_str().unwrap()));
    let again = add().await;
    assert_eq!((again.status().as_u16(), again.headers()["idempotency-replayed"].to_str().unwrap()), (201, "true"));
    assert_eq!(again.json::<Value>().await.unwrap()["id"], added["id"]);
    let list = house.http.get(format!("{url}?projectId={}", project.as_str().unwrap())).bearer_auth(&token);
    let list: Value = list.send().await.unwrap().json().await.unwrap();
    assert_eq!(list["nodes"].as_array().unwrap().len(), 1, "{list}");

    let (name, value) = proof(&added);
    dns.set_txt(&name, &value);
    let one = house.url(&location);
    let looking = house.http.post(format!("{one}/verify")).bearer_auth(&token).send().await.unwrap();
    assert_eq!(looking.status(), 202);
    let get = async || house.http.get(&one).bearer_auth(&token).send().await.unwrap();
    wait_until(PATIENCE, "the proof", async || get().await.json::<Value>().await.unwrap()["state"] == "VERIFIED").await;
    let (shown, stale) = (get().await, added);
    let tag = shown.headers()[ETAG].clone();
    assert!(shown.json::<Value>().await.unwrap()["verifiedAt"].as_str() > stale["verifiedAt"].as_str());
    let nowhere = house.http.patch(&one).bearer_auth(&token).json(&json!({"environment": "nowhere"}));
    assert_eq!(nowhere.send().await.unwrap().status(), 404);
    let unchanged: Value =
        house.http.patch(&one).bearer_auth(&token).json(&json!({})).send().await.unwrap().json().await.unwrap();
    assert_eq!(unchanged["environment"], "production");
    let remove =
        async |tag: &str| house.http.delete(&one).bearer_auth(&token).header(IF_MATCH, tag).send().await.unwrap().status();
    assert_eq!(remove("\"other\"").await, 412);
    assert_eq!(remove(tag.to_str().unwrap()).await, 204);
    assert_eq!(get().await.status(), 404);
}
