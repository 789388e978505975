//! Requests that are done once, however often they are sent.
//!
//! While a request runs within [`once`], each transaction that it commits shows the lease of its key first, as a worker shows that of its
//! job: a process that lost the lease meanwhile changes nothing, and one that dies after the commit leaves behind that it was done.

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use domain::id::{TeamId, UserId};
use domain::time::{Timestamp, now};
use uuid::Uuid;

use crate::db::{Store, Tx};
use crate::error::{Result, StoreError, expect_one};

tokio::task_local! {
    static REQUEST: Option<Lease>;
}

/// A key as its sender named it. Each user of a team has their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The team.
    pub team_id: TeamId,
    /// The user.
    pub user_id: UserId,
    /// Key that the sender chose.
    pub name: String,
}

/// The right to do what a key stands for. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Lease {
    key: Arc<IdempotencyKey>,
    token: Uuid,
    made: Arc<Mutex<Option<String>>>,
}

impl Lease {
    /// The key it is for.
    pub fn key(&self) -> &IdempotencyKey {
        &self.key
    }
}

/// State of a key with regard to a request.
#[derive(Debug)]
pub enum KeyClaim {
    /// It is this request's turn.
    Leased(Lease),
    /// It was answered with this, which is sealed.
    Answered(Vec<u8>),
    /// Another process, or an earlier attempt, is at it.
    UnderWay,
    /// It was done by a process that died before it answered; the id of what it made, if it made something.
    AnswerLost(Option<String>),
    /// The key was used for another request.
    OtherRequest,
}

#[derive(sqlx::FromRow)]
struct Row {
    request_digest: String,
    lease_token: Uuid,
    lease_until: Timestamp,
    carried_out: bool,
    made: Option<String>,
    answer: Option<Vec<u8>>,
}

/// Runs what a key stands for.
pub async fn once<F: Future>(lease: Lease, work: F) -> F::Output {
    REQUEST.scope(Some(lease), work).await
}

/// Runs bookkeeping within [`once`] that is not what the key stands for.
pub async fn apart<F: Future>(work: F) -> F::Output {
    REQUEST.scope(None, work).await
}

/// Runs what goes on in another task as a part of the request that this one belongs to, if it belongs to one.
pub fn inherited<F: Future>(work: F) -> impl Future<Output = F::Output> {
    REQUEST.scope(shown(), work)
}

/// The lease that transactions of this task have to show.
pub(crate) fn shown() -> Option<Lease> {
    REQUEST.try_with(Clone::clone).ok().flatten()
}

/// Notes what the request of this task makes, to be written with what it commits.
pub(crate) fn made(id: impl Display) {
    if let Some(lease) = shown() {
        *lease.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(id.to_string());
    }
}

impl Store {
    /// Takes a key for a request until `lease_until`, or says why not. The key is forgotten at `expires_at`.
    pub async fn idempotency_claim(
        &self,
        key: IdempotencyKey,
        request_digest: &str,
        lease_until: Timestamp,
        expires_at: Timestamp,
    ) -> Result<KeyClaim> {
        let mut tx = self.begin().await?;
        let token = Uuid::new_v4();
        tx.idempotency_forget_old(&key).await?;
        let claim = if tx.idempotency_insert(&key, request_digest, token, lease_until, expires_at).await? {
            None
        } else {
            let row = tx.idempotency_get(&key).await?;
            match row.claim(request_digest) {
                Some(claim) => Some(claim),
                None if tx.idempotency_take_over(&key, row.lease_token, token, lease_until).await? => None,
                None => Some(KeyClaim::UnderWay),
            }
        };
        tx.commit().await?;
        Ok(claim.unwrap_or_else(|| KeyClaim::Leased(Lease { key: Arc::new(key), token, made: Arc::default() })))
    }
}

impl Row {
    /// Returns the state of the key for a request; `None` if the request may take it over.
    fn claim(&self, request_digest: &str) -> Option<KeyClaim> {
        if self.request_digest != request_digest {
            return Some(KeyClaim::OtherRequest);
        }
        match &self.answer {
            Some(answer) => Some(KeyClaim::Answered(answer.clone())),
            None if self.lease_until > now() => Some(KeyClaim::UnderWay),
            None if self.carried_out => Some(KeyClaim::AnswerLost(self.made.clone())),
            None => None,
        }
    }
}

