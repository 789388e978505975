//! State of sign-ins: failed attempts, sign-ins in progress, second factors.

use domain::id::UserId;
use domain::time::{Timestamp, now};

use crate::db::{Store, Tx};
use crate::error::Result;

/// Failed attempts to sign in, in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Attempts {
    /// Number of failures.
    pub failures: i64,
    /// Start time of the last attempt.
    pub failed_at: Timestamp,
}

/// A sign-in that waits for something.
#[derive(Debug, Clone)]
pub struct SignInFlow<'a> {
    /// The digest of the token with which it goes on.
    pub hash: &'a str,
    /// Kind of the input that it waits for.
    pub kind: &'a str,
    /// State so far, sealed.
    pub sealed: &'a [u8],
    /// Expiry time.
    pub expires_at: Timestamp,
}

/// A user's time-based one-time password.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SecondFactor {
    /// The secret, sealed.
    pub sealed: Vec<u8>,
    /// Time since which it is required; `None` until a first code was presented.
    pub confirmed_at: Option<Timestamp>,
    /// The time step of the last code that was taken.
    pub last_step: i64,
}

impl Store {
    /// The failed attempts of a subject.
    pub async fn attempts_get(&self, subject: &str) -> Result<Option<Attempts>> {
        let sql = "SELECT failures, failed_at FROM sign_in_attempts WHERE subject = $1";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(subject).fetch_optional(pool).await)?)
    }

    /// A sign-in that waits, unless it has expired: its sealed state.
    pub async fn sign_in_flow_get(&self, hash: &str, kind: &str) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT sealed FROM sign_in_flows WHERE hash = $1 AND kind = $2 AND expires_at > $3";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(hash).bind(kind).bind(now()).fetch_optional(pool).await)?)
    }

    /// A user's second factor.
    pub async fn second_factor_get(&self, user: UserId) -> Result<Option<SecondFactor>> {
        let sql = "SELECT sealed, confirmed_at, last_step FROM second_factors WHERE user_id = $1";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(user).fetch_optional(pool).await)?)
    }

    /// Returns the number of a user's remaining recovery codes.
    pub async fn recovery_code_count(&self, user: UserId) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(user).fetch_one(pool).await)?)
    }
}

impl Tx {
    /// Counts an attempt in place of what was read; `false` when another attempt was counted meanwhile.
    pub async fn attempts_put(&mut self, subject: &str, read: Option<Attempts>, attempts: Attempts) -> Result<bool> {
        let Attempts { failures, failed_at } = attempts;
        let sql = "INSERT INTO sign_in_attempts (subject, failures, failed_at) VALUES ($1, $2, $3)
            ON CONFLICT (subject) DO UPDATE SET failures = excluded.failures, failed_at = excluded.failed_at
            WHERE sign_in_attempts.failures = $4 AND sign_in_attempts.failed_at = $5";
        let (known, at) = read.map_or((0, failed_at), |read| (read.failures, read.failed_at));
        let done = changed!(self, sqlx::query(sql).bind(subject).bind(failures).bind(failed_at).bind(known).bind(at))?;
        Ok(done == 1)
    }

    /// Forgets the failed attempts of a subject.
    pub async fn attempts_forget(&mut self, subject: &str) -> Result<()> {
        let sql = "DELETE FROM sign_in_attempts WHERE subject = $1";
        tx!(self, |conn| sqlx::query(sql).bind(subject).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Keeps a sign-in that waits.
    pub async fn sign_in_flow_insert(&mut self, flow: &SignInFlow<'_>) -> Result<()> {
        let sql = "INSERT INTO sign_in_flows (hash, kind, sealed, expires_at) VALUES ($1, $2, $3, $4)";
        let SignInFlow { hash, kind, sealed, expires_at } = flow;
        tx!(self, |conn| sqlx::query(sql).bind(hash).bind(kind).bind(sealed).bind(expires_at).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Uses up a sign-in that waits; `false` when it is unknown, used or expired.
    pub async fn sign_in_flow_use(&mut self, hash: &str, kind: &str) -> Result<bool> {
        let sql = "DELETE FROM sign_in_flows WHERE hash = $1 AND kind = $2 AND expires_at > $3";
        let done = changed!(self, sqlx::query(sql).bind(hash).bind(kind).bind(now()))?;
        Ok(done == 1)
    }

    /// Keeps a second factor that is not asked for yet, in place of an unconfirmed one; `false` when there is a confirmed one.
    pub async fn second_factor_put(&mut self, user: UserId, sealed: &[u8]) -> Result<bool> {
        let sql = "INSERT INTO second_factors (user_id, sealed, last_step) VALUES ($1, $2, 0)
            ON CONFLICT (user_id) DO UPDATE SET sealed = excluded.sealed, last_step = 0 WHERE second_factors.confirmed_at IS NULL";
        let done = changed!(self, sqlx::query(sql).bind(user).bind(sealed))?;
        Ok(done == 1)
    }

    /// Takes the code of a time step, which confirms the factor if none was taken before; `false` when this or a later one was taken.
    pub async fn second_factor_use(&mut self, user: UserId, step: i64) -> Result<bool> {
        let sql = "UPDATE second_factors SET last_step = $2, confirmed_at = COALESCE(confirmed_at, $3)
            WHERE user_id = $1 AND last_step < $2";
        let done = changed!(self, sqlx::query(sql).bind(user).bind(step).bind(now()))?;
        Ok(done == 1)
    }

    /// Removes a user's second factor with its recovery codes.
    pub async fn second_factor_delete(&mut self, user: UserId) -> Result<()> {
        for sql in ["DELETE FROM recovery_codes WHERE user_id = $1", "DELETE FROM second_factors WHERE user_id = $1"] {
            tx!(self, |conn| sqlx::query(sql).bind(user).execute(conn).await.map(drop))?;
        }
        Ok(())
    }

    /// Replaces a user's recovery codes by those with these digests.
    pub async fn recovery_codes_put(&mut self, user: UserId, hashes: &[String]) -> Result<()> {
        let delete = "DELETE FROM recovery_codes WHERE user_id = $1";
        tx!(self, |conn| sqlx::query(delete).bind(user).execute(conn).await.map(drop))?;
        for hash in hashes {
            let sql = "INSERT INTO recovery_codes (user_id, hash) VALUES ($1, $2)";
            tx!(self, |conn| sqlx::query(sql).bind(user).bind(hash).execute(conn).await.map(drop))?;
        }
        Ok(())
    }

    /// Uses a recovery code up; `false` when the user has no such code or used it.
    pub async fn recovery_code_use(&mut self, user: UserId, hash: &str) -> Result<bool> {
        let sql = "UPDATE recovery_codes SET used_at = $3 WHERE user_id = $1 AND hash = $2 AND used_at IS NULL";
        let done = changed!(self, sqlx::query(sql).bind(user).bind(hash).bind(now()))?;
        Ok(done == 1)
    }

    /// Deletes what has expired at this moment, and failed attempts from before another.
    pub async fn sign_in_purge(&mut self, at: Timestamp, failed_before: Timestamp) -> Result<()> {
        for (sql, before) in [
            ("DELETE FROM sign_in_flows WHERE expires_at < $1", at),
            ("DELETE FROM device_logins WHERE expires_at < $1", at),
            ("DELETE FROM invitations WHERE expires_at < $1", at),
            ("DELETE FROM sign_in_attempts WHERE failed_at < $1", failed_before),
        ] {
            tx!(self, |conn| sqlx::query(sql).bind(before).execute(conn).await.map(drop))?;
        }
        Ok(())
    }
}
