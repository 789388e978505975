//! A team that has one of everything, and those who try to reach it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::access::Permission;
use domain::alert::Alert;
use domain::event::NewLine;
use domain::id::{AlertId, JobId, SessionId, TeamId};
use domain::job::Fence;
use domain::time::now;
use domain::trace::TraceContext;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use store::{Failed, JobClaim, NewJob, Store};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::Who;
use crate::identity::access::PASSWORD;
use crate::support::harness::{House, PATIENCE};

/// Stands in the names of all that the team has: whoever hears it was told something.
const MARKER: &str = "marked";

pub struct World {
    ids: HashMap<&'static str, String>,
    tokens: HashMap<&'static str, String>,
    /// The owner's keys, each without one scope.
    narrow: HashMap<Permission, String>,
    made: AtomicU32,
}

impl World {
    pub async fn new(house: &House) -> Self {
        let (team, owner) = house.owner().await;
        let mut ids = HashMap::from([("<slug>", format!("{MARKER}-shop"))]);
        let repository = house.repository(MARKER);
        repository.commit("main", &[("index.html", MARKER)]);
        let input = json!({"name": ids["<slug>"], "repository": repository.url()});
        let project = made(house, "createProject", "CreateProjectInput", input, "project").await;
        let guarded = json!({"projectId": project, "environment": "guarded", "protected": true});
        house.mutate("protectEnvironment", "ProtectEnvironmentInput", guarded, "environment { protected }").await;
        // It waits for an approval: nothing is built.
        let input = json!({"projectId": project, "environment": "guarded"});
        let deployment = made(house, "triggerDeployment", "TriggerDeploymentInput", input, "deployment").await;
        let input = json!({"projectId": project, "name": MARKER, "cron": "0 3 1 1 *", "path": "/"});
        let schedule = made(house, "createSchedule", "CreateScheduleInput", input, "schedule").await;
        let member = json!({"email": format!("{MARKER}@example.org"), "role": "DEVELOPER"});
        let member = house.mutate("addMember", "AddMemberInput", member, "member { user { id } }").await;
        let member = member["member"]["user"]["id"].as_str().unwrap().to_owned();
        let input = json!({"name": format!("{MARKER}-role"), "permissions": ["project-read"]});
        let role = made(house, "createRole", "CreateRoleInput", input, "role").await;
        let input = json!({"userId": member, "role": "DEVELOPER", "projectId": project, "environment": "other"});
        let grant = made(house, "grantRole", "GrantRoleInput", input, "grant").await;
        let key = made(house, "createApiKey", "CreateApiKeyInput", json!({"name": MARKER}), "apiKey").await;
        let job = rows(house, team, &deployment).await;
        ids.extend([("<project>", project), ("<deployment>", deployment), ("<schedule>", schedule), ("<member>", member)]);
        let domain = json!({"projectId": ids["<project>"], "environment": "guarded", "name": format!("{MARKER}.example")});
        let domain = made(house, "addDomain", "AddDomainInput", domain, "domain").await;
        ids.insert("<domain>", domain);
        let account = made(house, "connectCloudAccount", "ConnectCloudAccountInput", cloud_account(MARKER), "account").await;
        ids.insert("<cloudAccount>", account);
        let channel = json!({"kind": "WEBHOOK", "name": MARKER, "projectId": ids["<project>"], "url": format!("http://127.0.0.1:9/{MARKER}")});
        let channel = made(house, "createNotificationChannel", "CreateNotificationChannelInput", channel, "channel").await;
        let input = json!({"channelId": channel});
        let ping = house.mutate("testNotificationChannel", "NotificationChannelInput", input, "deliveries { id }").await;
        ids.insert("<message>", ping["deliveries"][0]["id"].as_str().unwrap().to_owned());
        ids.insert("<channel>", channel);
        ids.insert("<owner>", owner.to_string());
        let stranger = house.other_team().await;
        let invited = json!({"email": "other@example.org", "role": "VIEWER"});
        let mut invited = house.mutate("addMember", "AddMemberInput", invited, "invitationId").await;
        ids.insert("<invitation>", serde_json::from_value(invited["invitationId"].take()).unwrap());
        ids.insert("<session>", SessionId::new().to_string());
        ids.extend([("<role>", role), ("<grant>", grant), ("<key>", key), ("<job>", job)]);

        let mut narrow = HashMap::new();
        for without in Permission::ALL {
            let scopes: Vec<_> = Permission::ALL.into_iter().filter(|scope| *scope != without).map(Permission::name).collect();
            let input = json!({"name": "narrow", "scopes": scopes});
            let key = house.mutate("createApiKey", "CreateApiKeyInput", input, "secret").await;
            narrow.insert(without, key["secret"].as_str().unwrap().to_owned());
        }
        let guests = made(house, "createRole", "CreateRoleInput", json!({"name": "guest", "permissions": []}), "role").await;
        let blog = made(house, "createProject", "CreateProjectInput", json!({"name": "blog"}), "project").await;
        let sibling = json!({"role": "DEVELOPER", "projectId": ids["<project>"], "environment": "sibling"});
        let tokens = HashMap::from([
            ("invented", "mck_invented".to_owned()),
            ("expired", house.key(team, owner, Some(now() - chrono::Duration::seconds(1))).await),
            ("stranger", stranger),
            ("viewer", house.member("VIEWER").await),
            ("elsewhere", guest(house, &guests, "elsewhere", json!({"role": "ADMIN", "projectId": blog})).await),
            ("sibling", guest(house, &guests, "sibling", sibling).await),
            ("owner", house.token()),
        ]);
        Self { ids, tokens, narrow, made: AtomicU32::new(0) }
    }

