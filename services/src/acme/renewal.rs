//! Who orders, when the next try is, and who is told when there is no certificate.

use std::time::Duration;

use chrono::TimeDelta;
use domain::time::now;
use store::AcmeCertificate;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::order::OrderError;
use super::{Certificates, Issued, identity, is_due};
use crate::Result;
use crate::watch::raise;

/// How long an order may take.
pub(super) const ORDER: Duration = Duration::from_mins(3);
/// How long nobody else orders meanwhile: longer, so that one order at a time is under way. Until then a process that died holds it, too.
pub(super) const LEASE: TimeDelta = TimeDelta::minutes(5);

/// How long to wait after the first try that failed, and at most.
const FIRST_PAUSE: TimeDelta = TimeDelta::minutes(1);
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(1);

/// After so many tries that failed in a row somebody is told.
const PATIENT_FOR: i64 = 3;

/// The alert's kind, and what it is about: there is one certificate.
const ALERT: &str = "certificate_renewal";
const SUBJECT: &str = "api";

/// How long to wait after so many failures.
pub(super) fn pause(failures: i64) -> TimeDelta {
    let doublings = u32::try_from(failures.clamp(1, 10) - 1).unwrap_or_default();
    (FIRST_PAUSE * 2_i32.pow(doublings)).min(LONGEST_PAUSE)
}

impl Certificates {
    /// Orders a certificate, unless another process does or it is too early for the next try.
    pub(super) async fn renew(&self, stop: &CancellationToken) -> Result<()> {
        let Some(failures) = self.claim().await? else { return Ok(()) };
        // Another process may have got one between the look and the claim.
        if !is_due(self.read().await?.as_deref(), now()) {
            return self.release(failures).await;
        }
        tracing::info!(domains = self.name.domains, directory = self.name.directory, "a certificate is ordered");
        let ordered = tokio::select! {
            ordered = timeout(ORDER, self.order()) => ordered.unwrap_or(Err(OrderError::TimedOut)),
            () = stop.cancelled() => return self.release(failures).await,
        };
        match ordered {
            Ok(issued) => self.keep_issued(&issued).await,
            Err(error) => self.keep_failure(failures + 1, &error).await,
        }
    }

    async fn claim(&self) -> Result<Option<i64>> {
        let mut tx = self.services.store().begin().await?;
        let failures = tx.acme_order_claim(&self.name, self.runner, now() + LEASE).await?;
        tx.commit().await?;
        Ok(failures)
    }

    /// Lets others try at once.
    async fn release(&self, failures: i64) -> Result<()> {
        let mut tx = self.services.store().begin().await?;
        tx.acme_order_end(&self.name, self.runner, failures, now()).await?;
        Ok(tx.commit().await?)
    }

    async fn keep_issued(&self, issued: &Issued) -> Result<()> {
        let inner = &self.services.inner;
        let sealed = inner.sealer.seal_own(&inner.store, &identity(&self.name), issued.key.as_bytes()).await?;
        let Issued { not_before, not_after, stored_at, .. } = *issued;
        let row = AcmeCertificate { chain: issued.chain.clone(), sealed, not_before, not_after, stored_at };
        let mut tx = inner.store.begin().await?;
        if !tx.acme_order_end(&self.name, self.runner, 0, now()).await? {
            tracing::warn!("another process took the order over: its certificate is used");
            return Ok(());
        }
        tx.acme_certificate_put(&self.name, &row).await?;
        for domain in &self.settings.domains {
            tx.acme_challenge_delete(domain).await?;
        }
        tx.alert_resolve(ALERT, SUBJECT).await?;
        tx.commit().await?;
        tracing::info!(domains = self.name.domains, until = %not_after, "there is a new certificate");
        self.read().await.map(drop)
    }

    async fn keep_failure(&self, failures: i64, error: &OrderError) -> Result<()> {
        let (reason, pause) = (jobs::handler::chain(error), pause(failures));
        tracing::warn!(
            reason,
            failures,
            minutes = pause.num_minutes(),
            "there is no new certificate; the next try is after a pause"
        );
        let mut tx = self.services.store().begin().await?;
        let mut raised = None;
        if tx.acme_order_end(&self.name, self.runner, failures, now() + pause).await? && failures >= PATIENT_FOR {
            raised = raise(&mut tx, None, ALERT, SUBJECT, self.complaint(failures, &reason)).await?;
        }
        tx.commit().await?;
        self.services.tell(raised);
        Ok(())
    }

    fn complaint(&self, failures: i64, reason: &str) -> String {
        let present = match self.served.borrow().as_ref() {
            Some(issued) => format!("the present one ends at {}", issued.not_after.to_rfc3339()),
            None => "there is none, so that nobody can reach the API".to_owned(),
        };
        let (domains, directory) = (&self.name.domains, &self.name.directory);
        format!(
            "{failures} tries in a row to get a certificate for {domains} from {directory} failed ({present}): {reason}. \
             Do the names lead here on port 443, and can the authority be reached?"
        )
    }
}
