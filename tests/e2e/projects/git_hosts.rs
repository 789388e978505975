//! Git hosts: their webhooks deploy, pull requests get previews, and the hosts are told what becomes of commits.

use chrono::TimeDelta;
use domain::time::now;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use store::Store;
use testkit::wait_until;

use crate::support::git_host::{
    GitHost, Hook, Message, TOKEN, answered, connect, connected, pull_request, push, recorded, signature,
};
use crate::support::harness::{House, PATIENCE};

/// The deployments of `shop`, the latest first.
async fn deployments(house: &House) -> Vec<Value> {
    let query =
        "{ project(slug: \"shop\") { deployments(first: 50) { nodes { number status commitSha environment { name } } } } }";
    let data = house.graphql(query, json!({})).await;
    data["project"]["deployments"]["nodes"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_push_deploys_its_commit_and_the_host_is_told() {
    let host = GitHost::start().await;
    let (house, repository, hook) = connected(&host, &["--branch", "develop=staging"]).await;
    let commit = repository.commit("main", &[("index.html", "pushed")]);
    let (status, answer) = hook.send(&house, "push", "d-1", &push("main", &commit).await).await;
    assert_eq!((status, answer), (202, json!({"status": "accepted"})));
    host.told(&commit, "success").await;
    assert_eq!(house.body("shop").await, "pushed");
    let statuses = host.statuses(&commit);
    assert_eq!(statuses[0]["state"], "pending", "{statuses:?}");
    let last = statuses.last().unwrap();
    assert_eq!(last["context"], "mikrocloud/shop/production");
    assert!(last["target_url"].as_str().unwrap().starts_with("http://shop.localhost:"), "{last}");
    let asked = host.asked();
    let told = asked.iter().find(|asked| asked.path.contains("/statuses/")).unwrap();
    assert_eq!(told.path, format!("/repos/Codertocat/Hello-World/statuses/{commit}"));
    assert_eq!(told.authorization, format!("Bearer {TOKEN}"));
    assert_eq!(house.delivered("DONE").await, "deployment number 1 of `production`");
    assert_eq!(deployments(&house).await[0]["commitSha"], commit);

    let commit = repository.commit("develop", &[("index.html", "on its way")]);
    hook.send(&house, "push", "d-2", &push("develop", &commit).await).await;
    host.told(&commit, "success").await;
    assert_eq!(house.body("shop--staging").await, "on its way");
    assert_eq!(house.body("shop").await, "pushed");

    let commit = repository.commit("main", &[("index.html", ""), ("mikrocloud.toml", "[build\n")]);
    hook.send(&house, "push", "d-3", &push("main", &commit).await).await;
    host.told(&commit, "failure").await;
    let failed = host.statuses(&commit).pop().unwrap();
    assert!(failed["description"].as_str().unwrap().chars().count() <= 140 && failed["target_url"].is_null(), "{failed}");
}

#[tokio::test]
async fn a_pull_request_is_shown_until_it_is_closed() {
    let host = GitHost::start().await;
    let (house, repository, hook) = connected(&host, &[]).await;
    house.json(&["env", "set", "GREETING=hello", "-p", "shop", "-e", "preview"]).await;
    let first = repository.commit("feature", &[("index.html", "the first try")]);
    repository.keep(&first, "refs/pull/2/head");
    assert_eq!(hook.send(&house, "pull_request", "p-1", &pull_request("opened", &first).await).await.0, 202);
    host.told(&first, "success").await;
    let status = host.statuses(&first).pop().unwrap();
    assert_eq!(status["context"], "mikrocloud/shop/pr-2");
    let url = status["target_url"].as_str().unwrap().to_owned();
    assert!(url.starts_with("http://shop--pr-2.localhost:"), "{url}");
    assert_eq!(house.body("shop--pr-2").await, "the first try");
    host.says(&format!("| Ready | <{url}> | `{}`", &first[..12])).await;
    let variables = house.json(&["env", "list", "-p", "shop", "-e", "pr-2"]).await;
    assert_eq!(variables["variables"][0]["name"], "GREETING", "{variables}");
    let previews = house.json(&["git", "previews", "-p", "shop"]).await;
    assert_eq!(
        (&previews[0]["number"], &previews[0]["isFork"], &previews[0]["author"]),
        (&json!(2), &json!(false), &json!("Codertocat"))
    );

    let second = repository.commit("feature", &[("index.html", "the second try")]);
    hook.send(&house, "pull_request", "p-2", &pull_request("synchronize", &second).await).await;
    host.told(&second, "success").await;
    assert_eq!(house.body("shop--pr-2").await, "the second try");
    host.says(&second[..12]).await;

    hook.send(&house, "pull_request", "p-3", &pull_request("closed", &second).await).await;
    host.says("was removed, because the pull request was closed").await;
    assert_eq!(house.environments().await, ["production", "preview"]);
    assert_eq!(house.get("shop--pr-2", "/").await.status, 404);
    let data = house.graphql("{ project(slug: \"shop\") { resources { kind externalId } previews { id } } }", json!({})).await;
    assert_eq!(data["project"], json!({"resources": [], "previews": []}), "nothing of it is left");
    wait_until(PATIENCE, "the artifacts to be gone", async || {
        house.artifacts().is_empty() || deployments(&house).await.is_empty()
    })
    .await;

    // Opened again, it has the same comment.
    hook.send(&house, "pull_request", "p-4", &pull_request("reopened", &second).await).await;
    host.says("| Ready |").await;
    assert_eq!(house.body("shop--pr-2").await, "the second try");
    // Somebody deletes the comment, and deploys again.
    host.delete_comments();
    let third = repository.commit("feature", &[("index.html", "the third try")]);
    hook.send(&house, "pull_request", "p-5", &pull_request("synchronize", &third).await).await;
    host.says(&third[..12]).await;
}

#[tokio::test]
async fn a_pull_request_that_is_closed_while_it_is_deployed_leaves_no_pending_status() {
    let host = GitHost::start().await;
    let (house, repository, hook) = connected(&host, &[]).await;
    house.json(&["jobs", "pause", "build"]).await;
    let commit = repository.commit("feature", &[("index.html", "never seen")]);
    repository.keep(&commit, "refs/pull/2/head");
    hook.send(&house, "pull_request", "q-1", &pull_request("opened", &commit).await).await;
    host.told(&commit, "pending").await;
    hook.send(&house, "pull_request", "q-2", &pull_request("closed", &commit).await).await;
    host.told(&commit, "error").await;
    assert_eq!(host.statuses(&commit).last().unwrap()["description"], "the pull request was closed");
    host.says("was removed, because the pull request was closed").await;
    assert_eq!(house.environments().await, ["production"]);
}

#[tokio::test]
async fn of_fifty_duplicates_at_once_one_deploys() {
    let host = GitHost::start().await;
    let (house, repository, hook) = connected(&host, &[]).await;
    let commit = repository.commit("feature", &[("index.html", "once")]);
    repository.keep(&commit, "refs/pull/2/head");
    let body = pull_request("opened", &commit).await.to_string();
    let message = Message { event: "pull_request", delivery: "the-same", body: body.clone() };
    let answers = join_all((0..50).map(|_| answered(hook.request(&house.http, &message)))).await;
    let of = |status: &str| answers.iter().filter(|(_, answer)| answer["status"] == status).count();
    assert_eq!((of("accepted"), of("duplicate")), (1, 49), "{answers:?}");
    host.told(&commit, "success").await;
    // The signature is of the body alone: under another id it is the same message.
    let replayed = Message { event: "pull_request", delivery: "another", body };
    assert_eq!(answered(hook.request(&house.http, &replayed)).await, (200, json!({"status": "duplicate"})));
    assert_eq!(deployments(&house).await.len(), 1);
    assert_eq!(host.comments().len(), 1);
}

#[tokio::test]
async fn only_what_is_signed_fresh_and_about_the_repository_is_acted_on() {
    let host = GitHost::start().await;
    let (house, repository, hook) = connected(&host, &[]).await;
    let commit = repository.commit("main", &[]);
    let payload = push("main", &commit).await;
    let other = Hook { url: hook.url.clone(), secret: "another".to_owned() };
    let (status, problem) = other.send(&house, "push", "x-1", &payload).await;
    assert_eq!((status, &problem["code"]), (401, &json!("UNAUTHENTICATED")), "{problem}");
    let nobody = Hook { url: house.url("/webhooks/github/git_00000000000000000000000000000000"), secret: hook.secret.clone() };
    assert_eq!(nobody.send(&house, "push", "x-2", &payload).await.0, 401);
    let (status, _) = answered(house.http.post(house.url("/webhooks/github/none")).body("{}")).await;
    assert_eq!(status, 401);
    let mistaken = Hook { url: hook.url.replace("/github/", "/gitlab/"), secret: hook.secret.clone() };
    assert_eq!(mistaken.send_gitlab(&house, "Push Hook", "x-3", &payload).await.0, 401);
    assert_eq!(house.deliveries().await.len(), 0, "what is not proven is not written down");

    let (status, problem) = hook.send(&house, "push", "x-4", &json!({"ref": "refs/heads/main"})).await;
    assert_eq!((status, &problem["reason"]), (422, &json!("INVALID_PAYLOAD")), "{problem}");
    let (status, problem) = hook.send(&house, "push", "", &payload).await;
    assert_eq!((status, &problem["reason"]), (422, &json!("INVALID_DELIVERY")), "{problem}");

    let mut stale = payload.clone();
    stale["repository"]["pushed_at"] = json!((now() - TimeDelta::days(4)).timestamp());
    let mut strange = payload.clone();
    strange["repository"]["full_name"] = json!("Codertocat/Other");
    let tag = recorded("push", |example| example["ref"] == "refs/tags/simple-tag").await;
    let ping = recorded("ping", |example| example["repository"].is_object()).await;
    let star = json!({"action": "created"});
    for (delivery, event, payload, reason) in [
        ("x-5", "push", &stale, "more than 3 days ago"),
        ("x-6", "push", &strange, "it is about Codertocat/Other"),
        ("x-7", "push", &tag, "a tag"),
        ("x-8", "ping", &ping, "the webhook is set up"),
        ("x-9", "star", &star, "nothing follows from `star`"),
        (
            "x-10",
            "pull_request",
            &recorded("pull_request", |example| example["action"] == "labeled").await,
            "its commits did not change",
        ),
    ] {
        let (status, answer) = hook.send(&house, event, delivery, payload).await;
        assert_eq!((status, &answer["status"]), (200, &json!("ignored")), "{answer}");
        assert!(answer["reason"].as_str().unwrap().contains(reason), "{answer}");
    }
    let elsewhere = push("wip", &commit).await;
    hook.send(&house, "push", "x-11", &elsewhere).await;
    assert!(house.delivered("IGNORED").await.contains("the branch `wip` deploys nowhere"));
    assert_eq!(deployments(&house).await.len(), 0);

    // As GitHub sends it unless it is told otherwise.
    let body = format!("payload={}", url::form_urlencoded::byte_serialize(payload.to_string().as_bytes()).collect::<String>());
    let request = house.http.post(&hook.url).header("x-github-event", "push").header("x-github-delivery", "x-12");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let request = request.header("x-hub-signature-256", signature(&hook.secret, &body)).body(body);
    assert_eq!(answered(request).await.0, 202);
    host.told(&commit, "success").await;
}

#[tokio::test]
async fn what_comes_late_is_overtaken_by_what_happened_later() {
    let host = GitHost::start().await;
    let (house, repository, hook) = connected(&host, &[]).await;
    let older = repository.commit("main", &[("index.html", "older")]);
    let newer = repository.commit("main", &[("index.html", "newer")]);
    let mut late = push("main", &older).await;
    late["repository"]["pushed_at"] = json!((now() - TimeDelta::minutes(1)).timestamp());
    hook.send(&house, "push", "o-1", &push("main", &newer).await).await;
    host.told(&newer, "success").await;
    hook.send(&house, "push", "o-2", &late).await;
    assert_eq!(house.delivered("IGNORED").await, "something that happened later was done already");
    assert_eq!((house.body("shop").await.as_str(), deployments(&house).await.len()), ("newer", 1));

    // A pull request that was closed stays closed, whatever comes late.
    repository.keep(&newer, "refs/pull/2/head");
    let mut opened = pull_request("opened", &newer).await;
    opened["pull_request"]["updated_at"] = json!(now() - TimeDelta::minutes(1));
    hook.send(&house, "pull_request", "o-3", &pull_request("closed", &newer).await).await;
    assert!(house.delivered("DONE").await.contains("had no preview"));
    hook.send(&house, "pull_request", "o-4", &opened).await;
    assert_eq!(house.delivered("IGNORED").await, "something that happened later was done already");
    assert_eq!(house.environments().await, ["production"]);
}

#[tokio::test]
async fn a_fork_waits_until_somebody_of_the_team_approves_each_of_its_commits() {
    let host = GitHost::start().await;
    let (house, repository, hook) = connected(&host, &[]).await;
    let opened = async |action: &str, text: &str| {
        let commit = repository.commit("strange", &[("index.html", text)]);
        repository.keep(&commit, "refs/pull/2/head");
        let mut payload = pull_request(action, &commit).await;
        payload["pull_request"]["head"]["repo"]["full_name"] = json!("mallory/Hello-World");
        payload["pull_request"]["user"]["login"] = json!("mallory");
        (commit, payload)
    };
    let (commit, payload) = opened("opened", "from a fork").await;
    hook.send(&house, "pull_request", "f-1", &payload).await;
    host.says("Waits for an approval").await;
    wait_until(PATIENCE, "a status that says it", async || {
        host.statuses(&commit).last().is_some_and(|status| status["description"] == "waits for an approval")
    })
    .await;
    let query = "{ approvals { deployment { id commitSha } } }";
    let pending = async || house.graphql(query, json!({})).await["approvals"].take();
    let waiting = pending().await;
    assert_eq!(waiting[0]["deployment"]["commitSha"], commit, "what is approved is that commit");
    // Who connected the repository asked for nothing: mallory did.
    let id = waiting[0]["deployment"]["id"].as_str().unwrap().to_owned();
    house.json(&["approve", &id]).await;
    host.told(&commit, "success").await;
    assert_eq!(house.body("shop--pr-2").await, "from a fork");

    let (commit, payload) = opened("synchronize", "now something bad").await;
    hook.send(&house, "pull_request", "f-2", &payload).await;
    host.says("Waits for an approval").await;
    assert_eq!(house.body("shop--pr-2").await, "from a fork", "the next commit waits as well");
    let id = pending().await[0]["deployment"]["id"].as_str().unwrap().to_owned();
    house.json(&["reject", &id, "--reason", "no"]).await;
    host.told(&commit, "error").await;
}

#[tokio::test]
async fn a_server_that_dies_after_it_answered_deploys_once_when_it_is_back() {
    let host = GitHost::start().await;
    let (mut house, repository, hook) = connected(&host, &[]).await;
    let commit = repository.commit("main", &[("index.html", "after all")]);
    let payload = push("main", &commit).await;
    house.json(&["jobs", "pause", "webhook"]).await;
    assert_eq!(hook.send(&house, "push", "c-1", &payload).await.0, 202);
    house.crash_and_restart().await;
    assert_eq!(hook.send(&house, "push", "c-1", &payload).await.1["status"], "duplicate");
    house.json(&["jobs", "resume", "webhook"]).await;
    host.told(&commit, "success").await;
    assert_eq!((house.body("shop").await.as_str(), deployments(&house).await.len()), ("after all", 1));
}

#[tokio::test]
async fn a_preview_goes_when_its_time_is_over_and_comes_back_with_new_commits() {
    let host = GitHost::start().await;
    let (house, repository, hook) = connected(&host, &["--preview-hours", "2"]).await;
    let commit = repository.commit("feature", &[("index.html", "for a while")]);
    repository.keep(&commit, "refs/pull/2/head");
    hook.send(&house, "pull_request", "t-1", &pull_request("opened", &commit).await).await;
    host.says("| Ready |").await;
    let (team, _) = house.owner().await;
    let store = Store::sqlite(&house.data().join("mikrocloud.db")).await.unwrap();
    let query = "{ project(slug: \"shop\") { id } }";
    let project = house.graphql(query, json!({})).await["project"]["id"].as_str().unwrap().parse().unwrap();
    let mut preview = store.preview_list(team, project).await.unwrap().pop().unwrap();
    let left = preview.expires_at - now();
    assert!(left > TimeDelta::minutes(110) && left <= TimeDelta::hours(2), "{left}");
    preview.expires_at = now() - TimeDelta::seconds(1);
    let mut tx = store.begin().await.unwrap();
    tx.preview_put(&preview).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    host.says("was removed, because there were no new commits for 2 hours. New commits bring it back.").await;
    assert_eq!(house.environments().await, ["production"]);
    let commit = repository.commit("feature", &[("index.html", "again")]);
    hook.send(&house, "pull_request", "t-2", &pull_request("synchronize", &commit).await).await;
    host.says("| Ready |").await;
    assert_eq!(house.body("shop--pr-2").await, "again");
}

#[tokio::test]
async fn a_host_that_fails_is_told_later_and_one_that_refuses_raises_an_alert() {
    let host = GitHost::start().await;
    let (house, repository, hook) = connected(&host, &[]).await;
    host.refuse(502, 2);
    let commit = repository.commit("main", &[("index.html", "one")]);
    hook.send(&house, "push", "r-1", &push("main", &commit).await).await;
    host.told(&commit, "success").await;
    let alerts = async || {
        let data = house.graphql("{ alerts { nodes { kind message resolvedAt } } }", json!({})).await;
        data["alerts"]["nodes"].as_array().unwrap().clone()
    };
    assert_eq!(alerts().await, Vec::<Value>::new());
    host.refuse(401, 1000);
    let commit = repository.commit("main", &[("index.html", "two")]);
    hook.send(&house, "push", "r-2", &push("main", &commit).await).await;
    wait_until(PATIENCE, "an alert", async || !alerts().await.is_empty()).await;
    let alert = alerts().await[0].clone();
    assert_eq!(alert["kind"], "git_report_failed");
    assert!(alert["message"].as_str().unwrap().contains("GitHub answered 401"), "{alert}");
    // What is deployed does not depend on it.
    wait_until(PATIENCE, "the deployment", async || house.body("shop").await == "two").await;
    host.refuse(200, 0);
    let commit = repository.commit("main", &[("index.html", "three")]);
    hook.send(&house, "push", "r-3", &push("main", &commit).await).await;
    wait_until(PATIENCE, "the end of the alert", async || !alerts().await[0]["resolvedAt"].is_null()).await;
}

#[tokio::test]
async fn a_push_for_somebody_who_left_fails_loudly() {
    let host = GitHost::start().await;
    let (house, repository, _) = connected(&host, &[]).await;
    house.json(&["git", "disconnect", "-p", "shop"]).await;
    let ann = house.colleague("ann", "developer").await;
    let api = host.url.as_str();
    let connecting =
        ["git", "connect", "-p", "shop", "--host", "github", "--repository", "Codertocat/Hello-World", "--api-url", api];
    let made = house.cli_as(&ann.token, &connecting).await;
    assert_eq!(made.exit, 0, "{made:?}");
    let made = made.json();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let hook = Hook { url: text("webhookUrl"), secret: text("webhookSecret") };
    house.json(&["members", "remove", "ann@example.org"]).await;
    let commit = repository.commit("main", &[]);
    hook.send(&house, "push", "l-1", &push("main", &commit).await).await;
    assert!(house.delivered("FAILED").await.contains("is no longer in the team"));
    let data = house.graphql("{ alerts { nodes { kind message } } }", json!({})).await;
    assert_eq!(data["alerts"]["nodes"][0]["kind"], "git_delivery_failed", "{data}");
}

#[tokio::test]
async fn connecting_says_what_is_wrong_and_what_was_connected_is_changed_and_ended() {
    let host = GitHost::start().await;
    let (house, repository, hook) = connected(&host, &[]).await;
    let api = host.url.as_str();
    for (arguments, code) in [
        (vec!["--api-url", api, "--host", "github", "--repository", "a/b"], "CONNECTED"),
        (vec!["--api-url", "https://evil.example/", "--host", "github", "--repository", "a/b"], "UNKNOWN_HOST"),
        (vec!["--api-url", "http://169.254.169.254/", "--host", "gitlab", "--repository", "a/b"], "UNKNOWN_HOST"),
        (vec!["--api-url", api, "--repository", "a/b"], "UNKNOWN_HOST"),
        (vec!["--api-url", api, "--host", "github", "--repository", "../b"], "INVALID_REPOSITORY"),
        (vec!["--api-url", api, "--host", "github", "--repository", "a/b", "--preview-hours", "0"], "OUT_OF_RANGE"),
        (vec!["--api-url", api, "--host", "github", "--repository", "a/b", "--branch", "x=Not A Name"], "INVALID_NAME"),
    ] {
        let ran = house.cli(&[&["git", "connect", "-p", "shop", "--json"], &arguments[..]].concat()).await;
        assert_eq!(ran.error().0, code, "{arguments:?} {ran:?}");
    }
    let wrong = house.cli_with_input(&["git", "update", "-p", "shop", "--token-stdin", "--json"], "ghp_wrong").await.error();
    assert!(wrong.0 == "REFUSED" && wrong.1.contains("GitHub answered 401"), "{wrong:?}");

    let changed = house.json(&["git", "update", "-p", "shop", "--previews", "false", "--new-secret"]).await;
    assert_eq!((&changed["connection"]["previews"], &changed["connection"]["reports"]), (&json!(false), &json!(true)));
    let commit = repository.commit("main", &[]);
    assert_eq!(hook.send(&house, "push", "u-1", &push("main", &commit).await).await.0, 401, "the old secret is of no use");
    let hook = Hook { url: hook.url, secret: changed["webhookSecret"].as_str().unwrap().to_owned() };
    let (_, answer) = hook.send(&house, "pull_request", "u-2", &pull_request("opened", &commit).await).await;
    assert_eq!(answer["reason"], "previews are switched off for this repository");

    house.json(&["git", "update", "-p", "shop", "--previews", "true"]).await;
    repository.keep(&commit, "refs/pull/2/head");
    hook.send(&house, "pull_request", "u-3", &pull_request("reopened", &commit).await).await;
    host.says("| Ready |").await;
    house.json(&["git", "disconnect", "-p", "shop"]).await;
    wait_until(PATIENCE, "the preview to be gone", async || house.environments().await == ["production"]).await;
    assert_eq!(hook.send(&house, "push", "u-4", &push("main", &commit).await).await.0, 401);
    assert_eq!(house.json(&["git", "show", "-p", "shop"]).await, Value::Null);
    connect(&house, &host, &[]).await;
    let log = house.whole_log();
    assert!(!log.contains(TOKEN) && !log.contains(&hook.secret), "secrets are in the log");
}

#[tokio::test]
async fn an_environment_is_deleted_with_all_it_has_and_production_stays() {
    let host = GitHost::start().await;
    let (house, repository, hook) = connected(&host, &[]).await;
    house.deploy(house.site("shop", "staged"), &["-p", "shop", "-e", "staging"]).await;
    house.json(&["schedules", "create", "nightly", "0 3 * * *", "--path", "/", "-p", "shop", "-e", "staging"]).await;
    assert_eq!(house.body("shop--staging").await, "staged");
    assert_eq!(house.json(&["environments", "delete", "staging", "-p", "shop"]).await["deleting"], true);
    wait_until(PATIENCE, "it to be gone", async || house.environments().await == ["production"]).await;
    assert_eq!(house.get("shop--staging", "/").await.status, 404);
    assert_eq!(house.json(&["schedules", "list", "-p", "shop"]).await, json!([]));
    assert_eq!(house.cli(&["environments", "delete", "production", "-p", "shop", "--json"]).await.error().0, "PRODUCTION");
    assert_eq!(house.cli(&["environments", "delete", "staging", "-p", "shop", "--json"]).await.error().0, "NOT_FOUND");
    // It can be made anew.
    house.deploy(house.site("shop", "staged again"), &["-p", "shop", "-e", "staging"]).await;

    // What somebody made is no preview, whatever its name.
    house.deploy(house.site("shop", "mine"), &["-p", "shop", "-e", "pr-2"]).await;
    let commit = repository.commit("feature", &[]);
    repository.keep(&commit, "refs/pull/2/head");
    hook.send(&house, "pull_request", "e-1", &pull_request("opened", &commit).await).await;
    assert!(house.delivered("FAILED").await.contains("`pr-2` is there and is no preview"));
    hook.send(&house, "pull_request", "e-2", &pull_request("closed", &commit).await).await;
    house.delivered("DONE").await;
    assert_eq!(house.body("shop--pr-2").await, "mine");
}

#[tokio::test]
async fn gitlab_pushes_and_merge_requests_deploy_as_well() {
    let host = GitHost::start().await;
    let (house, repository, hook) = connected(&host, &["--host", "gitlab", "--repository", "group/sub/shop"]).await;
    let project = json!({"path_with_namespace": "group/sub/shop", "default_branch": "main"});
    let commit = repository.commit("main", &[("index.html", "from GitLab")]);
    let hook_of = |commit: &str| json!({"object_kind": "push", "ref": "refs/heads/main", "after": commit, "project": project});
    assert_eq!(hook.send_gitlab(&house, "Push Hook", "g-1", &hook_of(&commit)).await.0, 202);
    host.told(&commit, "success").await;
    assert_eq!(house.body("shop").await, "from GitLab");
    let told = host.asked().into_iter().find(|asked| asked.path.contains("/statuses/")).unwrap();
    assert_eq!(
        (told.path.as_str(), told.authorization.as_str()),
        (&*format!("/projects/group%2Fsub%2Fshop/statuses/{commit}"), TOKEN)
    );
    let wrong = Hook { url: hook.url.clone(), secret: "wrong".to_owned() };
    assert_eq!(wrong.send_gitlab(&house, "Push Hook", "g-2", &hook_of(&commit)).await.0, 401);

    let commit = repository.commit("feature", &[("index.html", "merge me")]);
    repository.keep(&commit, "refs/merge-requests/7/head");
    let request = |action: &str| {
        json!({"object_kind": "merge_request", "user": {"username": "ada"}, "project": project, "object_attributes": {
            "iid": 7, "title": "A page", "action": action, "source_branch": "feature", "source_project_id": 1, "target_project_id": 1,
            "last_commit": {"id": commit}, "updated_at": now()}})
    };
    hook.send_gitlab(&house, "Merge Request Hook", "g-3", &request("open")).await;
    host.says("shows this merge request").await;
    host.told(&commit, "success").await;
    assert_eq!(house.body("shop--mr-7").await, "merge me");
    hook.send_gitlab(&house, "Merge Request Hook", "g-4", &request("merge")).await;
    host.says("the merge request was closed").await;
    wait_until(PATIENCE, "it to be gone", async || house.environments().await == ["production"]).await;
    assert!(host.asked().iter().any(|asked| asked.method == Method::PUT && asked.path.contains("/merge_requests/7/notes/")));
}

#[tokio::test]
async fn the_app_serves_the_repositories_of_accounts_that_the_operator_gave_to_a_team() {
    let host = GitHost::start().await;
    let mut house = House::start_with(&[("MIKROCLOUD_GIT_HOSTS", &host.allowed())]).await;
    let key = house.scratch("app").join("key.pem");
    let made =
        tokio::process::Command::new("openssl").args(["genrsa", "-traditional", "-out", key.to_str().unwrap(), "2048"]).output();
    assert!(made.await.unwrap().status.success());
    house.terminate().await;
    house.set_env(&[
        ("MIKROCLOUD_GITHUB_APP_ID", "7"),
        ("MIKROCLOUD_GITHUB_APP_KEY_FILE", key.to_str().unwrap()),
        ("MIKROCLOUD_GITHUB_APP_WEBHOOK_SECRET", "of the app"),
        ("MIKROCLOUD_GITHUB_APP_API", &host.url),
    ]);
    house.run().await;
    let hook = Hook { url: house.url("/webhooks/github"), secret: "of the app".to_owned() };
    let installation = async |action: &str, at: i64| {
        let mut payload = recorded("installation", |example| example["action"] == "created").await;
        payload["action"] = json!(action);
        payload["installation"]["updated_at"] = json!(at);
        payload
    };
    let at = now().timestamp();
    assert_eq!(hook.send(&house, "installation", "i-1", &installation("created", at).await).await.0, 202);
    let strange = Hook { url: hook.url.clone(), secret: "of somebody".to_owned() };
    assert_eq!(strange.send(&house, "installation", "i-2", &installation("deleted", at).await).await.0, 401);
    let listed = house.json(&["git", "installations"]).await;
    assert_eq!((&listed[0]["account"], &listed[0]["teamId"]), (&json!("Codertocat"), &Value::Null), "{listed}");

    let repository = house.repository("shop");
    house.json(&["projects", "create", "shop", "--repository", &repository.url(), "--ref", "main"]).await;
    let api = host.url.as_str();
    let connecting =
        ["git", "connect", "-p", "shop", "--host", "github", "--repository", "Codertocat/Hello-World", "--api-url", api];
    let made = house.json(&connecting).await;
    assert_eq!(made["connection"]["byApp"], false, "no team has the account yet: {made}");
    house.json(&["git", "disconnect", "-p", "shop"]).await;
    let id = listed[0]["id"].as_str().unwrap();
    house.json(&["git", "assign", id]).await;
    let made = house.json(&connecting).await;
    assert_eq!((&made["connection"]["byApp"], &made["webhookSecret"]), (&json!(true), &Value::Null), "{made}");

    let pushed = async |text: &str| {
        let commit = repository.commit("main", &[("index.html", text)]);
        let mut payload = push("main", &commit).await;
        payload["installation"] = json!({"id": id.parse::<i64>().unwrap()});
        (commit, payload)
    };
    let (commit, payload) = pushed("by the app").await;
    assert_eq!(hook.send(&house, "push", "i-3", &payload).await.0, 202);
    host.told(&commit, "success").await;
    assert_eq!(house.body("shop").await, "by the app");
    let asked = host.asked();
    let signed_in = asked.iter().find(|asked| asked.path.ends_with("/access_tokens")).unwrap();
    assert_eq!(signed_in.path, format!("/app/installations/{id}/access_tokens"));
    assert!(signed_in.authorization.starts_with("Bearer eyJ"), "signed with the app's key");

    // Suspended, it is of no use; what came before that is not believed after it.
    hook.send(&house, "installation", "i-4", &installation("suspend", at + 10).await).await;
    hook.send(&house, "installation", "i-5", &installation("unsuspend", at + 5).await).await;
    assert_eq!(house.json(&["git", "installations"]).await[0]["suspended"], true);
    let (_, payload) = pushed("while it is suspended").await;
    let (status, answer) = hook.send(&house, "push", "i-6", &payload).await;
    assert_eq!((status, &answer["status"]), (200, &json!("ignored")), "{answer}");
    hook.send(&house, "installation", "i-7", &installation("deleted", at + 20).await).await;
    assert_eq!(house.json(&["git", "installations"]).await, json!([]));
}
