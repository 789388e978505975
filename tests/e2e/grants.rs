//! Roles, grants and service accounts, as people use them.

use serde_json::{Value, json};

use crate::access::PASSWORD;
use crate::client::Ran;
use crate::harness::House;

/// A member who works with the command line.
pub struct Colleague {
    /// Access token.
    pub token: String,
    /// Their id.
    pub user: String,
}

impl House {
    /// Adds somebody with a role of the team, and signs them in.
    pub async fn colleague(&self, name: &str, role: &str) -> Colleague {
        let added = self.json(&["members", "add", &format!("{name}@example.org"), "--name", name, "--role", role]).await;
        let link = added["signInLink"].as_str().unwrap();
        let (status, tokens) = self.post("/auth/link", json!({"token": link.split("token=").nth(1), "password": PASSWORD})).await;
        assert_eq!(status, 200, "{tokens}");
        let user = added["member"]["user"]["id"].as_str().unwrap().to_owned();
        Colleague { token: tokens["access_token"].as_str().unwrap().to_owned(), user }
    }

    /// Runs a command as somebody else.
    pub async fn cli_as(&self, token: &str, arguments: &[&str]) -> Ran {
        let mut command = self.command(&[arguments, &["--json"]].concat());
        command.env("MIKROCLOUD_URL", self.url("")).env("MIKROCLOUD_TOKEN", token);
        command.output().await.unwrap().into()
    }

    async fn refused(&self, token: &str, arguments: &[&str]) -> (String, String) {
        self.cli_as(token, arguments).await.error()
    }
}

#[tokio::test]
async fn who_may_deploy_to_preview_does_not_deploy_to_production() {
    let house = House::start().await;
    let site = house.site("page", "a page");
    house.deploy(&site, &[]).await;
    let bob = house.colleague("bob", "viewer").await;
    let deploy = ["deploy", site.to_str().unwrap(), "--project", "page", "-e", "preview"];
    assert_eq!(house.refused(&bob.token, &deploy).await.0, "FORBIDDEN");
    let granted = house.json(&["members", "grant", "bob", "developer", "--project", "page", "-e", "preview"]).await;
    assert!(granted["id"].as_str().unwrap().starts_with("grant_"), "{granted}");

    let ran = house.cli_as(&bob.token, &deploy).await;
    assert_eq!((ran.exit, &ran.json()["status"]), (0, &json!("live")), "{ran:?}");
    let deployed = ran.json()["deployment"].as_str().unwrap().to_owned();
    for refused in [
        &["deploy", site.to_str().unwrap(), "--project", "page"][..],
        &["promote", &deployed],
        &["rollback", "--project", "page"],
        &["env", "set", "--project", "page", "A=b"],
        &["projects", "create", "another"],
        &["projects", "delete", "page", "--yes"],
    ] {
        let (code, message) = house.refused(&bob.token, refused).await;
        assert_eq!(code, "FORBIDDEN", "{refused:?}: {message}");
    }
    assert_eq!(house.cli_as(&bob.token, &["env", "set", "--project", "page", "-e", "preview", "A=b"]).await.exit, 0);
    house.json(&["members", "revoke", granted["id"].as_str().unwrap()]).await;
    assert_eq!(house.refused(&bob.token, &deploy).await.0, "FORBIDDEN", "from the next request on");
}

#[tokio::test]
async fn who_has_a_grant_on_one_project_sees_no_other() {
    let house = House::start().await;
    for name in ["shop", "blog"] {
        house.json(&["projects", "create", name]).await;
    }
    house.json(&["roles", "create", "guest"]).await;
    let eve = house.colleague("eve", "guest").await;
    assert_eq!(house.refused(&eve.token, &["projects"]).await.0, "FORBIDDEN", "nothing is granted yet");
    house.json(&["members", "grant", "eve", "viewer", "--project", "shop"]).await;
    let seen = house.cli_as(&eve.token, &["projects"]).await.json();
    assert_eq!((&seen["totalCount"], &seen["nodes"][0]["slug"]), (&json!(1), &json!("shop")), "{seen}");
    assert_eq!(house.cli_as(&eve.token, &["projects", "show", "blog"]).await.error().0, "NOT_FOUND");
    let shown = house.cli_as(&eve.token, &["projects", "show", "shop"]).await.json();
    assert_eq!((&shown["slug"], &shown["environments"][0]["variables"]), (&json!("shop"), &json!(null)), "{shown}");
    assert_eq!(house.refused(&eve.token, &["jobs"]).await.0, "FORBIDDEN");
    assert_eq!(house.refused(&eve.token, &["members"]).await.0, "FORBIDDEN");
}

