//! Certificates of the API from an authority, and the orders for them.

use domain::time::{Timestamp, now};
use uuid::Uuid;

use crate::db::{Store, Tx};
use crate::error::Result;

/// What a certificate is for, and whose it is: another authority or another set of names is another certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcmeName {
    /// The address of the authority's directory.
    pub directory: String,
    /// The names, in order, with commas between them.
    pub domains: String,
}

/// A certificate with its private key.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AcmeCertificate {
    /// The certificate and what leads from it to the authority's root, in PEM.
    pub chain: String,
    /// The private key, sealed.
    pub sealed: Vec<u8>,
    /// From when on it is valid.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
    /// When it was written, by which a newer one is told.
    pub stored_at: Timestamp,
}

impl Store {
    /// The certificate that is used, if there is one.
    pub async fn acme_certificate_get(&self, name: &AcmeName) -> Result<Option<AcmeCertificate>> {
        let sql = "SELECT chain, sealed, not_before, not_after, stored_at FROM acme_certificates
            WHERE directory = $1 AND domains = $2";
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(&name.directory).bind(&name.domains).fetch_optional(pool).await)?)
    }

    /// The account with an authority, sealed.
    pub async fn acme_account_get(&self, directory: &str) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT sealed FROM acme_accounts WHERE directory = $1";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(directory).fetch_optional(pool).await)?)
    }

    /// What the authority is to be shown for a name at this moment.
    pub async fn acme_challenge_get(&self, domain: &str) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT digest FROM acme_challenges WHERE domain = $1 AND expires_at > $2";
        Ok(db!(self, |pool| sqlx::query_scalar(sql).bind(domain).bind(now()).fetch_optional(pool).await)?)
    }
}

impl Tx {
    /// Writes the account with an authority, in the place of an earlier one.
    pub async fn acme_account_put(&mut self, directory: &str, account: &[u8]) -> Result<()> {
        let sql = "INSERT INTO acme_accounts (directory, sealed, created_at) VALUES ($1, $2, $3)
            ON CONFLICT (directory) DO UPDATE SET sealed = excluded.sealed, created_at = excluded.created_at";
        tx!(self, |conn| sqlx::query(sql).bind(directory).bind(account).bind(now()).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Writes a certificate, in the place of an earlier one.
    pub async fn acme_certificate_put(&mut self, name: &AcmeName, certificate: &AcmeCertificate) -> Result<()> {
        let sql = "INSERT INTO acme_certificates (directory, domains, chain, sealed, not_before, not_after, stored_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (directory, domains) DO UPDATE SET chain = excluded.chain, sealed = excluded.sealed,
                not_before = excluded.not_before, not_after = excluded.not_after, stored_at = excluded.stored_at";
        tx!(self, |conn| sqlx::query(sql)
            .bind(&name.directory)
            .bind(&name.domains)
            .bind(&certificate.chain)
            .bind(&certificate.sealed)
            .bind(certificate.not_before)
            .bind(certificate.not_after)
            .bind(certificate.stored_at)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Makes somebody the one who orders until a moment, and answers how many tries failed before; `None` while another orders, or it is
    /// too early for the next try.
    pub async fn acme_order_claim(&mut self, name: &AcmeName, runner: Uuid, until: Timestamp) -> Result<Option<i64>> {
        let sql = "INSERT INTO acme_orders (directory, domains, runner, leased_until, failures) VALUES ($1, $2, $3, $4, 0)
            ON CONFLICT (directory, domains) DO UPDATE SET runner = excluded.runner, leased_until = excluded.leased_until
            WHERE acme_orders.leased_until <= $5
            RETURNING failures";
        Ok(tx!(self, |conn| sqlx::query_scalar(sql)
            .bind(&name.directory)
            .bind(&name.domains)
            .bind(runner)
            .bind(until)
            .bind(now())
            .fetch_optional(conn)
            .await)?)
    }

    /// Ends a try: the next one may begin at a moment. `false` when another has taken over.
    pub async fn acme_order_end(&mut self, name: &AcmeName, runner: Uuid, failures: i64, next: Timestamp) -> Result<bool> {
        let sql = "UPDATE acme_orders SET leased_until = $4, failures = $5 WHERE directory = $1 AND domains = $2 AND runner = $3";
        let done = tx!(self, |conn| sqlx::query(sql)
            .bind(&name.directory)
            .bind(&name.domains)
            .bind(runner)
            .bind(next)
            .bind(failures)
            .execute(conn)
            .await
            .map(|done| done.rows_affected()))?;
        Ok(done == 1)
    }

    /// Writes down what the authority is to be shown for a name, until a moment.
    pub async fn acme_challenge_put(&mut self, domain: &str, digest: &[u8], until: Timestamp) -> Result<()> {
        let sql = "INSERT INTO acme_challenges (domain, digest, expires_at) VALUES ($1, $2, $3)
            ON CONFLICT (domain) DO UPDATE SET digest = excluded.digest, expires_at = excluded.expires_at";
        tx!(self, |conn| sqlx::query(sql).bind(domain).bind(digest).bind(until).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Removes what the authority was shown for a name.
    pub async fn acme_challenge_delete(&mut self, domain: &str) -> Result<()> {
        let sql = "DELETE FROM acme_challenges WHERE domain = $1";
        tx!(self, |conn| sqlx::query(sql).bind(domain).execute(conn).await.map(drop))?;
        Ok(())
    }
}
