//! Address of a channel's messages: checked when it is set, sealed when it is stored.

use chrono::TimeDelta;
use domain::access::{Actor, Permission, Target};
use domain::id::{ChannelId, TeamId, UserId};
use domain::notification::ChannelKind;
use domain::secret::Secret;
use domain::time::{Timestamp, now};
use serde::{Deserialize, Serialize};
use services_core::access::is_service_account;
use services_core::{Result, ServiceError};
use url::Url;

use super::signature::new_secret;
use crate::Channels;

/// Time for which messages are also signed with the previous secret.
pub(super) const OLD_SECRET_LASTS: TimeDelta = TimeDelta::hours(24);
/// The most members that one channel writes to.
const MAX_RECIPIENTS: usize = 10;

/// The address of a channel, and the secrets that sign messages to it. It exists in memory, and sealed as one value in the channel's row.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Endpoint {
    url: String,
    /// The newest first.
    secrets: Vec<SigningSecret>,
}

#[derive(Clone, Serialize, Deserialize)]
struct SigningSecret {
    secret: String,
    /// Time until which it signs; the newest always does.
    until: Option<Timestamp>,
}

impl Endpoint {
    /// An address; with a secret when messages to it are signed.
    pub fn new(url: &Url, kind: ChannelKind) -> Self {
        let secrets = (kind == ChannelKind::Webhook).then(new_secret).into_iter();
        let secrets = secrets.map(|secret| SigningSecret { secret: secret.expose().to_owned(), until: None });
        Self { url: url.as_str().to_owned(), secrets: secrets.collect() }
    }

    /// The address.
    pub fn url(&self) -> Result<Url> {
        Url::parse(&self.url).map_err(ServiceError::internal)
    }

    /// Another address with the same secrets.
    #[must_use]
    pub fn at(self, url: &Url) -> Self {
        Self { url: url.as_str().to_owned(), ..self }
    }

    /// A new secret; the one of before signs for a while longer.
    #[must_use]
    pub fn rotated(self) -> Self {
        let until = Some(now() + OLD_SECRET_LASTS);
        let old = self.secrets.into_iter().next().map(|old| SigningSecret { until, ..old });
        let new = SigningSecret { secret: new_secret().expose().to_owned(), until: None };
        Self { url: self.url, secrets: std::iter::once(new).chain(old).collect() }
    }

    /// The secret that receivers are to know.
    pub fn secret(&self) -> Option<Secret> {
        self.secrets.first().map(|newest| Secret::new(newest.secret.as_str()))
    }

    /// Every secret that signs at a moment.
    pub fn signing(&self, at: Timestamp) -> Vec<Secret> {
        let in_force = self.secrets.iter().filter(|secret| secret.until.is_none_or(|until| at < until));
        in_force.map(|secret| Secret::new(secret.secret.as_str())).collect()
    }

    /// As much of the address as may be shown: the rest of it is a secret with many services.
    pub fn shown(&self) -> String {
        let Ok(url) = self.url() else { return String::new() };
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{}{port}/…", url.scheme(), url.host_str().unwrap_or_default())
    }
}

impl Channels {
    /// An address that a user gives for a channel.
    pub(super) async fn checked_url(&self, url: Option<&Secret>) -> Result<Url> {
        let missing = || ServiceError::invalid("url", "MISSING_URL", "give the address that messages are sent to, with https");
        let checked = self.outbound().check(url.ok_or_else(missing)?.expose()).await;
        checked.map_err(|error| ServiceError::invalid("url", "INVALID_URL", error))
    }

    pub(super) async fn seal_endpoint(&self, team: TeamId, id: ChannelId, endpoint: &Endpoint) -> Result<Vec<u8>> {
        let text = Secret::new(serde_json::to_string(endpoint).map_err(ServiceError::internal)?);
        self.sealer().seal(self.store(), team, &id.to_string(), &text).await
    }

    pub(super) async fn open_endpoint(&self, team: TeamId, id: ChannelId, sealed: &[u8]) -> Result<Endpoint> {
        let text = self.sealer().open(self.store(), team, &id.to_string(), sealed).await?;
        serde_json::from_str(text.expose()).map_err(ServiceError::internal)
    }

    /// The members behind some addresses. Nobody else is written to, so that nobody uses this server to write to strangers.
    pub(super) async fn recipients(&self, actor: &Actor, addresses: &[String]) -> Result<(Vec<UserId>, String)> {
        let invalid = |code, message: String| Err(ServiceError::invalid("addresses", code, message));
        if self.settings().mailer.is_none() {
            let message = "this server sends no mail: who runs it sets --smtp-url and --mail-from (MIKROCLOUD_SMTP_URL, MIKROCLOUD_MAIL_FROM)";
            return invalid("NO_MAIL", message.to_owned());
        }
        if addresses.is_empty() || addresses.len() > MAX_RECIPIENTS {
            return invalid("OUT_OF_RANGE", format!("give 1 to {MAX_RECIPIENTS} addresses of members of the team"));
        }
        let members = self.store().member_list(actor.team_id).await?;
        // Who may not see the members learns nothing about them: only their own address is taken.
        let sees_all = actor.may(Permission::MemberRead, Target::Team);
        let known: Vec<_> = members.iter().filter(|member| sees_all || member.user.id == actor.user_id).collect();
        let mut found = Vec::new();
        for address in addresses {
            let address = address.trim().to_lowercase();
            let member = known.iter().find(|member| member.user.email == address && !is_service_account(&member.user.email));
            let Some(member) = member else {
                let shown: String = address.chars().take(60).collect();
                let message = format!(
                    "`{}` is no address of a member of the team: notifications go to members only; add them first with `mikrocloud members add`",
                    shown.escape_debug()
                );
                return invalid("NO_MEMBER", message);
            };
            if !found.contains(&member.user.id) {
                found.push(member.user.id);
            }
        }
        let chosen = known.iter().filter(|member| found.contains(&member.user.id));
        let shown: Vec<_> = chosen.map(|member| masked(&member.user.email)).collect();
        Ok((found, shown.join(", ")))
    }
}

/// An address of which only who knows it can tell whose it is.
fn masked(address: &str) -> String {
    let (user, host) = address.split_once('@').unwrap_or((address, ""));
    let first: String = user.chars().take(1).collect();
    format!("{first}…@{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_signs_for_a_day_after_it_was_replaced() {
        let url = Url::parse("https://example.org:8443/hooks/T0/secret?key=1").unwrap();
        let first = Endpoint::new(&url, ChannelKind::Webhook);
        assert_eq!(first.shown(), "https://example.org:8443/…");
        let old = first.secret().unwrap();
        let second = first.rotated();
        let new = second.secret().unwrap();
        assert_ne!(old, new);
        assert_eq!(second.signing(now()), [new.clone(), old]);
        assert_eq!(second.signing(now() + OLD_SECRET_LASTS), std::slice::from_ref(&new));
        let third = second.rotated();
        assert_eq!(third.signing(now()), [third.secret().unwrap(), new], "two at most");
        assert!(Endpoint::new(&url, ChannelKind::Slack).signing(now()).is_empty());
        assert_eq!(masked("ada.lovelace@example.org"), "a…@example.org");
    }
}
