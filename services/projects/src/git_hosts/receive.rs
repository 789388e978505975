//! Webhooks as they come: who sent them is checked, they are written down with the job that acts on them, and answered.

use chrono::TimeDelta;
use domain::git_host::{GitConnection, GitEvent, GitHost, HostEvent, WebhookDelivery, WebhookDeliveryState, github, gitlab};
use domain::id::{GitConnectionId, GitDeliveryId};
use domain::time::now;
use jobs::payload::WebhookJob;
use services_core::{Result, ServiceError};
use store::NewWebhookDelivery;

use super::secret_identity;
use super::signature::{digest, is_signed};
use crate::GitConnections;

/// Maximum age of an event; older ones are ignored. GitHub redelivers a message for three days at most, on a user's request.
const REPLAY_WINDOW: TimeDelta = TimeDelta::days(3);
/// Time for which deliveries are remembered: longer than their maximum age, so that none within that is processed twice.
pub const KEEP_DELIVERIES: TimeDelta = TimeDelta::days(31);
const MAX_ID: usize = 100;

/// A webhook as it came.
#[derive(Debug, Clone, Copy)]
pub struct Webhook<'a> {
    /// The host's name of the event.
    pub event: &'a str,
    /// The host's id of the delivery, which is the same when it is sent again.
    pub delivery: &'a str,
    /// The signature, or with GitLab the secret itself.
    pub proof: &'a str,
    /// Signed body of the request.
    pub body: &'a [u8],
    /// The message in it, as JSON.
    pub payload: &'a [u8],
}

/// Result of receiving a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A job acts on it.
    Accepted,
    /// It came before.
    Duplicate,
    /// Nothing follows from it, and why.
    Ignored(String),
}

const NOT_PROVEN: ServiceError = ServiceError::Unauthenticated(
    "the signature does not fit: set the webhook's secret to the one shown when the repository was connected",
);

impl GitConnections {
    /// Checks that there is such a connection to this kind of host, so that requests for unknown connections need not be read.
    pub async fn expects_webhooks(&self, host: GitHost, id: GitConnectionId) -> Result<()> {
        let found = self.store().git_connection_named(id).await?;
        if found.is_some_and(|connection| connection.host == host) { Ok(()) } else { Err(NOT_PROVEN) }
    }

    /// Checks that a GitHub App is configured.
    pub fn expects_app_webhooks(&self) -> Result<()> {
        if self.settings().git_hosts.app.is_some() { Ok(()) } else { Err(NOT_PROVEN) }
    }

    /// Takes a webhook of a connection's repository.
    pub async fn receive_webhook(&self, host: GitHost, id: GitConnectionId, webhook: Webhook<'_>) -> Result<Received> {
        // What is not there and what is signed wrongly are answered in the same way.
        let connection = self.store().git_connection_named(id).await?.filter(|connection| connection.host == host);
        let connection = connection.ok_or(NOT_PROVEN)?;
        let secrets = self.store().git_secrets(connection.team_id, id).await?.ok_or(NOT_PROVEN)?;
        let secret = self.sealer().open(self.store(), connection.team_id, &secret_identity(id), &secrets.sealed_secret).await?;
        let proven = match host {
            GitHost::GitHub => is_signed(&secret, webhook.body, webhook.proof),
            GitHost::GitLab => secret.equals(webhook.proof.as_bytes()),
        };
        if !proven {
            return Err(NOT_PROVEN);
        }
        let event = read(host, webhook)?;
        self.write_down(&connection, webhook, event).await
    }

