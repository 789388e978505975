//! Alerts: raised in the transaction of what they are about, published after its commit.

use std::time::Duration;

use domain::access::{Actor, Permission};
use domain::alert::Alert;
use domain::id::{AlertId, TeamId};
use domain::secret::Secret;
use domain::time::now;
use store::{Page, StoreError};

use crate::Alerts;
use crate::outbox::notify_of_alert;
use crate::unit_of_work::UnitOfWork;
use crate::{Result, require};

/// Time that the receiver of alerts may take to answer.
const RECEIVER_TIMEOUT: Duration = Duration::from_secs(10);

/// The kind of the alert that says that a channel was disabled; its subject is the channel's id.
pub const DISABLED_ALERT: &str = "channel_disabled";

/// Raises an alert unless one of the same kind and subject is open. Channels of the team are notified in the same transaction.
pub async fn raise(
    tx: &mut UnitOfWork,
    team_id: Option<TeamId>,
    kind: &str,
    subject: &str,
    message: String,
) -> Result<(), StoreError> {
    let (kind, subject) = (kind.to_owned(), subject.to_owned());
    let alert = Alert { id: AlertId::new(), team_id, kind, subject, message, raised_at: now(), resolved_at: None };
    if tx.alert_raise(&alert).await? {
        notify_of_alert(tx, &alert).await?;
        tx.publish_alert(alert);
    }
    Ok(())
}

impl Alerts {
    /// The team's alerts, the latest first; operators also see those about the whole installation.
    pub async fn list(&self, actor: &Actor, after: Option<AlertId>, limit: i64) -> Result<Page<Alert>> {
        require(actor, Permission::ProjectRead)?;
        let operator = self.store().user_is_operator(actor.user_id).await?;
        Ok(self.store().alert_list(actor.team_id, operator, after, limit).await?)
    }
}

/// Receiver of raised alerts outside MikroCloud, besides the log and the metrics.
pub(crate) struct AlertReceiver {
    webhook: Option<Secret>,
}

impl AlertReceiver {
    /// Sends alerts as JSON to this address, if there is one.
    pub fn new(webhook: Option<Secret>) -> Self {
        Self { webhook }
    }

    /// Writes an alert to the log and the metrics, and sends it in the background.
    pub fn send(&self, alert: Alert) {
        tracing::warn!(alert.kind, alert.subject, alert.message, "alert");
        metrics::counter!("mikrocloud_alerts_total", "kind" => alert.kind.clone()).increment(1);
        if let Some(url) = self.webhook.clone() {
            tokio::spawn(post(url, alert));
        }
    }
}

/// Posts an alert in the form that chat services take.
async fn post(url: Secret, alert: Alert) {
    let body = serde_json::json!({
        "text": format!("MikroCloud: {}", alert.message),
        "kind": alert.kind, "subject": alert.subject, "message": alert.message, "raisedAt": alert.raised_at,
    });
    let sent = async {
        let client = reqwest::Client::builder().timeout(RECEIVER_TIMEOUT).build()?;
        client.post(url.expose()).json(&body).send().await?.error_for_status()
    };
    if let Err(error) = sent.await {
        // The address may hold a token.
        tracing::warn!(error = %error.without_url(), "the receiver of alerts did not take one");
    }
}
