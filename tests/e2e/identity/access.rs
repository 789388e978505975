//! Permissions over HTTP.

use domain::access::{Permissions, Role, RoleRef};
use domain::id::{ApiKeyId, TeamId, UserId};
use domain::team::{Membership, Team, User};
use domain::time::{Timestamp, now};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::{Connection, SqliteConnection};
use store::{NewApiKey, Store};
use testkit::wait_until;

use crate::support::harness::House;

pub const PASSWORD: &str = "correct horse battery staple";

impl House {
    /// The status and body of a POST of JSON.
    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let response = self.http.post(self.url(path)).json(&body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    pub fn link_token(&self) -> String {
        self.sign_in_link.as_ref().unwrap().split("token=").nth(1).unwrap().to_owned()
    }

    /// Adds a member and signs them in; their access token.
    pub async fn member(&self, role: &str) -> String {
        let email = format!("{}@example.org", role.to_lowercase());
        let added = self.mutate("addMember", "AddMemberInput", json!({"email": email, "role": role}), "signInPath").await;
        let path = added["signInPath"].as_str().unwrap();
        let (status, tokens) = self.post("/auth/link", json!({"token": path.split("token=").nth(1), "password": PASSWORD})).await;
        assert_eq!(status, 200, "{tokens}");
        tokens["access_token"].as_str().unwrap().to_owned()
    }

    /// Makes a key in the database as the server would, for what its API has no operation for.
    pub async fn key(&self, team: TeamId, user: UserId, expires_at: Option<Timestamp>) -> String {
        let secret = format!("mck_{}", ApiKeyId::new());
        let hash = hex::encode(Sha256::digest(secret.as_bytes()));
        let store = Store::sqlite(&self.data().join("mikrocloud.db")).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let id = ApiKeyId::new();
        let key = NewApiKey {
            id,
            team_id: team,
            user_id: user,
            name: "test",
            prefix: "mck_",
            hash: &hash,
            scopes: Permissions::ALL,
            expires_at,
        };
        tx.api_key_insert(&key).await.unwrap();
        tx.commit().await.unwrap();
        store.close().await;
        secret
    }

    /// Changes rows as the passing of time would.
    pub async fn sql(&self, sql: &'static str) {
        let file = self.data().join("mikrocloud.db");
        let mut connection = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
        sqlx::query("PRAGMA busy_timeout = 30000").execute(&mut connection).await.unwrap();
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }

    /// Team and user of the owner.
    pub async fn owner(&self) -> (TeamId, UserId) {
        let me = self.graphql("{ me { user { id } team { id } } }", json!({})).await["me"].take();
        (me["team"]["id"].as_str().unwrap().parse().unwrap(), me["user"]["id"].as_str().unwrap().parse().unwrap())
    }

    /// A second team with an owner of its own; the owner's key.
    pub async fn other_team(&self) -> String {
        let team = Team { id: TeamId::new(), name: "Others".to_owned(), created_at: now() };
        let user = User { id: UserId::new(), email: "other@example.org".to_owned(), name: "Other".to_owned(), created_at: now() };
        let store = Store::sqlite(&self.data().join("mikrocloud.db")).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        tx.user_insert(&user).await.unwrap();
        tx.team_insert(&team).await.unwrap();
        tx.membership_put(&Membership { team_id: team.id, user_id: user.id, role: RoleRef::BuiltIn(Role::Owner) }).await.unwrap();
        tx.commit().await.unwrap();
        store.close().await;
        self.key(team.id, user.id, None).await
    }
}

/// The code of the first error of an answer.
fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no error: {answer}"))
}

const TRIGGER: &str = "mutation($input: TriggerDeploymentInput!) { triggerDeployment(input: $input) { deployment { id } userErrors { code message } } }";

