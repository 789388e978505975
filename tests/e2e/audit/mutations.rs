//! Every mutation of the schema leaves an entry.

use std::collections::BTreeSet;

use domain::git_host::{InstallationAction, InstallationChange};
use domain::id::UserId;
use domain::time::now;
use serde_json::{Value, json};
use store::{Identity, Store};

use crate::identity::access::PASSWORD;
use crate::identity::second_factor::{code, present_step};
use crate::support::harness::House;
use crate::world::{cloud_account, dead_job, house};

/// Mutations that leave no entry, each with the reason.
const EXEMPT: [(&str, &str); 4] = [
    ("acknowledgeSecurityEvents", "only marks as read"),
    (
        "answerInvitation",
        "who is asked is in no team yet: `invitation.accept` and `invitation.decline` stand in the log of who invites",
    ),
    ("beginSecondFactor", "nothing is asked for until the second factor is confirmed"),
    ("verifyDomain", "only looks at the DNS: `domain.verify` stands in the log once it shows that the domain is the team's"),
];

/// Goes through mutations and notes which.
struct Walk<'h> {
    house: &'h House,
    gone: BTreeSet<String>,
    last: i64,
}

impl Walk<'_> {
    /// The actions of the entries since the last look.
    async fn news(&mut self) -> Vec<Value> {
        let entries = self.house.audit(Value::Null, 20).await;
        let mut new: Vec<_> = entries.into_iter().filter(|entry| entry["sequence"].as_i64().unwrap() > self.last).collect();
        new.reverse();
        self.last += i64::try_from(new.len()).unwrap();
        assert!(new.last().is_none_or(|entry| entry["sequence"] == self.last), "no gaps: {new:?}");
        new
    }

    /// A mutation that goes well and leaves exactly one entry.
    async fn step(&mut self, mutation: &str, input: Value, fields: &str, action: &str) -> Value {
        let token = self.house.token();
        self.step_as(&token, mutation, input, fields, action).await
    }

    async fn step_as(&mut self, token: &str, mutation: &str, input: Value, fields: &str, action: &str) -> Value {
        self.news().await;
        let input_type = match mutation {
            "retryJob" | "discardJob" => "JobInput".to_owned(),
            "rotateNotificationSecret" | "testNotificationChannel" | "deleteNotificationChannel" => {
                "NotificationChannelInput".to_owned()
            }
            "confirmSecondFactor" | "renewRecoveryCodes" | "disableSecondFactor" => "SecondFactorCodeInput".to_owned(),
            _ => format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]),
        };
        let query = format!(
            "mutation($input: {input_type}!) {{ {mutation}(input: $input) {{ {fields} userErrors {{ code message }} }} }}"
        );
        let mut answer = self.house.graphql_as(token, &query, json!({"input": input})).await;
        assert!(answer["errors"].is_null() && answer["data"][mutation]["userErrors"] == json!([]), "{mutation}: {answer}");
        let news = self.news().await;
        let actions: Vec<_> = news.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
        assert_eq!(actions, [action], "{mutation} leaves one entry");
        let entry = &news[0];
        assert!(entry["outcome"] == "DONE" && entry["requestId"].is_string() && entry["address"] == "127.0.0.1", "{entry}");
        assert!(entry["target"]["id"].is_string() && entry["actor"]["email"].is_string(), "{entry}");
        self.gone.insert(mutation.to_owned());
        answer["data"][mutation].take()
    }
}

fn id<'v>(payload: &'v Value, field: &str) -> &'v str {
    payload[field]["id"].as_str().unwrap_or_else(|| panic!("no id of {field} in {payload}"))
}

