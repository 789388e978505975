//! Certificates of teams' domains: which there are, and which are ordered next.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain::host_name::HostName;
use domain::time::{Timestamp, now};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use services_core::Result;
use store::{AcmeDomain, StoreError, Tx};
use tokio_util::sync::CancellationToken;

use super::renewal::ALERT;
use super::{Certificates, Complained, Issued, LOOK_EVERY, Wanted, is_due};
use crate::DomainCertificateList;

/// Maximum number of concurrent orders for domains.
const AT_ONCE: usize = 4;

type ByName = HashMap<String, Option<Arc<Issued>>>;

impl Certificates {
    /// Reads the certificates of domains that were used last. One that cannot be used keeps nobody from starting.
    pub(super) async fn open_domains(&self) -> Result<()> {
        if self.has_domains() {
            let domains = self.list_domains().await?;
            if let Err(error) = self.take_domains(&domains).await {
                tracing::warn!(error = jobs::handler::chain(&error), "not all certificates of domains can be used");
            }
        }
        Ok(())
    }

    /// Takes newer certificates of domains from the database, and orders those that it is time for, until told to stop.
    pub(super) async fn keep_domains(&self, stop: &CancellationToken) {
        if !self.has_domains() {
            return;
        }
        let mut complained = Complained(false);
        let (mut orders, mut under_way) = (FuturesUnordered::new(), HashSet::new());
        while !stop.is_cancelled() {
            let (domains, looked) = self.look_at_domains().await;
            complained.about(&looked, "not all certificates of domains can be looked after; the last ones are used");
            for domain in next(&domains, &under_way, now()) {
                under_way.insert(domain.clone());
                orders.push(self.renew_domain(domain, stop));
            }
            tokio::select! {
                () = until_ended(&mut orders, &mut under_way) => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = stop.cancelled() => {}
            }
        }
        // They end at once, and let others order.
        while orders.next().await.is_some() {}
    }

    /// Returns true if this process obtains certificates for domains.
    fn has_domains(&self) -> bool {
        self.services.settings().domain_certificates.is_some()
    }

    /// Orders for a domain; answers whether that could be tried.
    async fn renew_domain(&self, domain: HostName, stop: &CancellationToken) -> (HostName, bool) {
        let renewed = self.renew(&Wanted::of_domain(&self.settings.directory, &domain), stop).await;
        if let Err(error) = &renewed {
            let error = jobs::handler::chain(error);
            tracing::warn!(%domain, error, "the certificate of a domain cannot be looked after; the last one is used");
        }
        (domain, renewed.is_ok())
    }

    /// Takes what is new; answers which domains are served, and what went wrong, which may be with one of them.
    pub(super) async fn look_at_domains(&self) -> (Vec<AcmeDomain>, Result<()>) {
        match self.list_domains().await {
            Ok(domains) => {
                let taken = self.take_domains(&domains).await;
                (domains, taken.and(self.services.certificates().end_alerts_of_domains().await))
            }
            Err(error) => (Vec::new(), Err(error)),
        }
    }

    /// The domains that are served. What is a name of the API's is served with the API's certificate.
    async fn list_domains(&self) -> Result<Vec<AcmeDomain>> {
        let mut domains = self.services.store().acme_domain_list(&self.own.name.directory).await?;
        domains.retain(|domain| !self.is_own(domain.name.as_str()));
        Ok(domains)
    }

    /// Serves these domains and no others, with their newest certificates; the error is the first of a certificate that cannot be used,
    /// in whose place the one before is.
    async fn take_domains(&self, domains: &[AcmeDomain]) -> Result<()> {
        let (before, mut after) = (Arc::clone(&self.served.borrow().domains), ByName::with_capacity(domains.len()));
        let mut taken = Ok(());
        for domain in domains {
            let present = before.get(domain.name.as_str()).cloned().flatten();
            let newest = match self.newest(domain, present.as_ref()).await {
                Ok(newest) => newest,
                Err(error) => {
                    taken = taken.and(Err(error));
                    present
                }
            };
            after.insert(domain.name.to_string(), newest);
        }
        if !same(&before, &after) {
            self.served.send_modify(|served| served.domains = Arc::new(after));
        }
        taken
    }

    /// The certificate of a domain. Only one that is not the present one is read.
    async fn newest(&self, domain: &AcmeDomain, present: Option<&Arc<Issued>>) -> Result<Option<Arc<Issued>>> {
        let (Some(not_before), Some(not_after), Some(stored_at)) = (domain.not_before, domain.not_after, domain.stored_at) else {
            return Ok(None);
        };
        if let Some(issued) = present.filter(|issued| issued.is_of((not_before, not_after, stored_at))) {
            return Ok(Some(Arc::clone(issued)));
        }
        let name = Wanted::of_domain(&self.settings.directory, &domain.name).name;
        match self.row(&name).await? {
            Some(row) => Ok(Some(Arc::new(self.open_row(&name, row).await?))),
            None => Ok(None),
        }
    }
}

impl DomainCertificateList {
    /// Ends the alerts on certificates of domains that are no longer served.
    async fn end_alerts_of_domains(&self) -> Result<()> {
        // Nearly always there are none, and a look disturbs no writer.
        if !self.store().alert_outlives_domain(ALERT).await? {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        tx.alert_resolve_without_domain(ALERT).await?;
        Ok(tx.commit().await?)
    }

    /// Deletes what is over of certificates. Where domains get none any more, alerts on theirs end.
    pub async fn purge(&self, tx: &mut Tx) -> Result<(), StoreError> {
        if self.settings().domain_certificates.is_none() {
            tx.alert_resolve_of_teams(ALERT).await?;
        }
        tx.acme_purge(now()).await
    }
}

/// Waits until an order has ended, so that what was got is served at once. One that could not be tried is not waited for: looking again at
/// once would make a loop without a pause.
async fn until_ended(orders: &mut FuturesUnordered<impl Future<Output = (HostName, bool)>>, under_way: &mut HashSet<HostName>) {
    while let Some((domain, was_tried)) = orders.next().await {
        under_way.remove(&domain);
        if was_tried {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// Returns true if the same domains are served with the same certificates.
fn same(before: &ByName, after: &ByName) -> bool {
    let is_same = |(name, issued): (&String, &Option<Arc<Issued>>)| match (before.get(name), issued) {
        (Some(Some(before)), Some(after)) => Arc::ptr_eq(before, after),
        (Some(None), None) => true,
        _ => false,
    };
    before.len() == after.len() && after.iter().all(is_same)
}

/// For which domains to order now. Those that failed less often come first, so that a new one does not wait for those that cannot be got.
pub(super) fn next(domains: &[AcmeDomain], under_way: &HashSet<HostName>, at: Timestamp) -> Vec<HostName> {
    let mut due: Vec<_> = domains
        .iter()
        .filter(|domain| is_due(domain.not_before.zip(domain.not_after), at))
        .filter(|domain| domain.leased_until.is_none_or(|until| until <= at) && !under_way.contains(&domain.name))
        .collect();
    due.sort_by_key(|domain| (domain.failures, domain.leased_until));
    due.into_iter().take(AT_ONCE.saturating_sub(under_way.len())).map(|domain| domain.name.clone()).collect()
}