    /// The document with the ids of what the team has.
    pub fn filled(&self, document: &str) -> String {
        let new = format!("new-{}", self.made.fetch_add(1, Ordering::Relaxed));
        let filled = self.ids.iter().fold(document.to_owned(), |text, (name, id)| text.replace(name, id));
        filled.replace("<new>", &new)
    }

    /// Returns true if an answer names anything that the team has.
    pub fn tells(&self, answer: &Value) -> bool {
        let answer = answer.to_string();
        answer.contains(MARKER) || self.ids.values().any(|id| answer.contains(id))
    }

    /// Credential of somebody who tries something that takes this permission.
    pub fn token(&self, who: Who, permission: Option<Permission>) -> Option<String> {
        let name = match who {
            Who::Nobody => return None,
            Who::KeyWithoutScope => return Some(self.narrow[&permission.unwrap_or(Permission::ProjectRead)].clone()),
            Who::Invented => "invented",
            Who::Expired => "expired",
            Who::Stranger => "stranger",
            Who::Viewer => "viewer",
            Who::Elsewhere => "elsewhere",
            Who::Sibling => "sibling",
            Who::Owner => "owner",
        };
        Some(self.tokens[name].clone())
    }
}

/// A house for such a team; its notifications may go to this machine, where nobody takes them.
pub async fn house() -> House {
    House::start_with(&[("MIKROCLOUD_ALLOW_NETWORKS", "127.0.0.0/8"), ("MIKROCLOUD_ALLOW_CLOUD_ENDPOINT", NO_CLOUD)]).await
}

/// Address at which no cloud answers.
const NO_CLOUD: &str = "http://127.0.0.1:9";

/// Input that connects an account of a cloud which does not answer.
pub fn cloud_account(name: &str) -> Value {
    let id = "00000000-0000-0000-0000-000000000001";
    let credential = json!({"azure": {"tenantId": id, "clientId": id, "clientSecret": "none"}});
    json!({"cloud": "azure", "name": name, "identity": id, "credential": credential, "endpoint": NO_CLOUD})
}

/// Makes something and returns its id.
async fn made(house: &House, mutation: &str, input_type: &str, input: Value, field: &str) -> String {
    let payload = house.mutate(mutation, input_type, input, &format!("{field} {{ id }}")).await;
    payload[field]["id"].as_str().unwrap_or_else(|| panic!("{mutation}: {payload}")).to_owned()
}

