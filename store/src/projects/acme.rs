//! Certificates from an authority, of the API and of teams' domains, and the orders for them.

use chrono::TimeDelta;
use domain::host_name::HostName;
use domain::id::{ProjectId, TeamId};
use domain::time::{Timestamp, now};
use uuid::Uuid;

use crate::db::{Store, Tx};
use crate::error::Result;

/// Names and owner of a certificate: another authority or another set of names is another certificate.
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
    /// Start of validity.
    pub not_before: Timestamp,
    /// End of validity.
    pub not_after: Timestamp,
    /// Time at which it was stored, by which a newer one is recognized.
    pub stored_at: Timestamp,
}

/// Outcome of an attempt to obtain a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcmeOrderEnd {
    /// Number of consecutive failures, including this one.
    pub failures: i64,
    /// Reason for the failure.
    pub problem: Option<String>,
    /// Time from which the next attempt may begin.
    pub next: Timestamp,
}

/// Time after the last attempt at which an expired certificate, or an order without a certificate, loses its owner.
const FORGOTTEN_AFTER: TimeDelta = TimeDelta::days(1);

/// Status of the certificate of a served domain.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AcmeDomain {
    /// The domain.
    pub name: HostName,
    /// Start of its certificate's validity; `None` while there is none, as the next two.
    pub not_before: Option<Timestamp>,
    /// End of validity.
    pub not_after: Option<Timestamp>,
    /// Time at which it was stored.
    pub stored_at: Option<Timestamp>,
    /// Number of consecutive failures to obtain one.
    pub failures: i64,
    /// Time until which nobody orders: the timeout of an order in progress, or the time of the next attempt.
    pub leased_until: Option<Timestamp>,
    /// Reason for which the last attempt failed.
    pub problem: Option<String>,
}

macro_rules! domains {
    () => {
        "SELECT d.name, c.not_before, c.not_after, c.stored_at, COALESCE(o.failures, 0) AS failures, o.leased_until, o.problem
            FROM domains d
            LEFT JOIN acme_certificates c ON c.directory = $1 AND c.domains = d.name
            LEFT JOIN acme_orders o ON o.directory = $1 AND o.domains = d.name
            WHERE d.verified_at IS NOT NULL"
    };
}

impl Store {
    /// All domains that are served, whosever they are, by name, and how it stands with their certificates from an authority.
    pub async fn acme_domain_list(&self, directory: &str) -> Result<Vec<AcmeDomain>> {
        let sql = concat!(domains!(), " ORDER BY d.name");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(directory).fetch_all(pool).await)?)
    }

    /// The domains of a project that are served, by name, and how it stands with their certificates from an authority.
    pub async fn acme_domain_list_of(&self, team: TeamId, project: ProjectId, directory: &str) -> Result<Vec<AcmeDomain>> {
        let sql = concat!(domains!(), " AND d.team_id = $2 AND d.project_id = $3 ORDER BY d.name");
        Ok(db!(self, |pool| sqlx::query_as(sql).bind(directory).bind(team).bind(project).fetch_all(pool).await)?)
    }

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

    /// Returns the challenge certificate to present to the authority for a name at this moment.
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

    /// Ends a try. `false` when another has taken over.
    pub async fn acme_order_end(&mut self, name: &AcmeName, runner: Uuid, end: &AcmeOrderEnd) -> Result<bool> {
        let sql = "UPDATE acme_orders SET leased_until = $4, failures = $5, problem = $6
            WHERE directory = $1 AND domains = $2 AND runner = $3";
        let done = changed!(
            self,
            sqlx::query(sql)
                .bind(&name.directory)
                .bind(&name.domains)
                .bind(runner)
                .bind(end.next)
                .bind(end.failures)
                .bind(&end.problem)
        )?;
        Ok(done == 1)
    }

    /// Gives up a try that was not made: the next one may begin at once.
    pub async fn acme_order_release(&mut self, name: &AcmeName, runner: Uuid) -> Result<()> {
        let sql = "UPDATE acme_orders SET leased_until = $4 WHERE directory = $1 AND domains = $2 AND runner = $3";
        tx!(self, |conn| sqlx::query(sql)
            .bind(&name.directory)
            .bind(&name.domains)
            .bind(runner)
            .bind(now())
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
    }

    /// Deletes what is over and nobody tries to renew: certificates, orders that led to none, and what authorities were shown.
    pub async fn acme_purge(&mut self, at: Timestamp) -> Result<()> {
        let certificates = "DELETE FROM acme_certificates WHERE not_after < $1 AND NOT EXISTS (SELECT 1 FROM acme_orders o
            WHERE o.directory = acme_certificates.directory AND o.domains = acme_certificates.domains AND o.leased_until >= $2)";
        let orders = "DELETE FROM acme_orders WHERE leased_until < $1 AND NOT EXISTS (SELECT 1 FROM acme_certificates c
            WHERE c.directory = acme_orders.directory AND c.domains = acme_orders.domains)";
        let forgotten = at - FORGOTTEN_AFTER;
        tx!(self, |conn| sqlx::query(certificates).bind(at).bind(forgotten).execute(conn).await.map(drop))?;
        tx!(self, |conn| sqlx::query(orders).bind(forgotten).execute(conn).await.map(drop))?;
        tx!(self, |conn| sqlx::query("DELETE FROM acme_challenges WHERE expires_at < $1")
            .bind(at)
            .execute(conn)
            .await
            .map(drop))?;
        Ok(())
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