    /// Takes a webhook of the GitHub App, for all repositories that it is installed on.
    pub async fn receive_app_webhook(&self, webhook: Webhook<'_>) -> Result<Received> {
        let app = self.settings().git_hosts.app.as_ref().ok_or(NOT_PROVEN)?;
        if !is_signed(&app.webhook_secret, webhook.body, webhook.proof) {
            return Err(NOT_PROVEN);
        }
        let event = read(GitHost::GitHub, webhook)?;
        if let GitEvent::Installation(change) = &event.what {
            let mut tx = self.begin().await?;
            tx.git_installation_put(change, event.at.unwrap_or_else(now)).await?;
            tx.commit().await?;
            return Ok(Received::Accepted);
        }
        let Some(installation) = event.installation else { return Ok(Received::Ignored("it names no installation".to_owned())) };
        let mut answer = Received::Ignored("no project here is connected to this repository by the app".to_owned());
        for connection in self.store().git_connection_list_of_installation(installation).await? {
            if event.repository.as_ref().is_some_and(|name| name.is_same(&connection.repository))
                && self.has_installation(&connection).await?
            {
                let received = self.write_down(&connection, webhook, event.clone()).await?;
                if answer != Received::Accepted {
                    answer = received;
                }
            }
        }
        Ok(answer)
    }

    async fn write_down(&self, connection: &GitConnection, webhook: Webhook<'_>, event: HostEvent) -> Result<Received> {
        let ignored = reason_to_ignore(connection, &event);
        let row = WebhookDelivery {
            id: GitDeliveryId::new(),
            team_id: connection.team_id,
            connection_id: connection.id,
            delivery: webhook.delivery.to_owned(),
            event: webhook.event.chars().take(MAX_ID).collect(),
            state: if ignored.is_some() { WebhookDeliveryState::Ignored } else { WebhookDeliveryState::Waiting },
            outcome: ignored.clone(),
            deployment_id: None,
            received_at: now(),
        };
        let job = WebhookJob { version: 1, team_id: row.team_id, delivery_id: row.id };
        let delivery = NewWebhookDelivery { row, digest: digest(webhook.body), subject: subject(&event), event };
        let mut tx = self.begin().await?;
        if !tx.git_delivery_insert(&delivery).await? {
            return Ok(Received::Duplicate);
        }
        if ignored.is_none() {
            tx.enqueue(&job).await?;
        }
        tx.commit().await?;
        Ok(ignored.map_or(Received::Accepted, Received::Ignored))
    }
}

fn read(host: GitHost, webhook: Webhook<'_>) -> Result<HostEvent> {
    let id = webhook.delivery;
    if !(1..=MAX_ID).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ServiceError::invalid(
            "delivery",
            "INVALID_DELIVERY",
            "the header with the id of the delivery is missing, or holds none",
        ));
    }
    let parsed = match host {
        GitHost::GitHub => github::parse(webhook.event, webhook.payload),
        GitHost::GitLab => gitlab::parse(webhook.event, webhook.payload),
    };
    parsed.map_err(|error| ServiceError::invalid("body", "INVALID_PAYLOAD", error))
}

/// Returns the subject of a delivery, by which later events about the same subject are recognized.
fn subject(event: &HostEvent) -> Option<String> {
    match &event.what {
        GitEvent::Push(push) => Some(format!("branch {}", push.branch.as_str())),
        GitEvent::PullRequest(request) => Some(format!("request {}", request.number)),
        _ => None,
    }
}

fn reason_to_ignore(connection: &GitConnection, event: &HostEvent) -> Option<String> {
    match &event.what {
        GitEvent::Nothing { reason } => return Some(reason.clone()),
        GitEvent::Ping => return Some("the webhook is set up".to_owned()),
        GitEvent::Installation(_) => return Some("only the app's own webhook tells of installations".to_owned()),
        GitEvent::Push(_) | GitEvent::PullRequest(_) => {}
    }
    match &event.repository {
        Some(name) if name.is_same(&connection.repository) => {}
        Some(name) => return Some(format!("it is about {name}, and {} is what is connected", connection.repository)),
        None => return Some("it names no repository".to_owned()),
    }
    if event.at.is_some_and(|at| now() - at > REPLAY_WINDOW) {
        return Some(format!("it tells of something that happened more than {} days ago", REPLAY_WINDOW.num_days()));
    }
    matches!(event.what, GitEvent::PullRequest(_) if !connection.previews)
        .then(|| "previews are switched off for this repository".to_owned())
}