#[tokio::test]
async fn every_mutation_leaves_an_entry() {
    let house = house().await;
    let ann = house.colleague("ann", "admin").await;
    let mut walk = Walk { house: &house, gone: BTreeSet::new(), last: 0 };
    let project = walk.step("createProject", json!({"name": "page"}), "project { id }", "project.create").await;
    let project = id(&project, "project").to_owned();
    walk.step("updateProject", json!({"projectId": project, "reference": "main"}), "project { id }", "project.update").await;
    let variables = json!({"projectId": project, "variables": [{"name": "A", "value": "1"}]});
    walk.step("setEnvironmentVariable", variables, "names", "variable.set").await;
    walk.step("unsetEnvironmentVariable", json!({"projectId": project, "name": "A"}), "names", "variable.unset").await;
    deployments(&mut walk, &project).await;
    approvals(&mut walk, &project, &ann.token).await;
    operations(&mut walk, &project).await;
    domains(&mut walk, &project).await;
    git(&mut walk, &project).await;
    notifications(&mut walk, &project).await;
    access(&mut walk, &project).await;
    clouds(&mut walk).await;
    let export = walk.step("beginAuditExport", json!({"format": "OCSF"}), "after to", "audit.export").await;
    assert_eq!(export["to"], walk.last);
    walk.step("deleteProject", json!({"projectId": project}), "project { id }", "project.delete").await;
    account(&mut walk).await;

    let schema = house.graphql("{ __schema { mutationType { fields { name } } } }", json!({})).await;
    let fields = schema["__schema"]["mutationType"]["fields"].as_array().unwrap();
    let there: BTreeSet<_> = fields.iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect();
    walk.gone.extend(EXEMPT.iter().map(|(mutation, _)| (*mutation).to_owned()));
    assert_eq!(walk.gone, there, "each mutation is gone through here, or is exempt for a reason");
}

/// Mutations of the owner's own account, in a session.
async fn account(walk: &mut Walk<'_>) {
    let house = walk.house;
    let tokens = house.owner_session().await;
    let token = tokens["access_token"].as_str().unwrap();
    let phrase = "another quite uncommon phrase";
    let change = json!({"password": PASSWORD, "newPassword": phrase});
    walk.step_as(token, "changePassword", change, "done", "account.password-change").await;
    assert_eq!(house.sign_in("owner@localhost", phrase).await.0, 200);
    let actions: Vec<_> = walk.news().await.into_iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions, ["sign-in.done"]);
    let sessions = house.account(&tokens, "sessions { id current }").await["sessions"].take();
    let other = sessions.as_array().unwrap().iter().find(|session| session["current"] == false).unwrap();
    walk.step_as(token, "revokeSession", json!({"sessionId": other["id"]}), "done", "session.revoke").await;
    let begun =
        house.in_session(&tokens, "beginSecondFactor", "BeginSecondFactorInput", json!({"password": phrase}), "secret").await;
    let secret = begun["secret"].as_str().unwrap();
    let step = present_step();
    for (offset, mutation, fields, action) in [
        (-1, "confirmSecondFactor", "codes", "account.second-factor-enable"),
        (0, "renewRecoveryCodes", "codes", "account.recovery-codes-renew"),
        (1, "disableSecondFactor", "done", "account.second-factor-disable"),
    ] {
        let input = json!({"code": code(secret, step + offset).await});
        walk.step_as(token, mutation, input, fields, action).await;
    }
    let (_, owner) = house.owner().await;
    linked(house, owner).await;
    let input = json!({"provider": "corp", "password": phrase});
    walk.step_as(token, "unlinkIdentity", input, "done", "account.identity-unlink").await;
    walk.news().await;
    let query = "mutation { signOutEverywhere { done } }";
    house.graphql_as(token, query, json!({})).await;
    let actions: Vec<_> = walk.news().await.into_iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions, ["session.sign-out-everywhere"]);
    walk.gone.insert("signOutEverywhere".to_owned());
}

/// Links an account of a provider, as its sign-in would.
async fn linked(house: &House, user_id: UserId) {
    let store = Store::sqlite(&house.data().join("mikrocloud.db")).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let (provider, subject, email) = ("corp".to_owned(), "1815".to_owned(), "owner@localhost".to_owned());
    let identity = Identity { provider, subject, user_id, email, created_at: now(), used_at: now() };
    tx.identity_insert(&identity).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
}