impl Tx {
    async fn idempotency_forget_old(&mut self, key: &IdempotencyKey) -> Result<()> {
        let sql = "DELETE FROM idempotency_keys WHERE team_id = $1 AND user_id = $2 AND name = $3 AND expires_at <= $4";
        tx!(self, |conn| sqlx::query(sql)
            .bind(key.team_id)
            .bind(key.user_id)
            .bind(&key.name)
            .bind(now())
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    async fn idempotency_insert(
        &mut self,
        key: &IdempotencyKey,
        request_digest: &str,
        token: Uuid,
        lease_until: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool> {
        let sql = "INSERT INTO idempotency_keys
                (team_id, user_id, name, request_digest, lease_token, lease_until, carried_out, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (team_id, user_id, name) DO NOTHING";
        let done = changed!(
            self,
            sqlx::query(sql)
                .bind(key.team_id)
                .bind(key.user_id)
                .bind(&key.name)
                .bind(request_digest)
                .bind(token)
                .bind(lease_until)
                .bind(false)
                .bind(expires_at)
        )?;
        Ok(done == 1)
    }

    async fn idempotency_get(&mut self, key: &IdempotencyKey) -> Result<Row> {
        let sql = "SELECT request_digest, lease_token, lease_until, carried_out, made, answer FROM idempotency_keys
            WHERE team_id = $1 AND user_id = $2 AND name = $3";
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(key.team_id).bind(key.user_id).bind(&key.name).fetch_one(conn).await)?)
    }

    async fn idempotency_take_over(
        &mut self,
        key: &IdempotencyKey,
        from: Uuid,
        token: Uuid,
        lease_until: Timestamp,
    ) -> Result<bool> {
        let sql = "UPDATE idempotency_keys SET lease_token = $5, lease_until = $6
            WHERE team_id = $1 AND user_id = $2 AND name = $3 AND lease_token = $4 AND carried_out = $7 AND answer IS NULL";
        let done = changed!(
            self,
            sqlx::query(sql)
                .bind(key.team_id)
                .bind(key.user_id)
                .bind(&key.name)
                .bind(from)
                .bind(token)
                .bind(lease_until)
                .bind(false)
        )?;
        Ok(done == 1)
    }

    /// Marks what a key stands for as done, with what this transaction does. `LeaseLost` when the lease is another's by now.
    pub(crate) async fn idempotency_carry_out(&mut self, lease: &Lease) -> Result<()> {
        let made = lease.made.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sql = "UPDATE idempotency_keys SET carried_out = $5, made = COALESCE($6, made)
            WHERE team_id = $1 AND user_id = $2 AND name = $3 AND lease_token = $4";
        let done = changed!(
            self,
            sqlx::query(sql)
                .bind(lease.key.team_id)
                .bind(lease.key.user_id)
                .bind(&lease.key.name)
                .bind(lease.token)
                .bind(true)
                .bind(made)
        )?;
        expect_one(done, StoreError::LeaseLost)
    }

    /// Keeps what a request was answered, sealed.
    pub async fn idempotency_answer(&mut self, lease: &Lease, answer: &[u8]) -> Result<()> {
        let sql = "UPDATE idempotency_keys SET answer = $5
            WHERE team_id = $1 AND user_id = $2 AND name = $3 AND lease_token = $4";
        let done = changed!(
            self,
            sqlx::query(sql).bind(lease.key.team_id).bind(lease.key.user_id).bind(&lease.key.name).bind(lease.token).bind(answer)
        )?;
        expect_one(done, StoreError::LeaseLost)
    }

    /// Gives a key back whose request did nothing; `false` when it did something, or the lease is another's by now.
    pub async fn idempotency_release(&mut self, lease: &Lease) -> Result<bool> {
        let sql = "DELETE FROM idempotency_keys
            WHERE team_id = $1 AND user_id = $2 AND name = $3 AND lease_token = $4 AND carried_out = $5";
        let done = changed!(
            self,
            sqlx::query(sql).bind(lease.key.team_id).bind(lease.key.user_id).bind(&lease.key.name).bind(lease.token).bind(false)
        )?;
        Ok(done == 1)
    }

    /// Deletes the keys of all teams that are too old.
    pub async fn idempotency_purge(&mut self) -> Result<()> {
        let sql = "DELETE FROM idempotency_keys WHERE expires_at <= $1";
        tx!(self, |conn| sqlx::query(sql).bind(now()).execute(conn).await.map(drop))?;
        Ok(())
    }
}
