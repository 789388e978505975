//! Roles, grants and service accounts, as people use them.

use domain::access::{Role, RoleRef};
use domain::team::Membership;
use serde_json::{Value, json};
use store::Store;

use super::access::PASSWORD;
use crate::support::client::Ran;
use crate::support::harness::House;

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

#[tokio::test]
async fn names_of_roles_are_plain_and_taken_once() {
    let house = House::start().await;
    let create = async |name: &str| {
        let input = json!({"name": name, "permissions": ["project-read"]});
        let made = house.mutate("createRole", "CreateRoleInput", input, "role { name }").await;
        made["userErrors"][0]["code"].as_str().map(str::to_owned)
    };
    let invalid = Some("INVALID_NAME".to_owned());
    // The second begins with a Cyrillic letter, the third is written in full width.
    let long = "r".repeat(41);
    for name in
        ["", "\u{430}dmin", "\u{ff41}dmin", "rôle", "Admin", "two words", " guest", "guest\n", "1st", "-x", "a_b", long.as_str()]
    {
        assert_eq!(create(name).await, invalid, "{name:?}");
    }
    assert_eq!(create(&long[1..]).await, None, "40 characters");
    assert_eq!(create("guest").await, None);
    let taken = Some("TAKEN".to_owned());
    for name in ["guest", "owner", "admin", "developer", "viewer"] {
        assert_eq!(create(name).await, taken, "{name}");
    }
    let roles = house.json(&["roles"]).await;
    let other = roles.as_array().unwrap().iter().find(|role| role["name"] == long[1..]).unwrap()["id"].clone();
    let renamed = house.mutate("updateRole", "UpdateRoleInput", json!({"roleId": other, "name": "guest"}), "role { name }").await;
    assert_eq!(renamed["userErrors"][0]["code"], "TAKEN", "{renamed}");
}

#[tokio::test]
async fn what_others_read_in_their_terminals_holds_no_control_characters() {
    let house = House::start().await;
    let odd = "Eve\u{1b}[2J";
    let member = json!({"email": "eve@example.org", "name": odd, "role": "VIEWER"});
    let added = house.mutate("addMember", "AddMemberInput", member, "done: signInPath").await;
    assert_eq!(added["userErrors"][0]["code"], "INVALID_NAME", "{added}");
    let account = json!({"name": odd, "role": "VIEWER"});
    let made = house.mutate("createServiceAccount", "CreateServiceAccountInput", account, "member { role }").await;
    assert_eq!(made["userErrors"][0]["code"], "INVALID_NAME", "{made}");
    let made = house.mutate("createApiKey", "CreateApiKeyInput", json!({"name": odd}), "secret").await;
    assert_eq!(made["userErrors"][0]["code"], "INVALID_NAME", "{made}");
}

#[tokio::test]
async fn nobody_takes_away_more_than_they_have() {
    let house = House::start().await;
    let project = house.json(&["projects", "create", "shop"]).await["id"].clone();
    house.json(&["roles", "create", "people", "member-read", "member-write"]).await;
    let nothing = house.json(&["roles", "create", "nothing"]).await[0]["id"].clone();
    let (pat, eve) = (house.colleague("pat", "people").await, house.colleague("eve", "nothing").await);
    let granted = house.json(&["members", "grant", "eve", "developer", "--project", "shop"]).await;
    let query = "mutation($input: GrantRoleInput!) { grantRole(input: $input) { userErrors { code } } }";
    let input = json!({"userId": eve.user, "customRoleId": nothing, "projectId": project});
    let answer = house.graphql_as(&pat.token, query, json!({"input": input})).await;
    assert_eq!(answer["data"]["grantRole"]["userErrors"], json!([{"code": "TOO_WIDE"}]), "in place of the grant: {answer}");
    assert_eq!(house.refused(&pat.token, &["members", "revoke", granted["id"].as_str().unwrap()]).await.0, "TOO_WIDE");
    assert_eq!(house.refused(&pat.token, &["members", "remove", "eve"]).await.0, "TOO_WIDE", "with the grant");
    house.json(&["members", "revoke", granted["id"].as_str().unwrap()]).await;
    assert_eq!(house.cli_as(&pat.token, &["members", "remove", "eve"]).await.exit, 0);
}

#[tokio::test]
async fn who_lost_the_right_in_another_process_gives_nothing_to_others() {
    let house = House::start().await;
    let ann = house.colleague("ann", "admin").await;
    let (team, _) = house.owner().await;
    let store = Store::sqlite(&house.data().join("mikrocloud.db")).await.unwrap();
    let query = "mutation { addMember(input: {email: \"eve@example.org\", role: ADMIN}) { member { role } } }";
    assert_eq!(house.graphql_as(&ann.token, "{ me { role } }", json!({})).await["data"]["me"]["role"], "ADMIN");
    let (team_id, user_id) = (team, ann.user.parse().unwrap());
    let viewer = Membership { team_id, user_id, role: RoleRef::BuiltIn(Role::Viewer) };
    let mut tx = store.begin().await.unwrap();
    tx.membership_put(&viewer).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    // What was looked up for the request before still stands here, for some seconds.
    let answer = house.graphql_as(&ann.token, query, json!({})).await;
    let code = answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
    assert!(["UNAVAILABLE", "FORBIDDEN"].contains(&code), "{answer}");
    let again = house.graphql_as(&ann.token, query, json!({})).await;
    assert_eq!(again["errors"][0]["extensions"]["code"], "FORBIDDEN", "{again}");
    assert_eq!(house.json(&["members"]).await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_key_does_not_outlive_the_key_it_was_made_with() {
    let house = House::start().await;
    let create = async |token: &str, input: Value| {
        let query = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { expiresAt } userErrors { code } } }";
        house.graphql_as(token, query, json!({"input": input})).await["data"]["createApiKey"].take()
    };
    let first = create(&house.token(), json!({"name": "first", "expiresInDays": 1})).await;
    let (secret, ends) = (first["secret"].as_str().unwrap(), &first["apiKey"]["expiresAt"]);
    assert!(ends.is_string(), "{first}");
    for input in [json!({"name": "second"}), json!({"name": "second", "expiresInDays": 3650})] {
        let second = create(secret, input).await;
        assert_eq!(&second["apiKey"]["expiresAt"], ends, "{second}");
    }
    let lasting = create(&house.token(), json!({"name": "lasting"})).await;
    assert_eq!(lasting["apiKey"]["expiresAt"], Value::Null, "{lasting}");
}
