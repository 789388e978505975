//! Guessing is slow: after some failed attempts in a row, each further one on the same account has to wait, twice as long as the one
//! before. It is counted in the database, so that neither a restart nor another process begins anew, and before the attempt, so that
//! many at once are no way round.

use chrono::TimeDelta;
use domain::access::Origin;
use domain::id::UserId;
use domain::session::SecurityEventKind;
use domain::time::{Timestamp, now};
use services_core::{Result, ServiceError};
use store::Attempts;

use super::account::tell_user;
use super::token_hash;
use crate::Sessions;

/// Number of attempts that may fail without a delay.
const FREE: i64 = 5;
/// After how long failed attempts are forgotten.
const FORGOTTEN: TimeDelta = TimeDelta::days(1);
/// Maximum number of retries if others attempt at the same moment.
const TRIES: usize = 5;

/// Subject of a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guess<'a> {
    /// The password of the account with this address, whether there is one or not.
    Password(&'a str),
    /// The second factor of a user whose password is known already.
    SecondFactor(UserId),
}

impl Guess<'_> {
    fn subject(self) -> String {
        match self {
            Self::Password(email) => token_hash(&format!("password {email}")),
            Self::SecondFactor(user) => token_hash(&format!("second factor {user}")),
        }
    }

    /// The longest wait. Anybody can make others wait for a sign-in with a password, so that is short; for a second factor one
    /// has to know the password.
    fn longest(self) -> TimeDelta {
        match self {
            Self::Password(_) => TimeDelta::minutes(5),
            Self::SecondFactor(_) => TimeDelta::hours(1),
        }
    }

    /// Returns the delay of the next attempt after this many failures.
    fn wait(self, failures: i64) -> TimeDelta {
        match failures - FREE {
            ..0 => TimeDelta::zero(),
            more => TimeDelta::seconds(1 << more.min(20)).min(self.longest()),
        }
    }
}

/// Returns the new count at this moment, or the remaining delay.
fn next(guess: Guess<'_>, read: Option<Attempts>, at: Timestamp) -> Result<Attempts, TimeDelta> {
    let failures = read.filter(|read| at - read.failed_at < FORGOTTEN).map_or(0, |read| read.failures);
    // A clock that was set back makes nobody wait for longer.
    let wait = read.map_or(TimeDelta::zero(), |read| read.failed_at.min(at) + guess.wait(failures) - at);
    if wait > TimeDelta::zero() { Err(wait) } else { Ok(Attempts { failures: failures + 1, failed_at: at }) }
}

fn too_many(wait: TimeDelta) -> ServiceError {
    ServiceError::TooManyAttempts { retry_seconds: u64::try_from(wait.num_seconds()).unwrap_or(0) + 1 }
}

impl Sessions {
    /// Counts an attempt as failed before it is made. [`Sessions::guessed`] takes that back.
    pub(super) async fn guess(&self, guess: Guess<'_>, user: Option<UserId>, origin: &Origin) -> Result<()> {
        let subject = guess.subject();
        for _ in 0..TRIES {
            let read = self.store().attempts_get(&subject).await?;
            let attempts = next(guess, read, now()).map_err(too_many)?;
            let mut tx = self.begin().await?;
            if !tx.attempts_put(&subject, read, attempts).await? {
                continue;
            }
            if let (Some(user), FREE) = (user, attempts.failures) {
                tell_user(&mut tx, user, SecurityEventKind::AttemptsThrottled, origin).await?;
            }
            tx.commit().await?;
            return Ok(());
        }
        Err(too_many(TimeDelta::zero()))
    }

    /// The attempt was right: those before it are forgotten.
    pub(super) async fn guessed(&self, guess: Guess<'_>) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.attempts_forget(&guess.subject()).await?;
        Ok(tx.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_doubles_after_the_free_attempts_up_to_the_longest() {
        let guess = Guess::Password("ada@example.org");
        let waits: Vec<_> = (3..16).map(|failures| guess.wait(failures).num_seconds()).collect();
        assert_eq!(waits, [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(Guess::SecondFactor(UserId::new()).wait(i64::MAX), TimeDelta::hours(1));
    }

    #[test]
    fn an_attempt_counts_unless_it_comes_too_early_and_old_ones_are_forgotten() {
        let guess = Guess::Password("ada@example.org");
        let at = now();
        assert_eq!(next(guess, None, at), Ok(Attempts { failures: 1, failed_at: at }));
        let eight = Attempts { failures: 8, failed_at: at };
        assert_eq!(next(guess, Some(eight), at + TimeDelta::seconds(3)), Err(TimeDelta::seconds(5)));
        let later = at + TimeDelta::seconds(8);
        assert_eq!(next(guess, Some(eight), later), Ok(Attempts { failures: 9, failed_at: later }));
        let tomorrow = at + FORGOTTEN;
        assert_eq!(next(guess, Some(eight), tomorrow), Ok(Attempts { failures: 1, failed_at: tomorrow }));
        assert_eq!(next(guess, Some(eight), at - TimeDelta::hours(1)), Err(TimeDelta::seconds(8)), "the clock was set back");
    }
}
