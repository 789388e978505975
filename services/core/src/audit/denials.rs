//! Refusals by permission are worth knowing, and cost who is refused nothing: they are written down once a minute for each user and action,
//! with how many more there were.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use audit::{Action, AuditOutcome};
use domain::access::Actor;
use domain::id::{TeamId, UserId};

use super::{AuditEntry, By, append};
use crate::detached::detached;
use crate::{Context, Result, ServiceError};

/// Time for which one recorded refusal represents all that follow.
const WINDOW: Duration = Duration::from_mins(1);
/// Number of refusals that are remembered; further ones are not recorded.
const CAPACITY: usize = 10_000;

type Key = (TeamId, UserId, Action);

/// The refusals of the last minute.
#[derive(Default)]
pub(super) struct Denials(Mutex<HashMap<Key, (Instant, u64)>>);

impl Denials {
    /// Returns the number of refusals that were omitted since the last one that was recorded; `None` if this one is to be
    /// omitted, too.
    fn admit(&self, key: Key, at: Instant) -> Option<u64> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, left_out)) = known.get_mut(&key) {
            if at.duration_since(*since) < WINDOW {
                *left_out += 1;
                return None;
            }
            let before = *left_out;
            (*since, *left_out) = (at, 0);
            return Some(before);
        }
        if known.len() >= CAPACITY {
            known.retain(|_, (since, _)| at.duration_since(*since) < WINDOW);
        }
        (known.len() < CAPACITY).then(|| known.insert(key, (at, 0)).map_or(0, |(_, left_out)| left_out))
    }
}

impl Context {
    /// Passes on what a check of permissions came to, and records it if it was a refusal. Not to be called within a transaction.
    pub async fn audit_denial<T>(&self, actor: &Actor, attempt: &AuditEntry, checked: Result<T>) -> Result<T> {
        if let Err(ServiceError::Denied(permission)) = &checked {
            let key = (actor.team_id, actor.user_id, attempt.action);
            if let Some(left_out) = self.inner.auditor.denials.admit(key, Instant::now()) {
                let mut attempt = attempt.clone().detail("permission", permission.name());
                if left_out > 0 {
                    attempt = attempt.detail("left_out", left_out);
                }
                // Nobody escapes the audit log by hanging up.
                detached(self.clone().write_denial(actor.clone(), attempt)).await;
            }
        }
        checked
    }

    /// That somebody is refused does not depend on whether it can be written down.
    async fn write_denial(self, actor: Actor, attempt: AuditEntry) {
        let written = async {
            let mut tx = self.begin().await?;
            append(&mut tx, actor.team_id, &By::actor(&actor), attempt, AuditOutcome::Denied).await?;
            Ok::<_, ServiceError>(tx.commit().await?)
        };
        if let Err(error) = written.await {
            tracing::warn!(error = jobs::handler::chain(&error), user.id = %actor.user_id, "a refusal could not be written down");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_written_down_once_a_minute_with_how_many_more_there_were() {
        let (denials, start) = (Denials::default(), Instant::now());
        let key = (TeamId::new(), UserId::new(), Action::ProjectDelete);
        assert_eq!(denials.admit(key, start), Some(0));
        for second in 1..50 {
            assert_eq!(denials.admit(key, start + Duration::from_secs(second)), None);
        }
        assert_eq!(denials.admit((key.0, key.1, Action::ProjectCreate), start), Some(0), "another action");
        assert_eq!(denials.admit(key, start + WINDOW), Some(49));
        assert_eq!(denials.admit(key, start + 2 * WINDOW), Some(0));
    }

    #[test]
    fn no_more_than_the_capacity_is_remembered() {
        let (denials, start) = (Denials::default(), Instant::now());
        let key = || (TeamId::new(), UserId::new(), Action::ProjectDelete);
        let admitted = (0..CAPACITY + 10).filter(|_| denials.admit(key(), start).is_some()).count();
        assert_eq!(admitted, CAPACITY);
        assert_eq!(denials.admit(key(), start + WINDOW), Some(0));
    }
}
