//! Renewal of certificates: the process that orders, the time of the next attempt, and the alert if there is no certificate.

use std::time::Duration;

use chrono::TimeDelta;
use domain::time::{Timestamp, now};
use services_core::Result;
use services_core::alerts::raise;
use services_core::unit_of_work::UnitOfWork;
use store::{AcmeCertificate, AcmeName, AcmeOrderEnd};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::order::OrderError;
use super::{Certificates, Issued, Wanted, Whose, identity, is_due};

/// Timeout of an order.
pub(super) const ORDER: Duration = Duration::from_mins(3);
/// Time for which no other process orders meanwhile: longer, so that one order at a time is in progress. Until then a process
/// that died holds it, too.
pub(super) const LEASE: TimeDelta = TimeDelta::minutes(5);

/// Delay after the first failed attempt, and the maximum delay.
const FIRST_PAUSE: TimeDelta = TimeDelta::minutes(1);
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(1);

/// After so many tries that failed in a row somebody is told.
const PATIENT_FOR: i64 = 3;

/// The alert's kind, and what it is about when the certificate is that of the API; else it is the domain. No domain is named so: they
/// have dots.
pub(super) const ALERT: &str = "certificate_renewal";
const SUBJECT: &str = "api";

/// Returns the delay after so many failures.
pub(super) fn pause(failures: i64) -> TimeDelta {
    let doublings = u32::try_from(failures.clamp(1, 10) - 1).unwrap_or_default();
    (FIRST_PAUSE * 2_i32.pow(doublings)).min(LONGEST_PAUSE)
}

impl Certificates {
    /// Orders a certificate, unless another process does or it is too early for the next try.
    pub(super) async fn renew(&self, wanted: &Wanted, stop: &CancellationToken) -> Result<()> {
        let Some(failures) = self.claim(wanted).await? else { return Ok(()) };
        // Another process may have got one between the look and the claim.
        let present = self.row(&wanted.name).await?;
        if !is_due(present.map(|row| (row.not_before, row.not_after)), now()) {
            return self.release(wanted).await;
        }
        tracing::info!(domains = wanted.name.domains, directory = wanted.name.directory, "a certificate is ordered");
        let ordered = tokio::select! {
            ordered = timeout(ORDER, self.order(wanted)) => ordered.unwrap_or(Err(OrderError::TimedOut)),
            () = stop.cancelled() => return self.release(wanted).await,
        };
        match ordered {
            Ok(issued) => self.keep_issued(wanted, &issued).await,
            Err(error) => self.keep_failure(wanted, failures + 1, &error).await,
        }
    }

    async fn claim(&self, wanted: &Wanted) -> Result<Option<i64>> {
        let mut tx = self.services.begin().await?;
        let failures = tx.acme_order_claim(&wanted.name, self.runner, now() + LEASE).await?;
        tx.commit().await?;
        Ok(failures)
    }

    /// Lets others try at once.
    async fn release(&self, wanted: &Wanted) -> Result<()> {
        let mut tx = self.services.begin().await?;
        tx.acme_order_release(&wanted.name, self.runner).await?;
        Ok(tx.commit().await?)
    }

    pub(super) async fn keep_issued(&self, wanted: &Wanted, issued: &Issued) -> Result<()> {
        let services = &self.services;
        let sealed = services.sealer().seal_own(services.store(), &identity(&wanted.name), issued.key.as_bytes()).await?;
        let Issued { not_before, not_after, stored_at, .. } = *issued;
        let row = AcmeCertificate { chain: issued.chain.clone(), sealed, not_before, not_after, stored_at };
        let mut tx = services.store().begin().await?;
        let end = AcmeOrderEnd { failures: 0, problem: None, next: now() };
        if !tx.acme_order_end(&wanted.name, self.runner, &end).await? {
            tracing::warn!(domains = wanted.name.domains, "another process took the order over: its certificate is used");
            return Ok(());
        }
        tx.acme_certificate_put(&wanted.name, &row).await?;
        for name in &wanted.names {
            tx.acme_challenge_delete(name).await?;
        }
        tx.alert_resolve(ALERT, wanted.subject()).await?;
        tx.commit().await?;
        tracing::info!(domains = wanted.name.domains, until = %not_after, "there is a new certificate");
        Ok(())
    }

    pub(super) async fn keep_failure(&self, wanted: &Wanted, failures: i64, error: &OrderError) -> Result<()> {
        let (reason, pause) = (jobs::handler::chain(error), pause(failures));
        tracing::warn!(
            domains = wanted.name.domains,
            reason,
            failures,
            minutes = pause.num_minutes(),
            "there is no new certificate; the next try is after a pause"
        );
        let end = AcmeOrderEnd { failures, problem: Some(error.told()), next: now() + pause };
        let present = self.row(&wanted.name).await?.map(|row| row.not_after);
        let mut tx = self.services.begin().await?;
        if tx.acme_order_end(&wanted.name, self.runner, &end).await? && failures >= PATIENT_FOR {
            complain(&mut tx, wanted, wanted.complaint(present, failures, error)).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// Raises an alert: for operators about the API's certificate, for the team about its domain's. A domain that is not served
/// any more is nobody's matter.
async fn complain(tx: &mut UnitOfWork, wanted: &Wanted, complaint: String) -> Result<()> {
    let team = match &wanted.whose {
        Whose::Api => None,
        Whose::Domain(name) => match tx.domain_find_served(name).await? {
            Some(domain) => Some(domain.team_id),
            None => return Ok(()),
        },
    };
    Ok(raise(tx, team, ALERT, wanted.subject(), complaint).await?)
}

impl Wanted {
    fn complaint(&self, present: Option<Timestamp>, failures: i64, error: &OrderError) -> String {
        let AcmeName { directory, domains } = &self.name;
        let (from, unreachable, reason, advice) = match self.whose {
            Whose::Api => (
                format!(" from {directory}"),
                "the API",
                jobs::handler::chain(error),
                ". Do the names lead here on port 443, and can the authority be reached?",
            ),
            Whose::Domain(_) => (String::new(), "what is under it", error.told(), ""),
        };
        let present = match present {
            Some(until) => format!("the present one ends at {}", until.to_rfc3339()),
            None => format!("there is none, so that nobody can reach {unreachable}"),
        };
        format!("{failures} tries in a row to get a certificate for {domains}{from} failed ({present}): {reason}{advice}")
    }

    /// Returns the subject of an alert about it.
    fn subject(&self) -> &str {
        match &self.whose {
            Whose::Api => SUBJECT,
            Whose::Domain(name) => name.as_str(),
        }
    }
}