#[tokio::test]
async fn nobody_gives_more_than_they_have() {
    let house = House::start().await;
    let project = house.json(&["projects", "create", "shop"]).await["id"].clone();
    let roles = house.json(&["roles", "create", "people", "member-read", "member-write", "api-key-write"]).await;
    assert_eq!(roles[0]["permissions"], json!(["member-read", "member-write", "api-key-write"]), "{roles}");
    let (pat, bob) = (house.colleague("pat", "people").await, house.colleague("bob", "admin").await);
    for refused in [
        &["roles", "create", "deployers", "deployment-write"][..],
        &["members", "add", "x@example.org", "--role", "viewer"],
        &["members", "add-service-account", "ci", "--role", "admin"],
        &["members", "set-role", "pat", "admin"],
        &["members", "set-role", "bob", "people"],
        &["members", "remove", "bob"],
        &["keys", "create", "wide", "--scope", "deployment-write"],
    ] {
        let (code, message) = house.refused(&pat.token, refused).await;
        assert!(["TOO_WIDE", "SCOPE_TOO_WIDE"].contains(&code.as_str()), "{refused:?}: {code} {message}");
        assert!(message.contains("you lack"), "{message}");
    }
    let query = "mutation($input: GrantRoleInput!) { grantRole(input: $input) { userErrors { code } } }";
    let input = json!({"userId": pat.user, "role": "ADMIN", "projectId": project});
    let answer = house.graphql_as(&pat.token, query, json!({"input": input})).await;
    assert_eq!(answer["data"]["grantRole"]["userErrors"], json!([{"code": "TOO_WIDE"}]), "{answer}");
    assert_eq!(house.cli_as(&pat.token, &["roles", "create", "hosts", "member-read"]).await.exit, 0);
    assert_eq!(house.refused(&bob.token, &["members", "set-role", "bob", "owner"]).await.0, "OWNERS_ONLY");
    assert_eq!(house.cli(&["roles", "delete", "people", "--json"]).await.error().0, "IN_USE");
    assert_eq!(house.cli(&["roles", "create", "admin", "--json"]).await.error().0, "TAKEN");
    assert_eq!(house.cli(&["roles", "create", "odd", "planet-destroy", "--json"]).await.error().0, "UNKNOWN_PERMISSION");
}

#[tokio::test]
async fn a_key_and_a_service_account_shrink_with_who_made_them() {
    let house = House::start().await;
    house.json(&["projects", "create", "shop"]).await;
    let ann = house.colleague("ann", "admin").await;
    let own = house.cli_as(&ann.token, &["keys", "create", "own"]).await.json()["secret"].as_str().unwrap().to_owned();
    let account = house.cli_as(&ann.token, &["members", "add-service-account", "ci", "--role", "developer"]).await.json();
    assert_eq!(account["createdBy"], json!(ann.user), "{account}");
    let id = account["user"]["id"].as_str().unwrap();
    let made = house.cli_as(&ann.token, &["keys", "create", "ci", "--service-account", id]).await;
    let key = made.json()["secret"].as_str().unwrap().to_owned();
    assert_eq!(house.cli(&["keys", "create", "x", "--service-account", id, "--json"]).await.error().0, "UNKNOWN_SERVICE_ACCOUNT");

    let may = async |token: &str| -> Vec<String> {
        let me = house.graphql_as(token, "{ me { permissions } }", json!({})).await;
        serde_json::from_value(me["data"]["me"]["permissions"].clone()).unwrap_or_else(|error| panic!("{error}: {me}"))
    };
    assert!(may(&key).await.contains(&"deployment-write".to_owned()));
    assert!(!may(&key).await.contains(&"member-write".to_owned()), "no more than its own role");
    house.json(&["members", "set-role", "ann", "viewer"]).await;
    for token in [&own, &key] {
        assert_eq!(may(token).await, ["project-read", "member-read"]);
        let query = "mutation { createProject(input: {name: \"new\"}) { userErrors { code } } }";
        let answer = house.graphql_as(token, query, json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    }
    house.json(&["members", "remove", "ann"]).await;
    for token in [&own, &key] {
        let answer: Value = house.graphql_as(token, "{ me { permissions } }", json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
    }
    let sign_in = json!({"email": account["user"]["email"], "password": PASSWORD});
    assert_eq!(house.post("/auth/sign-in", sign_in).await.0, 401, "a service account does not sign in");
}
