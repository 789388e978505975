//! Command lines that wait until somebody signs in for them in a browser (RFC 8628).

use domain::id::{TeamId, UserId};
use domain::time::{Timestamp, now};

use crate::db::{Store, Tx};
use crate::error::Result;

/// A command line that waits.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct DeviceLogin {
    /// The digest of its device code.
    pub hash: String,
    /// Code that its user types in, without the hyphen.
    pub user_code: String,
    /// Name that the machine gives itself.
    pub name: String,
    /// Address from which it asked.
    pub address: String,
    /// Expiry time.
    pub expires_at: Timestamp,
    /// Time of the last poll.
    pub polled_at: Option<Timestamp>,
    /// Time of the decision.
    pub decided_at: Option<Timestamp>,
    /// User who signed in for it; `None` if it was denied.
    pub user_id: Option<UserId>,
    /// Team of the sign-in.
    pub team_id: Option<TeamId>,
    /// End of the session from which it was approved.
    pub session_ends_at: Option<Timestamp>,
}

/// User and team for whom a command line is signed in.
#[derive(Debug, Clone, Copy)]
pub struct LetIn {
    /// User.
    pub user: UserId,
    /// Team of the sign-in.
    pub team: TeamId,
    /// End of the session from which it is approved; `None` for one that lasts.
    pub session_ends_at: Option<Timestamp>,
}

macro_rules! device_columns {
    () => {
        "SELECT hash, user_code, name, address, expires_at, polled_at, decided_at, user_id, team_id, session_ends_at FROM device_logins "
    };
}

impl Store {
    /// The command line that waits with this code for its user.
    pub async fn device_by_user_code(&self, code: &str, at: Timestamp) -> Result<Option<DeviceLogin>> {
        let sql = concat!(device_columns!(), "WHERE user_code = $1 AND decided_at IS NULL AND expires_at > $2");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(code).bind(at).fetch_optional(pool).await)?)
    }

    /// Returns the number of command lines that wait.
    pub async fn device_count(&self, at: Timestamp) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM device_logins WHERE expires_at > $1 AND decided_at IS NULL";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(at).fetch_one(pool).await)?)
    }
}

impl Tx {
    /// The command line with this digest, as this transaction sees it.
    pub async fn device_find(&mut self, hash: &str) -> Result<Option<DeviceLogin>> {
        let sql = concat!(device_columns!(), "WHERE hash = $1");
        Ok(tx!(self, |conn| sqlx::query_as(sql).bind(hash).fetch_optional(conn).await)?)
    }

    /// Adds a command line that waits. `Exists` when another has its user code.
    pub async fn device_insert(&mut self, device: &DeviceLogin) -> Result<()> {
        let sql = "INSERT INTO device_logins (hash, user_code, name, address, expires_at) VALUES ($1, $2, $3, $4, $5)";
        tx!(self, |conn| sqlx::query(sql)
            .bind(&device.hash)
            .bind(&device.user_code)
            .bind(&device.name)
            .bind(&device.address)
            .bind(device.expires_at)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Notes that a command line asked.
    pub async fn device_polled(&mut self, hash: &str) -> Result<()> {
        let sql = "UPDATE device_logins SET polled_at = $2 WHERE hash = $1";
        tx!(self, |conn| sqlx::query(sql).bind(hash).bind(now()).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Decides on a command line that waits: for whom it is signed in, or for nobody; `false` when somebody decided before, or it is late.
    pub async fn device_decide(&mut self, user_code: &str, allowed: Option<LetIn>) -> Result<bool> {
        let sql = "UPDATE device_logins SET decided_at = $2, user_id = $3, team_id = $4, session_ends_at = $5
            WHERE user_code = $1 AND decided_at IS NULL AND expires_at > $2";
        let done = changed!(
            self,
            sqlx::query(sql)
                .bind(user_code)
                .bind(now())
                .bind(allowed.map(|allowed| allowed.user))
                .bind(allowed.map(|allowed| allowed.team))
                .bind(allowed.and_then(|allowed| allowed.session_ends_at))
        )?;
        Ok(done == 1)
    }

    /// Forgets the command lines that a user let in and that have not heard it yet.
    pub async fn device_forget(&mut self, user: UserId) -> Result<()> {
        let sql = "DELETE FROM device_logins WHERE user_id = $1";
        tx!(self, |conn| sqlx::query(sql).bind(user).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Forgets a command line; `false` when it is gone already.
    pub async fn device_delete(&mut self, hash: &str) -> Result<bool> {
        let sql = "DELETE FROM device_logins WHERE hash = $1";
        let done = changed!(self, sqlx::query(sql).bind(hash))?;
        Ok(done == 1)
    }
}