async fn deployments(walk: &mut Walk<'_>, project: &str) {
    let house = walk.house;
    walk.news().await;
    let first = house.deploy(house.site("page", "one"), &["--project", "page"]).await["deployment"].clone();
    let actions: Vec<_> = walk.news().await.into_iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions, ["upload.create", "deployment.trigger"], "an upload is an entry, too");
    let second = house.deploy(house.site("page", "two"), &["--project", "page"]).await["deployment"].clone();
    let input = json!({"deploymentId": second, "environment": "preview"});
    let promoted = walk.step("promoteDeployment", input, "deployment { id }", "deployment.promote").await;
    house.ended(id(&promoted, "deployment")).await;
    let input = json!({"projectId": project, "toDeploymentId": first});
    let back = walk.step("rollbackDeployment", input, "deployment { id }", "deployment.rollback").await;
    house.ended(id(&back, "deployment")).await;
}

async fn approvals(walk: &mut Walk<'_>, project: &str, other: &str) {
    let house = walk.house;
    let repository = house.repository("source");
    repository.commit("main", &[("index.html", "three")]);
    let protected = json!({"projectId": project, "protected": true});
    walk.step("protectEnvironment", protected, "environment { name }", "environment.protect").await;
    let input = json!({"projectId": project, "repository": repository.url()});
    let waiting = walk.step("triggerDeployment", input, "deployment { id }", "deployment.trigger").await;
    let input = json!({"deploymentId": id(&waiting, "deployment")});
    walk.step("cancelDeployment", input, "deployment { id }", "deployment.cancel").await;
    for (mutation, action) in [("rejectDeployment", "deployment.reject"), ("approveDeployment", "deployment.approve")] {
        let waiting = house.deploy_detached(house.site("page", mutation), &["--project", "page"]).await;
        let input = json!({"deploymentId": waiting, "reason": "because"});
        walk.step_as(other, mutation, input, "deployment { id }", action).await;
        house.ended(&waiting).await;
    }
}

async fn operations(walk: &mut Walk<'_>, project: &str) {
    let input = json!({"projectId": project, "name": "yearly", "cron": "0 3 1 1 *", "path": "/"});
    let schedule = walk.step("createSchedule", input, "schedule { id }", "schedule.create").await;
    let schedule = id(&schedule, "schedule");
    let input = json!({"scheduleId": schedule, "enabled": false});
    walk.step("enableSchedule", input, "schedule { id }", "schedule.enable").await;
    walk.step("deleteSchedule", json!({"scheduleId": schedule}), "deleted", "schedule.delete").await;
    let (team, _) = walk.house.owner().await;
    let job = dead_job(walk.house, team).await;
    walk.step("retryJob", json!({"jobId": job}), "job { id }", "job.retry").await;
    walk.step("discardJob", json!({"jobId": job}), "job { id }", "job.discard").await;
    walk.step("createTeam", json!({"name": "Design"}), "team { id }", "team.create").await;
    walk.step("updateTeam", json!({"name": "House"}), "team { id }", "team.update").await;
    walk.step("updateQueue", json!({"name": "build", "concurrency": 3}), "queue { name }", "queue.update").await;
}

async fn git(walk: &mut Walk<'_>, project: &str) {
    let house = walk.house;
    let installation = InstallationChange { id: 7, account: "octo".to_owned(), action: InstallationAction::Present };
    let store = Store::sqlite(&house.data().join("mikrocloud.db")).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.git_installation_put(&installation, now()).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    let input = json!({"installationId": "7", "assigned": true});
    walk.step("assignGitInstallation", input, "installation { id }", "git.assign").await;
    let input = json!({"projectId": project, "repository": "https://github.com/octo/page"});
    walk.step("updateProject", input, "project { id }", "project.update").await;
    walk.step("connectRepository", json!({"projectId": project}), "connection { id }", "git.connect").await;
    let input = json!({"projectId": project, "previewHours": 2, "newSecret": true});
    walk.step("updateGitConnection", input, "connection { id }", "git.update").await;
    walk.step("disconnectRepository", json!({"projectId": project}), "disconnected", "git.disconnect").await;
    let input = json!({"projectId": project, "environment": "preview"});
    walk.step("deleteEnvironment", input, "environment { id }", "environment.delete").await;
}

