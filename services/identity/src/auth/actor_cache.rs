//! Cache of authenticated actors, so that a client that sends many requests does not cost a query each time.
//!
//! Nothing here outlives a change of rights: a change in this process forgets everything at once, a change in another process is seen
//! after [`LIFETIME`] at the latest. Only credentials that were taken are kept, under the digest of what was shown.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::access::Actor;
use domain::id::TeamId;
use domain::time::now;
use sha2::{Digest, Sha256};

/// Lifetime of a cached look-up.
pub(super) const LIFETIME: Duration = Duration::from_secs(5);

/// Maximum number of cached look-ups. A client with more valid credentials than this pays for a query now and then.
const CAPACITY: usize = 10_000;

/// Key of a request's credential: the digest of its bearer token, and the team it chose.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CredentialDigest([u8; 32], Option<TeamId>);

impl CredentialDigest {
    pub fn new(bearer: &str, team: Option<TeamId>) -> Self {
        Self(Sha256::digest(bearer.as_bytes()).into(), team)
    }
}

/// The look-ups that still stand.
#[derive(Clone, Default)]
pub(crate) struct ActorCache(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    /// Number of times that the cache was cleared.
    generation: u64,
    actors: HashMap<CredentialDigest, (Actor, Instant)>,
}

/// The moment before a look-up: what was forgotten since then must not be kept.
pub(super) struct Generation(u64);

impl ActorCache {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the actor that presented this credential, if that was looked up a moment ago and the credential has not expired
    /// since.
    pub(super) fn actor(&self, shown: &CredentialDigest) -> Option<Actor> {
        let entries = self.entries();
        let (actor, since) = entries.actors.get(shown)?;
        let stands = since.elapsed() < LIFETIME && actor.expires_at.is_none_or(|at| at > now());
        stands.then(|| actor.clone())
    }

    /// To be called before the look-up whose outcome is to be kept.
    pub(super) fn before(&self) -> Generation {
        Generation(self.entries().generation)
    }

    /// Returns the number of changes of rights in this process.
    pub(crate) fn generation(&self) -> u64 {
        self.entries().generation
    }

    /// Keeps the outcome of a look-up, unless rights changed while it was under way.
    pub(super) fn keep(&self, shown: CredentialDigest, actor: &Actor, before: &Generation) {
        let mut entries = self.entries();
        if entries.generation != before.0 {
            return;
        }
        if entries.actors.len() >= CAPACITY {
            entries.actors.retain(|_, (_, since)| since.elapsed() < LIFETIME);
        }
        if entries.actors.len() < CAPACITY {
            entries.actors.insert(shown, (actor.clone(), Instant::now()));
        }
    }

    /// To be held while rights change, from before the commit until somebody is told: everything is forgotten when it is dropped,
    /// also when the commit fails or is given up and nobody knows whether it happened.
    #[must_use = "everything is forgotten when it is dropped"]
    pub(crate) fn change(&self) -> RightsChange {
        RightsChange(self.clone())
    }
}

/// A change of rights under way.
pub(crate) struct RightsChange(ActorCache);

impl Drop for RightsChange {
    fn drop(&mut self) {
        let mut entries = self.0.entries();
        entries.generation += 1;
        entries.actors.clear();
    }
}

#[cfg(test)]
mod tests {
    use domain::access::{Credential, Rights, Role};
    use domain::id::{SessionId, UserId};

    use super::*;

    fn actor() -> Actor {
        let credential = Credential::Session(SessionId::new());
        Actor {
            user_id: UserId::new(),
            team_id: TeamId::new(),
            rights: Arc::new(Rights::of(Role::Owner)),
            scopes: None,
            credential,
            expires_at: None,
            origin: None,
        }
    }

    #[test]
    fn what_was_shown_is_known_until_it_is_forgotten() {
        let (recent, shown) = (ActorCache::default(), CredentialDigest::new("token", None));
        recent.keep(shown, &actor(), &recent.before());
        assert!(recent.actor(&shown).is_some());
        assert!(recent.actor(&CredentialDigest::new("another", None)).is_none());
        assert!(recent.actor(&CredentialDigest::new("token", Some(TeamId::new()))).is_none(), "in a team that was not asked for");
        drop(recent.change());
        assert!(recent.actor(&shown).is_none());
    }

    #[test]
    fn a_look_up_that_began_before_a_change_of_rights_is_not_kept() {
        let (recent, shown) = (ActorCache::default(), CredentialDigest::new("token", None));
        let before = recent.before();
        drop(recent.change());
        recent.keep(shown, &actor(), &before);
        assert!(recent.actor(&shown).is_none());
    }

    #[test]
    fn neither_an_expired_credential_nor_an_old_look_up_stands() {
        let (recent, shown) = (ActorCache::default(), CredentialDigest::new("token", None));
        let expired = Actor { expires_at: Some(now() - chrono::Duration::seconds(1)), ..actor() };
        recent.keep(shown, &expired, &recent.before());
        assert!(recent.actor(&shown).is_none());
        recent.keep(shown, &actor(), &recent.before());
        assert!(recent.actor(&shown).is_some());
        let old = Instant::now().checked_sub(LIFETIME).unwrap();
        recent.entries().actors.get_mut(&shown).unwrap().1 = old;
        assert!(recent.actor(&shown).is_none());
    }

    #[test]
    fn no_more_than_the_capacity_is_kept() {
        let recent = ActorCache::default();
        let actor = actor();
        for number in 0..=CAPACITY {
            recent.keep(CredentialDigest::new(&number.to_string(), None), &actor, &recent.before());
        }
        assert_eq!(recent.entries().actors.len(), CAPACITY);
    }
}
