//! Status of domains' certificates, for users who view a domain.

use std::collections::HashMap;

use domain::host_name::HostName;
use domain::id::{ProjectId, TeamId};
use domain::time::Timestamp;
use services_core::Result;
use store::AcmeDomain;

use crate::DomainCertificateList;

/// Status of the certificate of a served domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DomainCertificate {
    /// This installation gets none: what stands before it has the certificates, or it shows sites without TLS.
    Elsewhere,
    /// There is none yet, and handshakes are refused.
    Waiting {
        /// The last try, where that failed.
        failed: Option<FailedTry>,
    },
    /// There is one.
    Issued {
        /// End of validity.
        not_after: Timestamp,
        /// The last try to renew it, where that failed.
        failed: Option<FailedTry>,
    },
}

/// A try to get a certificate that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedTry {
    /// Description of the problem, with a remedy.
    pub problem: String,
    /// Time of the next attempt.
    pub next_try_at: Timestamp,
}

impl From<AcmeDomain> for DomainCertificate {
    fn from(row: AcmeDomain) -> Self {
        let failed = row.problem.zip(row.leased_until).filter(|_| row.failures > 0);
        let failed = failed.map(|(problem, next_try_at)| FailedTry { problem, next_try_at });
        match row.not_after {
            Some(not_after) => Self::Issued { not_after, failed },
            None => Self::Waiting { failed },
        }
    }
}

impl DomainCertificateList {
    /// Returns the status of the certificates of a project's served domains.
    pub(crate) async fn of_project(&self, team: TeamId, project: ProjectId) -> Result<DomainCertificates> {
        let Some(directory) = &self.settings().domain_certificates else { return Ok(DomainCertificates(None)) };
        let rows = self.store().acme_domain_list_of(team, project, directory.as_str()).await?;
        Ok(DomainCertificates(Some(rows.into_iter().map(|row| (row.name.clone(), row.into())).collect())))
    }
}

/// Status of the certificates of served domains; empty if this installation obtains none.
pub(crate) struct DomainCertificates(Option<HashMap<HostName, DomainCertificate>>);

impl DomainCertificates {
    /// Returns the status of one domain's certificate.
    pub fn of(&self, name: &HostName) -> DomainCertificate {
        let Some(known) = &self.0 else { return DomainCertificate::Elsewhere };
        known.get(name).cloned().unwrap_or(DomainCertificate::Waiting { failed: None })
    }
}
