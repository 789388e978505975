//! Mail to users about their own accounts, where the operator has set up a mail server. It says what `mikrocloud account` says.

use domain::session::{SecurityEvent, SecurityEventKind};
use jobs::payload::AccountMailJob;
use jobs::{JobAttempt, JobError, Outcome};
use services_core::access::is_service_account;
use services_core::text::cut;

use super::mail::Letter;
use crate::Letters;

impl Letters {
    /// The work of an [`AccountMailJob`].
    pub async fn mail_account_event(&self, run: &JobAttempt) -> Result<Outcome, JobError> {
        let job: AccountMailJob = run.payload()?;
        let Some(mailer) = &self.settings().mailer else { return Ok(Outcome::Done) };
        let Some(event) = self.store().security_event_get(job.event_id).await? else { return Ok(Outcome::Done) };
        let user = self.store().user_get(event.user_id).await?;
        let Some(user) = user.filter(|user| !reaches_nobody(&user.email)) else { return Ok(Outcome::Done) };
        let body = said(&event);
        let title = format!("Your MikroCloud account: {}", what(event.kind));
        let (id, letter) = (event.id.to_string(), Letter { title: &title, body: &body, link: None });
        let sent = tokio::select! {
            sent = mailer.send(&user.email, &id, &letter) => sent,
            () = run.stop.cancelled() => return Err(JobError::Stopped),
        };
        match sent {
            Ok(_) => Ok(Outcome::Done),
            Err(error) if error.is_permanent => {
                tracing::warn!(user.id = %user.id, error = error.message, "a user could not be told by mail what happened to their account");
                Ok(Outcome::Done)
            }
            Err(error) => Err(JobError::Retry(error.message)),
        }
    }
}

/// Returns true if no mail server accepts mail for an address: those of service accounts, and of the owner until they give
/// another.
pub(super) fn reaches_nobody(address: &str) -> bool {
    is_service_account(address) || address.ends_with("@localhost")
}

fn what(kind: SecurityEventKind) -> &'static str {
    match kind {
        SecurityEventKind::TokenReused => "a copy of a session was used, and the session was ended",
        SecurityEventKind::PasswordChanged => "the password was changed",
        SecurityEventKind::SecondFactorEnabled => "a second factor is asked for from now on",
        SecurityEventKind::SecondFactorDisabled => "no second factor is asked for any more",
        SecurityEventKind::RecoveryCodeUsed => "a recovery code was used",
        SecurityEventKind::IdentityLinked => "an account of a provider can sign in from now on",
        SecurityEventKind::IdentityUnlinked => "an account of a provider can sign in no longer",
        SecurityEventKind::SignedOutEverywhere => "all sessions were ended",
        SecurityEventKind::AttemptsThrottled => "sign-in failed many times in a row and is slowed down",
        SecurityEventKind::DeviceApproved => "a command line was signed in",
    }
}

fn said(event: &SecurityEvent) -> String {
    let shown = |text: &Option<String>| text.as_deref().map_or_else(|| "unknown".to_owned(), |text| cut(text, 200));
    format!(
        "What: {}\nWhen: {} UTC\nFrom: {}\nBy: {}\n\nWas it you? Then there is nothing to do. If not, change your password and end all sessions: \
         mikrocloud account sign-out-everywhere",
        what(event.kind),
        event.created_at.format("%Y-%m-%d %H:%M:%S"),
        shown(&event.address),
        shown(&event.agent).replace(char::is_control, " "),
    )
}

#[cfg(test)]
mod tests {
    use domain::id::SecurityEventId;
    use domain::time::now;

    use domain::id::UserId;

    use super::*;

    #[test]
    fn a_letter_says_what_when_and_from_where_on_lines_of_its_own() {
        let agent = Some("curl\nWhat: nothing, all is well".to_owned());
        let (kind, address) = (SecurityEventKind::PasswordChanged, Some("203.0.113.7".to_owned()));
        let event = SecurityEvent {
            id: SecurityEventId::new(),
            user_id: UserId::new(),
            kind,
            address,
            agent,
            created_at: now(),
            seen_at: None,
        };
        let said = said(&event);
        assert_eq!(said.lines().filter(|line| line.starts_with("What:")).count(), 1, "{said}");
        assert!(said.contains("From: 203.0.113.7\n") && said.contains("the password was changed"), "{said}");
        assert!(
            reaches_nobody("owner@localhost")
                && reaches_nobody("x@service-account.invalid")
                && !reaches_nobody("ada@example.org")
        );
    }
}