/// A member that may do nothing in the team, besides what is granted; the access token.
async fn guest(house: &House, role: &str, name: &str, mut grant: Value) -> String {
    let input = json!({"email": format!("{name}@example.org"), "customRoleId": role});
    let mut added = house.mutate("addMember", "AddMemberInput", input, "signInPath member { user { id } }").await;
    let path = added["signInPath"].as_str().unwrap();
    let (_, tokens) = house.post("/auth/link", json!({"token": path.split("token=").nth(1), "password": PASSWORD})).await;
    grant["userId"] = added["member"]["user"]["id"].take();
    made(house, "grantRole", "GrantRoleInput", grant, "grant").await;
    tokens["access_token"].as_str().unwrap().to_owned()
}

/// Writes rows that only the server itself writes: a dead job, whose id is returned, an alert and a log line.
async fn rows(house: &House, team: TeamId, deployment: &str) -> String {
    let alert = Alert {
        id: AlertId::new(),
        team_id: Some(team),
        kind: "run_missed".to_owned(),
        subject: "test".to_owned(),
        message: MARKER.to_owned(),
        raised_at: now(),
        resolved_at: None,
    };
    let store = Store::sqlite(&house.data().join("mikrocloud.db")).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.alert_raise(&alert).await.unwrap();
    tx.log_insert(team, deployment.parse().unwrap(), &[NewLine::system(MARKER)]).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    dead_job(house, team).await
}

/// A job that failed for good, in a queue that nobody works on; its id.
pub async fn dead_job(house: &House, team: TeamId) -> String {
    let job = NewJob {
        id: JobId::new(),
        team_id: team,
        kind: "test",
        queue: MARKER,
        payload: json!({"version": 1}),
        subject_id: None,
        priority: 100,
        exclusion_key: None,
        deduplication_key: None,
        run_at: now(),
        max_attempts: 1,
        trace: TraceContext::new(),
    };
    let claim = JobClaim {
        token: JobId::new().uuid(),
        lease_until: now() + chrono::Duration::hours(1),
        worker: "test",
        is_limited: false,
    };
    let store = Store::sqlite(&house.data().join("mikrocloud.db")).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.job_insert(&job).await.unwrap();
    tx.commit().await.unwrap();
    store.job_claim(job.id, &claim).await.unwrap().unwrap();
    let mut tx = store.begin().await.unwrap();
    let fence = Fence { job_id: job.id, token: claim.token };
    tx.job_fail(fence, &Failed { error: "it broke".to_owned(), retry_at: None }).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    job.id.to_string()
}

/// The first answer to a subscription, in the form of an answer to a query.
pub async fn first_message(house: &House, token: Option<&str>, document: &str) -> Value {
    let mut request = house.url("/graphql/ws").replace("http", "ws").into_client_request().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", "graphql-transport-ws".parse().unwrap());
    let mut socket = tokio_tungstenite::connect_async(request).await.unwrap().0;
    let payload = token.map_or(json!({}), |token| json!({"Authorization": format!("Bearer {token}")}));
    socket.send(Message::text(json!({"type": "connection_init", "payload": payload}).to_string())).await.unwrap();
    loop {
        let message = timeout(PATIENCE, socket.next()).await.expect("an answer").expect("an answer before the end").unwrap();
        let text = match message {
            Message::Text(text) => text,
            Message::Close(Some(frame)) if u16::from(frame.code) == 4403 => {
                return json!({"errors": [{"extensions": {"code": "UNAUTHENTICATED"}}]});
            }
            Message::Close(frame) => panic!("closed: {frame:?}"),
            _ => continue,
        };
        let message: Value = serde_json::from_str(&text).unwrap();
        match message["type"].as_str() {
            Some("connection_ack") => {
                let subscribe = json!({"id": "1", "type": "subscribe", "payload": {"query": document}});
                socket.send(Message::text(subscribe.to_string())).await.unwrap();
            }
            Some("next") => return message["payload"].clone(),
            Some("error") => return json!({"errors": message["payload"]}),
            _ => {}
        }
    }
}