#[tokio::test]
async fn a_sign_in_link_sets_a_password_once() {
    let house = House::start().await;
    let token = house.link_token();
    for (password, reason) in [("too short", "PASSWORD_TOO_SHORT"), (&*"x".repeat(2000), "PASSWORD_TOO_LONG")] {
        let (status, answer) = house.post("/auth/link", json!({"token": token, "password": password})).await;
        assert_eq!((status, &answer["field"], &answer["reason"]), (422, &json!("password"), &json!(reason)), "{answer}");
    }
    // A refused password does not use the link up, and neither does looking at its page.
    let page = house.http.get(house.sign_in_link.clone().unwrap()).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Choose the password"), "{page}");
    let (status, tokens) = house.post("/auth/link", json!({"token": token, "password": PASSWORD})).await;
    assert_eq!((status, &tokens["expires_in"]), (200, &json!(900)), "{tokens}");
    let me = house.graphql_as(tokens["access_token"].as_str().unwrap(), "{ me { role user { email } } }", json!({})).await;
    assert_eq!(me["data"]["me"], json!({"role": "OWNER", "user": {"email": "owner@localhost"}}));
    let (status, answer) = house.post("/auth/link", json!({"token": token, "password": "another password"})).await;
    assert_eq!((status, &answer["code"]), (401, &json!("UNAUTHENTICATED")));
    assert!(answer["detail"].as_str().unwrap().contains("login --link"), "{answer}");
    for (email, password, expected) in
        [("owner@localhost", PASSWORD, 200), ("owner@localhost", "another password", 401), ("nobody@localhost", PASSWORD, 401)]
    {
        let (status, answer) = house.post("/auth/sign-in", json!({"email": email, "password": password})).await;
        assert_eq!(status, expected, "{email}: {answer}");
    }
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_its_reuse_ends_the_session() {
    let house = House::start().await;
    let (_, first) = house.post("/auth/link", json!({"token": house.link_token(), "password": PASSWORD})).await;
    let (status, second) = house.post("/auth/refresh", json!({"refresh_token": first["refresh_token"]})).await;
    assert_eq!(status, 200, "{second}");
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let access = second["access_token"].as_str().unwrap();
    assert_eq!(house.graphql_as(access, "{ me { role } }", json!({})).await["data"]["me"]["role"], "OWNER");
    let (status, answer) = house.post("/auth/refresh", json!({"refresh_token": first["refresh_token"]})).await;
    assert_eq!((status, &answer["code"]), (401, &json!("UNAUTHENTICATED")), "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("used before"), "{answer}");
    let (status, _) = house.post("/auth/refresh", json!({"refresh_token": second["refresh_token"]})).await;
    assert_eq!(status, 401, "the newest token of the session is dead, too");
    assert_eq!(code(&house.graphql_as(access, "{ me { role } }", json!({})).await), "UNAUTHENTICATED");
}

#[tokio::test]
async fn signing_out_ends_the_access_token_too() {
    let house = House::start().await;
    let (_, tokens) = house.post("/auth/link", json!({"token": house.link_token(), "password": PASSWORD})).await;
    let (status, _) = house.post("/auth/sign-out", json!({"refresh_token": tokens["refresh_token"]})).await;
    assert_eq!(status, 204);
    let answer = house.graphql_as(tokens["access_token"].as_str().unwrap(), "{ me { role } }", json!({})).await;
    assert_eq!(code(&answer), "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_viewer_looks_and_changes_nothing() {
    let house = House::start().await;
    let viewer = house.member("VIEWER").await;
    let deployed = house.deploy(house.site("page", "a page"), &[]).await;
    let project = house.json(&["projects", "show", "page"]).await["id"].clone();
    let seen =
        house.graphql_as(&viewer, "{ project(slug: \"page\") { id environment { liveDeployment { id } } } }", json!({})).await;
    assert_eq!(seen["data"]["project"]["environment"]["liveDeployment"]["id"], deployed["deployment"]);
    let inputs = [
        (
            "triggerDeployment",
            "TriggerDeploymentInput",
            json!({"projectId": project, "repository": "https://example.org/x"}),
            "deployment-write",
        ),
        ("rollbackDeployment", "RollbackDeploymentInput", json!({"projectId": project}), "deployment-write"),
        ("promoteDeployment", "PromoteDeploymentInput", json!({"deploymentId": deployed["deployment"]}), "deployment-write"),
        ("cancelDeployment", "CancelDeploymentInput", json!({"deploymentId": deployed["deployment"]}), "deployment-write"),
        ("createProject", "CreateProjectInput", json!({"name": "another"}), "project-write"),
        ("updateProject", "UpdateProjectInput", json!({"projectId": project, "name": "renamed"}), "project-write"),
        ("deleteProject", "DeleteProjectInput", json!({"projectId": project}), "project-delete"),
        (
            "setEnvironmentVariable",
            "SetEnvironmentVariableInput",
            json!({"projectId": project, "variables": [{"name": "A", "value": "b"}]}),
            "variable-write",
        ),
        (
            "unsetEnvironmentVariable",
            "UnsetEnvironmentVariableInput",
            json!({"projectId": project, "name": "A"}),
            "variable-write",
        ),
        ("createApiKey", "CreateApiKeyInput", json!({"name": "x"}), "api-key-write"),
        ("addMember", "AddMemberInput", json!({"email": "x@example.org", "role": "VIEWER"}), "member-write"),
    ];
    for (mutation, input_type, input, permission) in inputs {
        let query = format!("mutation($input: {input_type}!) {{ {mutation}(input: $input) {{ userErrors {{ code }} }} }}");
        let answer = house.graphql_as(&viewer, &query, json!({"input": input})).await;
        assert_eq!(code(&answer), "FORBIDDEN", "{mutation}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains(permission), "{answer}");
    }
    assert_eq!(
        code(&house.graphql_as(&viewer, "{ project(slug: \"page\") { environment { variables { name } } } }", json!({})).await),
        "FORBIDDEN"
    );
    let upload = house.http.post(house.url("/api/v1/uploads")).bearer_auth(&viewer).body("x").send().await.unwrap();
    assert_eq!(upload.status(), 403);
}

#[tokio::test]
async fn a_key_does_no_more_than_its_scopes() {
    let house = House::start().await;
    let input = json!({"name": "reader", "scopes": ["project-read"]});
    let made = house.mutate("createApiKey", "CreateApiKeyInput", input, "secret apiKey { prefix scopes }").await;
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with(made["apiKey"]["prefix"].as_str().unwrap()), "{made}");
    let project = house.json(&["projects", "create", "shop"]).await["id"].clone();
    let seen = house.graphql_as(secret, "{ projects { nodes { slug } } }", json!({})).await;
    assert_eq!(seen["data"]["projects"]["nodes"], json!([{"slug": "shop"}]));
    let answer =
        house.graphql_as(secret, TRIGGER, json!({"input": {"projectId": project, "repository": "https://example.org/x"}})).await;
    assert_eq!(code(&answer), "FORBIDDEN");
    let unknown = house.mutate("createApiKey", "CreateApiKeyInput", json!({"name": "x", "scopes": ["root"]}), "secret").await;
    assert_eq!(unknown["userErrors"][0]["code"], "UNKNOWN_SCOPE", "{unknown}");
    let developer = house.member("DEVELOPER").await;
    let query = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret userErrors { field code } } }";
    let wide = house.graphql_as(&developer, query, json!({"input": {"name": "x", "scopes": ["member-write"]}})).await;
    assert_eq!(wide["data"]["createApiKey"]["userErrors"], json!([{"field": "scopes", "code": "SCOPE_TOO_WIDE"}]), "{wide}");
}

#[tokio::test]
async fn expired_revoked_and_invented_credentials_are_refused_with_exit_status_4() {
    let house = House::start().await;
    let (team, user) = house.owner().await;
    let good = house.key(team, user, Some(now() + chrono::Duration::hours(1))).await;
    let expired = house.key(team, user, Some(now() - chrono::Duration::seconds(1))).await;
    let whoami = async |token: &str| {
        let mut command = house.command(&["whoami", "--json"]);
        command.env("MIKROCLOUD_URL", house.url("")).env("MIKROCLOUD_TOKEN", token);
        crate::support::client::Ran::from(command.output().await.unwrap())
    };
    assert_eq!(whoami(&good).await.exit, 0);
    for token in [expired.as_str(), "mck_invented", "eyJhbGciOiJub25lIn0.e30."] {
        let ran = whoami(token).await;
        assert_eq!(ran.exit, 4, "{ran:?}");
        assert_eq!(ran.error().0, "UNAUTHENTICATED");
        assert_eq!(code(&house.graphql_as(token, "{ me { role } }", json!({})).await), "UNAUTHENTICATED");
    }
    house.json(&["logout"]).await;
    let ran = house.cli(&["projects", "--json"]).await;
    assert_eq!((ran.exit, ran.error().0.as_str()), (4, "UNAUTHENTICATED"));
}

#[tokio::test]
async fn a_change_of_rights_counts_from_the_next_request_on() {
    let house = House::start().await;
    let (_, tokens) = house.post("/auth/link", json!({"token": house.link_token(), "password": PASSWORD})).await;
    let developer = house.member("DEVELOPER").await;
    let create = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { id } } }";
    let made = house.graphql_as(&developer, create, json!({"input": {"name": "x"}})).await["data"]["createApiKey"].take();
    let key = made["secret"].as_str().unwrap();
    let role = async |token: &str| house.graphql_as(token, "{ me { role } }", json!({})).await;
    // Asked twice: the second answer comes from what was looked up for the first.
    for token in [developer.as_str(), key, developer.as_str(), key] {
        assert_eq!(role(token).await["data"]["me"]["role"], "DEVELOPER");
    }
    let user = house.graphql_as(&developer, "{ me { user { id } } }", json!({})).await["data"]["me"]["user"]["id"].take();
    let input = json!({"userId": user, "role": "VIEWER"});
    assert_eq!(house.mutate("setMemberRole", "SetMemberRoleInput", input, "done").await["done"], true);
    for token in [developer.as_str(), key] {
        assert_eq!(role(token).await["data"]["me"]["role"], "VIEWER");
    }
    let revoke = json!({"apiKeyId": made["apiKey"]["id"]});
    assert_eq!(house.mutate("revokeApiKey", "RevokeApiKeyInput", revoke, "done").await["done"], true);
    assert_eq!(code(&role(key).await), "UNAUTHENTICATED");
    assert_eq!(role(&developer).await["data"]["me"]["role"], "VIEWER");
    assert_eq!(house.mutate("removeMember", "RemoveMemberInput", json!({"userId": user}), "done").await["done"], true);
    assert_eq!(code(&role(&developer).await), "NOT_FOUND");
    let owner = tokens["access_token"].as_str().unwrap();
    assert_eq!(role(owner).await["data"]["me"]["role"], "OWNER");
    let (status, _) = house.post("/auth/sign-out", json!({"refresh_token": tokens["refresh_token"]})).await;
    assert_eq!((status, code(&role(owner).await)), (204, "UNAUTHENTICATED"));
}

