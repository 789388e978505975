//! Requests that are done once, however often they are sent: a client that got no answer sends the request again with the same key.

use chrono::TimeDelta;
use domain::access::{Actor, Credential};
use domain::secret::Secret;
use domain::time::now;
use sha2::{Digest, Sha256};
use store::idempotency::{IdempotencyKey, KeyClaim, Lease, apart, once};
use tracing::Instrument;

use crate::{Context, Result, ServiceError};

/// Time for which a response is stored.
pub const KEPT: TimeDelta = TimeDelta::hours(24);

/// Timeout of a request. A request whose process died can be sent again after this.
pub const LEASE: TimeDelta = TimeDelta::seconds(60);

/// State of a request with a key.
pub enum Attempt<T> {
    /// It was done now.
    Done(T),
    /// It was done before, and answered with this.
    Answered(Secret),
    /// It is being done.
    UnderWay,
    /// It was done, and its answer is lost with the process that had it; the id of what it made, if it made something.
    AnswerLost(Option<String>),
    /// The key was used for another request, or with another credential.
    OtherRequest,
}

/// The right to do what a key stands for.
pub struct OnceOnly {
    services: Context,
    lease: Lease,
}

impl Context {
    /// Does a request once. `request` is all that makes it what it is. A key belongs to a user in a team; it answers only to the credential
    /// that used it first, which may be allowed more than others of the same user.
    ///
    /// The claim of the key and the work run in one task of their own, to their end, also when the client has gone and this future is
    /// dropped: the client will ask again. A key that is claimed without its work would refuse it for as long as [`LEASE`].
    pub async fn once<F>(
        &self,
        actor: &Actor,
        key: &str,
        request: &[&[u8]],
        work: impl FnOnce(OnceOnly) -> F + Send + 'static,
    ) -> Result<Attempt<F::Output>>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let key = IdempotencyKey { team_id: actor.team_id, user_id: actor.user_id, name: key.to_owned() };
        let (digest, services) = (digest(actor, request), self.clone());
        let attempt = async move {
            Ok(match services.claim(&key, &digest).await? {
                KeyClaim::Leased(lease) => Attempt::Done(work(OnceOnly { services, lease }).await),
                KeyClaim::Answered(sealed) => Attempt::Answered(services.opened(&key, &sealed).await?),
                KeyClaim::UnderWay => Attempt::UnderWay,
                KeyClaim::AnswerLost(made) => Attempt::AnswerLost(made),
                KeyClaim::OtherRequest => Attempt::OtherRequest,
            })
        };
        tokio::spawn(attempt.in_current_span()).await.map_err(ServiceError::internal)?
    }

    async fn claim(&self, key: &IdempotencyKey, digest: &str) -> Result<KeyClaim> {
        let at = now();
        Ok(self.store().idempotency_claim(key.clone(), digest, at + LEASE, at + KEPT).await?)
    }

    async fn opened(&self, key: &IdempotencyKey, sealed: &[u8]) -> Result<Secret> {
        self.inner.sealer.open(self.store(), key.team_id, &identity(key), sealed).await
    }
}

impl OnceOnly {
    /// Does what is asked for. Nothing of it is committed once the lease is another's.
    pub async fn run<F: Future>(&self, work: F) -> F::Output {
        once(self.lease.clone(), work).await
    }

    /// Keeps what the request was answered. What was refused without having done anything is not kept: the key can be used again.
    pub async fn finish(self, answer: &Secret, refused: bool) -> Result<()> {
        apart(async {
            let store = self.services.store();
            let mut tx = store.begin().await?;
            if refused && tx.idempotency_release(&self.lease).await? {
                return Ok(tx.commit().await?);
            }
            drop(tx);
            let key = self.lease.key();
            let sealed = self.services.inner.sealer.seal(store, key.team_id, &identity(key), answer).await?;
            let mut tx = store.begin().await?;
            tx.idempotency_answer(&self.lease, &sealed).await?;
            Ok(tx.commit().await?)
        })
        .await
    }
}

/// Returns the identity that a sealed response is bound to.
pub fn identity(key: &IdempotencyKey) -> String {
    format!("idempotency {} {}", key.user_id, key.name)
}

fn digest(actor: &Actor, request: &[&[u8]]) -> String {
    let credential = match actor.credential {
        Credential::Session(id) => id.to_string(),
        Credential::ApiKey(id) => id.to_string(),
        Credential::Schedule(id) => id.to_string(),
        Credential::GitConnection(id) => id.to_string(),
    };
    let mut hasher = Sha256::new();
    for part in [credential.as_bytes()].iter().chain(request) {
        // With its length, so that no two lists of parts have the same bytes.
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hex::encode(hasher.finalize())
}
