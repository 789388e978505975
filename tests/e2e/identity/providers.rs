//! Signing in with providers: a real OpenID Connect server that MikroCloud did not write, and a stub of GitHub's endpoints.

use std::process::Stdio;

use serde_json::{Value, json};
use testkit::wait_until;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::access::PASSWORD;
use crate::support::browser::{Browser, Page};
use crate::support::harness::{House, PATIENCE};
use crate::support::node::npm_package;

/// A provider that runs.
struct Provider {
    _child: Child,
    settings: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
    url: String,
}

impl Provider {
    async fn start(program: &str) -> Self {
        let directory = npm_package("identity-provider", &["openid.mjs", "github-stub.mjs"]).await;
        let mut command = Command::new("node");
        command.arg(program).current_dir(directory).kill_on_drop(true).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().expect("node is installed");
        let settings = child.stdin.take().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = timeout(PATIENCE, said.next_line()).await.expect("the provider starts").unwrap().unwrap();
        Self { _child: child, settings, said, url }
    }

    async fn set(&mut self, settings: Value) {
        self.settings.write_all(format!("{settings}\n").as_bytes()).await.unwrap();
        // Its library warns on the same stream.
        while timeout(PATIENCE, self.said.next_line()).await.expect("it hears").unwrap().as_deref() != Some("done") {}
    }
}

const ADA: &str = "ada@example.org";

fn accounts(email: &str, verified: bool, groups: &[&str]) -> Value {
    json!({"accounts": {"ada": {"email": email, "email_verified": verified, "name": "Ada Lovelace", "groups": groups}}})
}

/// A house with an OpenID Connect provider whose group `dev` is developer in the owner's team. Its sign-ins last twelve hours.
async fn house_with_provider() -> (House, Provider) {
    let mut provider = Provider::start("openid.mjs").await;
    let mut house = House::start().await;
    let (team, _) = house.owner().await;
    let file = house.scratch("providers").join("providers.toml");
    let text = format!(
        "[[provider]]\nname = \"corp\"\nlabel = \"Corp\"\nkind = \"oidc\"\nissuer = \"{}\"\nclient_id = \"mikrocloud\"\n\
         client_secret_file = \"secret\"\nsession_hours = 12\nscopes = [\"email\", \"profile\", \"groups\"]\n\
         [[provider.group]]\nname = \"dev\"\nteam = \"{team}\"\nrole = \"developer\"\n",
        provider.url
    );
    std::fs::write(&file, text).unwrap();
    std::fs::write(file.with_file_name("secret"), "not-so-secret\n").unwrap();
    house.set_env(&[("MIKROCLOUD_SIGN_IN_PROVIDERS", file.to_str().unwrap())]);
    house.terminate().await;
    house.run().await;
    provider.set(json!({"redirect_uri": house.url("/auth/providers/corp/callback")})).await;
    (house, provider)
}

/// Signs in at the OpenID Connect provider as ada, from its button on.
async fn through_corp(house: &House, browser: &mut Browser) -> Page {
    let mut page = browser.get(&house.url("/auth/providers/corp?next=/auth/account")).await;
    // The pages of oidc-provider: who, then whether to share it.
    for _ in 0..3 {
        if page.url.port() == Some(house.port) {
            break;
        }
        let fields: &[_] = if page.text.contains("name=\"login\"") { &[("login", "ada"), ("password", "any")] } else { &[] };
        page = browser.submit(&page, fields).await;
    }
    page
}

/// The user who is signed in in a browser, as the API answers.
async fn me(house: &House, browser: &Browser) -> Value {
    let cookie = browser.cookie(&house.url("/"), "mikrocloud").expect("signed in").to_owned();
    let request = house.http.post(house.url("/auth/refresh")).header("cookie", format!("mikrocloud={cookie}")).json(&json!({}));
    let tokens: Value = request.send().await.unwrap().json().await.unwrap();
    house.graphql_as(tokens["access_token"].as_str().unwrap(), "{ me { role user { email name } } }", json!({})).await["data"]["me"]
        .take()
}

#[tokio::test]
async fn who_is_in_a_mapped_group_signs_in_and_follows_it() {
    let (house, mut provider) = house_with_provider().await;
    provider.set(accounts("Ada@Example.org", true, &["dev", "other"])).await;
    let listed: Value = house.http.get(house.url("/auth/providers")).send().await.unwrap().json().await.unwrap();
    assert_eq!(listed["providers"][0]["label"], "Corp", "{listed}");
    let mut browser = Browser::new();
    let sign_in = browser.get(&house.url("/auth/sign-in")).await;
    assert!(sign_in.text.contains("Sign in with Corp"), "{sign_in:?}");
    let page = through_corp(&house, &mut browser).await;
    assert!(page.status == 200 && page.text.contains(ADA), "{page:?}");
    let expected = json!({"role": "DEVELOPER", "user": {"email": ADA, "name": "Ada Lovelace"}});
    assert_eq!(me(&house, &browser).await, expected);

    // Again, as the same user; out of the group, they are out of the team.
    let mut again = Browser::new();
    through_corp(&house, &mut again).await;
    assert_eq!(me(&house, &again).await, expected);
    provider.set(accounts(ADA, true, &["other"])).await;
    let mut out = Browser::new();
    through_corp(&house, &mut out).await;
    assert_eq!(me(&house, &out).await, Value::Null);
    let members = house.json(&["members"]).await;
    assert!(!members.to_string().contains(ADA), "{members}");
    // Each step by the groups is in the team's log, the newest first; the second sign-in changed nothing.
    let entries = house.json(&["audit", "--action", "member"]).await;
    let actions: Vec<_> = entries.as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["member.remove", "member.add"], "{entries}");
    assert_eq!(
        (&entries[1]["after"]["role"], &entries[1]["details"]["provider"]),
        (&json!("developer"), &json!("corp")),
        "{entries}"
    );
}