#[tokio::test]
async fn a_key_that_another_process_revokes_is_refused_within_five_seconds() {
    let house = House::start().await;
    let (team, user) = house.owner().await;
    let key = house.key(team, user, None).await;
    let role = async || house.graphql_as(&key, "{ me { role } }", json!({})).await;
    assert_eq!(role().await["data"]["me"]["role"], "OWNER");
    let store = Store::sqlite(&house.data().join("mikrocloud.db")).await.unwrap();
    let id = store.api_key_list(team).await.unwrap().into_iter().find(|found| found.name == "test").unwrap().id;
    let mut tx = store.begin().await.unwrap();
    assert!(tx.api_key_revoke(team, id).await.unwrap());
    tx.commit().await.unwrap();
    store.close().await;
    let revoked = std::time::Instant::now();
    wait_until(crate::support::harness::PATIENCE, "the refusal", async || !role().await["errors"].is_null()).await;
    assert_eq!(code(&role().await), "UNAUTHENTICATED");
    // The look-up stands for 5 seconds; the rest is for a busy machine.
    assert!(revoked.elapsed() < std::time::Duration::from_secs(8), "after {:?}", revoked.elapsed());
}

#[tokio::test]
async fn what_belongs_to_another_team_is_not_found() {
    let house = House::start().await;
    let theirs = house.other_team().await;
    let deployed = house.deploy(house.site("page", "a page"), &[]).await;
    let (project, deployment) = (house.json(&["projects", "show", "page"]).await["id"].clone(), deployed["deployment"].clone());
    let query = "query($p: ID!, $d: ID!) { byId: project(id: $p) { id } bySlug: project(slug: \"page\") { id } deployment(id: $d) { id } \
                 projects { totalCount } }";
    let seen = house.graphql_as(&theirs, query, json!({"p": project, "d": deployment})).await;
    assert_eq!(seen["data"], json!({"byId": null, "bySlug": null, "deployment": null, "projects": {"totalCount": 0}}), "{seen}");
    let inputs = [
        ("triggerDeployment", "TriggerDeploymentInput", json!({"projectId": project, "repository": "https://example.org/x"})),
        ("rollbackDeployment", "RollbackDeploymentInput", json!({"projectId": project})),
        ("promoteDeployment", "PromoteDeploymentInput", json!({"deploymentId": deployment})),
        ("cancelDeployment", "CancelDeploymentInput", json!({"deploymentId": deployment})),
        ("updateProject", "UpdateProjectInput", json!({"projectId": project, "name": "stolen"})),
        ("deleteProject", "DeleteProjectInput", json!({"projectId": project})),
        ("unsetEnvironmentVariable", "UnsetEnvironmentVariableInput", json!({"projectId": project, "name": "A"})),
    ];
    for (mutation, input_type, input) in inputs {
        let query = format!("mutation($input: {input_type}!) {{ {mutation}(input: $input) {{ userErrors {{ code }} }} }}");
        let answer = house.graphql_as(&theirs, &query, json!({"input": input})).await;
        assert_eq!(answer["data"][mutation]["userErrors"], json!([{"code": "NOT_FOUND"}]), "{mutation}: {answer}");
    }
    assert_eq!(house.body("page").await, "a page");
    // A name that another team has is taken, because it is a host name; nothing more is said.
    let taken =
        house.graphql_as(&theirs, "mutation { createProject(input: {name: \"page\"}) { userErrors { field code } } }", json!({}));
    assert_eq!(taken.await["data"]["createProject"]["userErrors"], json!([{"field": "name", "code": "TAKEN"}]));
}
