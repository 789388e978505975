//! Letters with a link in them: how people first sign in, and join a team. Where mail is set up and people reach the server by a name, the link
//! goes to whom it is for and to nobody else.

use domain::access::Actor;
use domain::id::{LetterId, UserId};
use domain::secret::Secret;
use domain::team::User;
use domain::time::{Timestamp, now};
use jobs::payload::LetterJob;
use jobs::{JobAttempt, JobError, Outcome};
use serde::{Deserialize, Serialize};
use services_core::unit_of_work::UnitOfWork;
use services_core::{Result, ServiceError};
use store::LetterRow;

use super::accounts::reaches_nobody;
use super::mail::Letter;
use crate::Letters;

/// Text of a letter; it exists in memory, and sealed in its row.
#[derive(Serialize, Deserialize)]
struct Text {
    title: String,
    body: String,
    link: String,
}

/// Name of the sender in a letter.
pub struct Inviter(String);

/// Purpose of a link.
#[derive(Clone, Copy)]
pub enum Link {
    /// To sign in for the first time.
    SignIn,
    /// To join a team.
    Invitation,
}

impl Letters {
    /// Returns the sender of a letter with a link to this address; `None` if links to it are handed over. Call it before a
    /// transaction that calls [`Letters::write`] is begun, so that it needs no second connection.
    pub async fn writes_to(&self, actor: &Actor, address: &str) -> Result<Option<Inviter>> {
        let settings = self.settings();
        if settings.mailer.is_none() || settings.public_url.is_none() || reaches_nobody(address) {
            return Ok(None);
        }
        self.sealer().prepare(self.store(), actor.team_id).await?;
        Ok(Some(Inviter(self.me(actor).await?.name)))
    }

    /// Writes a letter with a link, and its job.
    pub async fn write(
        &self,
        tx: &mut UnitOfWork,
        actor: &Actor,
        to: UserId,
        (inviter, link): (&Inviter, Link),
        token: &Secret,
        expires_at: Timestamp,
    ) -> Result<()> {
        let address = self.settings().public_url.as_ref().ok_or_else(|| ServiceError::internal("there is no public address"))?;
        let text = text(link, address.as_str(), &inviter.0, token);
        let (id, team_id) = (LetterId::new(), actor.team_id);
        let text = Secret::new(serde_json::to_string(&text).map_err(ServiceError::internal)?);
        let sealed = self.sealer().seal(self.store(), team_id, &id.to_string(), &text).await?;
        tx.letter_insert(&LetterRow { id, team_id, user_id: to, sealed, expires_at }).await?;
        tx.enqueue(&LetterJob { version: 1, team_id, letter_id: id }).await?;
        Ok(())
    }

    /// The work of a [`LetterJob`].
    pub async fn send(&self, run: &JobAttempt) -> Result<Outcome, JobError> {
        let job: LetterJob = run.payload()?;
        let Some(row) = self.store().letter_get(job.team_id, job.letter_id).await? else { return Ok(Outcome::Done) };
        let user: Option<User> = self.store().user_get(row.user_id).await?;
        if let Some(user) = user.filter(|_| row.expires_at > now()) {
            let mailer = self.settings().mailer.as_ref();
            let mailer =
                mailer.ok_or_else(|| JobError::Retry("this worker sends no mail: set --smtp-url and --mail-from".to_owned()))?;
            let opened = self.sealer().open(self.store(), row.team_id, &row.id.to_string(), &row.sealed).await;
            let text = opened.map_err(|error| JobError::Retry(jobs::handler::chain(&error)))?;
            let text: Text =
                serde_json::from_str(text.expose()).map_err(|_| JobError::Fail("the letter cannot be read".to_owned()))?;
            let (id, letter) = (row.id.to_string(), Letter { title: &text.title, body: &text.body, link: Some(&text.link) });
            let sent = tokio::select! {
                sent = mailer.send(&user.email, &id, &letter) => sent,
                () = run.stop.cancelled() => return Err(JobError::Stopped),
            };
            if let Err(error) = sent {
                // A dead job raises an alert: somebody waits for this letter.
                return Err(if error.is_permanent { JobError::Fail(error.message) } else { JobError::Retry(error.message) });
            }
        }
        let mut tx = self.begin().await?;
        tx.job_fence(run.fence).await?;
        tx.letter_delete(row.team_id, row.id).await?;
        tx.job_finish(run.fence).await?;
        tx.commit().await?;
        Ok(Outcome::Recorded)
    }
}

fn text(link: Link, address: &str, inviter: &str, token: &Secret) -> Text {
    let (path, title, what) = match link {
        Link::SignIn => (
            "link",
            "Sign in to MikroCloud",
            "added you to a team. Sign in with this link once, within 24 hours, and choose a password:",
        ),
        Link::Invitation => {
            ("invitation", "An invitation to a team on MikroCloud", "invites you to a team. Answer within 7 days with this link:")
        }
    };
    let inviter = inviter.replace(char::is_control, " ");
    Text {
        title: title.to_owned(),
        body: format!("{inviter} {what}"),
        link: format!("{}/auth/{path}?token={}", address.trim_end_matches('/'), token.expose()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_leads_to_where_people_reach_the_server() {
        let text = text(Link::SignIn, "https://cloud.example.org/", "Ada\nBcc", &"t0ken".into());
        assert_eq!(text.link, "https://cloud.example.org/auth/link?token=t0ken");
        assert!(text.body.starts_with("Ada Bcc added you"), "{}", text.body);
    }
}