#[tokio::test]
async fn nobody_comes_in_whom_nobody_lets_in() {
    let (house, mut provider) = house_with_provider().await;
    for (settings, expected) in [
        (accounts(ADA, true, &["strangers"]), "Nobody has invited this address"),
        (accounts(ADA, false, &["dev"]), "is verified"),
        (json!({"accounts": {"ada": {"groups": ["dev"]}}}), "is verified"),
        // No provider takes a service account over.
        (accounts("x@service-account.invalid", true, &["dev"]), "Addresses such as yours cannot sign in"),
    ] {
        provider.set(settings).await;
        let mut browser = Browser::new();
        let page = through_corp(&house, &mut browser).await;
        assert!(page.status == 422 && page.text.contains(expected), "{expected}: {page:?}");
        assert!(browser.cookie(&house.url("/"), "mikrocloud").is_none());
    }
    let unknown = Browser::new().get(&house.url("/auth/providers/nobody")).await;
    assert_eq!(unknown.status, 404, "{unknown:?}");
}

#[tokio::test]
async fn a_sign_in_of_a_provider_ends_when_the_operator_says_and_the_command_lines_it_let_in_with_it() {
    let (house, mut provider) = house_with_provider().await;
    provider.set(accounts(ADA, true, &["dev"])).await;
    let mut browser = Browser::new();
    let page = through_corp(&house, &mut browser).await;
    assert!(page.text.contains(", until 20"), "{page:?}");
    // A command line, let in by this browser.
    let (_, waiting) = house.post("/auth/device/code", json!({"name": "laptop"})).await;
    let page = browser.get(waiting["verification_uri_complete"].as_str().unwrap()).await;
    let done = browser.submit(&page, &[("decision", "allow")]).await;
    assert!(done.text.contains("go back to your terminal"), "{done:?}");
    let asked = json!({"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": waiting["device_code"]});
    let (status, key) = house.post("/auth/token", asked).await;
    let key = key["access_token"].as_str().unwrap().to_owned();
    assert_eq!(status, 200);
    let keys = house.graphql_as(&key, "{ me { apiKeys { name createdAt expiresAt } } }", json!({})).await;
    let key_of = &keys["data"]["me"]["apiKeys"][0];
    let hours = |from: &Value, to: &Value| {
        let [from, to] = [from, to].map(|at| at.as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap());
        ((to - from).num_minutes() + 59) / 60
    };
    assert_eq!(hours(&key_of["createdAt"], &key_of["expiresAt"]), 12, "{key_of}");
    let tokens = {
        let cookie = format!("mikrocloud={}", browser.cookie(&house.url("/"), "mikrocloud").unwrap());
        let request = house.http.post(house.url("/auth/refresh")).header("cookie", cookie).json(&json!({}));
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let sessions = house.account(&tokens, "sessions { createdAt endsAt }").await["sessions"].take();
    assert_eq!(hours(&sessions[0]["createdAt"], &sessions[0]["endsAt"]), 12, "{sessions}");

    house.sql("UPDATE sessions SET ends_at = '2026-01-01T00:00:00+00:00' WHERE ends_at IS NOT NULL").await;
    wait_until(PATIENCE, "the access token is refused", async || {
        let me = house.graphql_as(tokens["access_token"].as_str().unwrap(), "{ me { role } }", json!({})).await;
        me["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    })
    .await;
    let page = browser.get(&house.url("/auth/account")).await;
    assert_eq!(page.url.path(), "/auth/sign-in", "{page:?}");
    // Who signs in with a password is asked again when they have been away for long, and not before.
    let owner = house.owner_session().await;
    let sessions = house.account(&owner, "sessions { endsAt }").await;
    assert_eq!(sessions["sessions"][0], json!({"endsAt": null}));
}

#[tokio::test]
async fn an_account_is_linked_only_by_its_owner_s_password_or_session() {
    let (house, mut provider) = house_with_provider().await;
    provider.set(accounts(ADA, true, &[])).await;
    let input = json!({"email": ADA, "role": "ADMIN"});
    let link = house.mutate("addMember", "AddMemberInput", input, "signInPath").await["signInPath"].take();
    let token = link.as_str().unwrap().split("token=").nth(1).unwrap();
    let (status, _) = house.post("/auth/link", json!({"token": token, "password": PASSWORD})).await;
    assert_eq!(status, 200);

    let mut browser = Browser::new();
    let question = through_corp(&house, &mut browser).await;
    assert!(question.text.contains("Link your account") && question.text.contains("Your password here"), "{question:?}");
    assert!(browser.cookie(&house.url("/"), "mikrocloud").is_none(), "nobody is signed in by the question");
    let refused = browser.submit(&question, &[("password", "not the password at all")]).await;
    assert!(refused.status == 422 && refused.text.contains("password is wrong"), "{refused:?}");
    let linked = browser.submit(&question, &[("password", PASSWORD)]).await;
    assert!(linked.text.contains("Corp signs you in"), "{linked:?}");
    assert!(linked.text.contains("linked to yours"), "the user is told: {linked:?}");
    assert_eq!(me(&house, &browser).await["role"], "ADMIN");
    // The question was good for one answer, and from now on nothing is asked.
    let again = browser.submit(&question, &[("password", PASSWORD)]).await;
    assert!(again.text.contains("took too long or was used"), "{again:?}");
    let mut other = Browser::new();
    let page = through_corp(&house, &mut other).await;
    assert!(page.text.contains("Your account"), "{page:?}");
    // A change of the address at the provider changes nothing here.
    provider.set(accounts("owner@localhost", true, &[])).await;
    let mut moved = Browser::new();
    through_corp(&house, &mut moved).await;
    assert_eq!(me(&house, &moved).await["user"]["email"], ADA);
}

#[tokio::test]
async fn somebody_who_was_added_and_never_came_links_by_a_click_and_no_other_browser_goes_on() {
    let (house, mut provider) = house_with_provider().await;
    provider.set(accounts(ADA, true, &[])).await;
    house.json(&["members", "add", ADA, "--role", "viewer"]).await;
    // Somebody else's browser is sent back with the victim's state: it has not the cookie that goes with it.
    let mut first = Browser::new();
    let there = first.get(&house.url("/auth/providers/corp")).await;
    assert_eq!(there.url.port(), provider.url.rsplit(':').next().unwrap().parse().ok());
    let mut victim = Browser::new();
    let question = through_corp(&house, &mut victim).await;
    assert!(question.text.contains("Link your account") && !question.text.contains("password"), "{question:?}");
    let linked = victim.submit(&question, &[]).await;
    assert!(linked.text.contains("Your account"), "{linked:?}");
    assert_eq!(me(&house, &victim).await["role"], "VIEWER");

    let mut attacker = Browser::new();
    let mut page = attacker.get(&house.url("/auth/providers/corp")).await;
    for _ in 0..3 {
        // The last redirect, to us, is stopped by forgetting what our server gave this browser.
        let fields: &[_] = if page.text.contains("name=\"login\"") { &[("login", "ada"), ("password", "any")] } else { &[] };
        if page.text.contains("<form") && page.url.port() != Some(house.port) {
            let consent = !page.text.contains("name=\"login\"");
            if consent {
                attacker.forget_cookies_of(&house.url("/"));
            }
            page = attacker.submit(&page, fields).await;
        }
    }
    assert!(page.text.contains("begun in another browser"), "{page:?}");
}

#[tokio::test]
async fn github_signs_in_who_was_added_with_the_address_verified_there() {
    let mut github = Provider::start("github-stub.mjs").await;
    let mut house = House::start().await;
    let file = house.scratch("providers").join("providers.toml");
    let text = format!(
        "[[provider]]\nname = \"github\"\nkind = \"github\"\nurl = \"{0}\"\napi_url = \"{0}/api\"\nclient_id = \"mikrocloud\"\n\
         client_secret_env = \"GITHUB_SECRET\"\n",
        github.url
    );
    std::fs::write(&file, text).unwrap();
    house.set_env(&[("MIKROCLOUD_SIGN_IN_PROVIDERS", file.to_str().unwrap()), ("GITHUB_SECRET", "not-so-secret")]);
    house.terminate().await;
    house.run().await;
    house.json(&["members", "add", ADA, "--role", "viewer"]).await;
    let user = json!({"id": 1815, "login": "ada", "name": null});
    let other = json!({"email": "other@example.org", "primary": false, "verified": true});
    for (email, expected) in [
        (json!({"email": ADA, "primary": true, "verified": false}), "is verified"),
        (json!({"email": ADA, "primary": true, "verified": true}), "Link your account"),
    ] {
        github.set(json!({"user": user, "emails": [other, email]})).await;
        let page = Browser::new().get(&house.url("/auth/providers/github")).await;
        assert!(page.text.contains(expected), "{expected}: {page:?}");
    }
    let mut browser = Browser::new();
    let question = browser.get(&house.url("/auth/providers/github")).await;
    browser.submit(&question, &[]).await;
    assert_eq!(me(&house, &browser).await["user"]["email"], ADA);
    // A provider that is away is told as that, and nothing of it is shown.
    drop(github);
    let page = Browser::new().get(&house.url("/auth/providers/github/callback?state=x&code=y")).await;
    assert!(page.status == 422 && page.text.contains("begun in another browser"), "{page:?}");
}