async fn domains(walk: &mut Walk<'_>, project: &str) {
    let input = json!({"projectId": project, "environment": "preview", "name": "shop.example"});
    let domain = walk.step("addDomain", input, "domain { id }", "domain.add").await;
    let domain = id(&domain, "domain");
    let input = json!({"domainId": domain, "environment": "production"});
    walk.step("updateDomain", input, "domain { id }", "domain.update").await;
    walk.step("removeDomain", json!({"domainId": domain}), "removed", "domain.remove").await;
}

async fn notifications(walk: &mut Walk<'_>, project: &str) {
    let input = json!({"kind": "WEBHOOK", "name": "ops", "projectId": project, "url": "http://127.0.0.1:9/"});
    let channel = walk.step("createNotificationChannel", input, "channel { id }", "notification-channel.create").await;
    let channel = id(&channel, "channel");
    let input = json!({"channelId": channel, "events": ["alert.raised"]});
    walk.step("updateNotificationChannel", input, "channel { id }", "notification-channel.update").await;
    let this = json!({"channelId": channel});
    walk.step("rotateNotificationSecret", this.clone(), "secret", "notification-channel.rotate-secret").await;
    walk.step("testNotificationChannel", this.clone(), "deliveries { id }", "notification-channel.test").await;
    let input = json!({"channelId": channel, "since": "2020-01-01T00:00:00Z"});
    walk.step("replayNotifications", input, "count", "notification-channel.replay").await;
    let input = json!({"channelId": channel, "enabled": false});
    walk.step("enableNotificationChannel", input, "channel { id }", "notification-channel.enable").await;
    walk.step("deleteNotificationChannel", this, "deleted", "notification-channel.delete").await;
}

async fn clouds(walk: &mut Walk<'_>) {
    let account = walk.step("connectCloudAccount", cloud_account("main"), "account { id }", "cloud.connect").await;
    let account = id(&account, "account");
    let this = json!({"id": account});
    walk.step("updateCloudAccount", json!({"id": account, "region": "eu-west"}), "account { id }", "cloud.update").await;
    walk.step("verifyCloudAccount", this.clone(), "account { id }", "cloud.verify").await;
    walk.step("disconnectCloudAccount", this, "disconnected", "cloud.disconnect").await;
}

async fn access(walk: &mut Walk<'_>, project: &str) {
    let key = walk.step("createApiKey", json!({"name": "k"}), "apiKey { id }", "api-key.create").await;
    walk.step("revokeApiKey", json!({"apiKeyId": id(&key, "apiKey")}), "done", "api-key.revoke").await;
    let role = json!({"name": "reader", "permissions": ["project-read"]});
    let role = walk.step("createRole", role, "role { id }", "role.create").await;
    let role = id(&role, "role");
    walk.step("updateRole", json!({"roleId": role, "name": "looker"}), "role { id }", "role.update").await;
    let account = json!({"name": "bot", "role": "VIEWER"});
    walk.step("createServiceAccount", account, "member { user { id } }", "service-account.create").await;
    let member = json!({"email": "bob@example.org", "role": "VIEWER"});
    let member = walk.step("addMember", member, "member { user { id } }", "member.add").await;
    let member = id(&member["member"], "user");
    let grant = json!({"userId": member, "role": "DEVELOPER", "projectId": project, "environment": "preview"});
    let grant = walk.step("grantRole", grant, "grant { id }", "grant.create").await;
    walk.step("revokeGrant", json!({"grantId": id(&grant, "grant")}), "done", "grant.revoke").await;
    walk.house.other_team().await;
    let invited = json!({"email": "other@example.org", "role": "VIEWER"});
    let invited = walk.step("addMember", invited, "invitationId", "member.add").await;
    walk.step("revokeInvitation", json!({"invitationId": invited["invitationId"]}), "done", "invitation.revoke").await;
    walk.step("setMemberRole", json!({"userId": member, "role": "DEVELOPER"}), "done", "member.set-role").await;
    walk.step("removeMember", json!({"userId": member}), "done", "member.remove").await;
    walk.step("deleteRole", json!({"roleId": role}), "done", "role.delete").await;
}
