//! How it stands with the certificates of domains, for who looks at a domain.

use crate::projects::DomainCertificateList;
use std::collections::HashMap;

use domain::host_name::HostName;
use domain::id::{ProjectId, TeamId};
use domain::time::Timestamp;
use store::AcmeDomain;

use crate::Result;

/// How it stands with the certificate of a domain that is served.
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
        /// Until when it is valid.
        not_after: Timestamp,
        /// The last try to renew it, where that failed.
        failed: Option<FailedTry>,
    },
}

/// A try to get a certificate that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedTry {
    /// What was wrong, and what to do.
    pub problem: String,
    /// When the next one is.
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
    /// How it stands with the certificates of a project's domains that are served.
    pub(crate) async fn of_project(&self, team: TeamId, project: ProjectId) -> Result<DomainCertificates> {
        let Some(directory) = &self.inner.settings.domain_certificates else { return Ok(DomainCertificates(None)) };
        let rows = self.store().acme_domain_list_of(team, project, directory.as_str()).await?;
        Ok(DomainCertificates(Some(rows.into_iter().map(|row| (row.name.clone(), row.into())).collect())))
    }
}

/// How it stands with the certificates of domains that are served; nothing where this installation gets none.
pub(crate) struct DomainCertificates(Option<HashMap<HostName, DomainCertificate>>);

impl DomainCertificates {
    /// How it stands with that of one domain.
    pub fn of(&self, name: &HostName) -> DomainCertificate {
        let Some(known) = &self.0 else { return DomainCertificate::Elsewhere };
        known.get(name).cloned().unwrap_or(DomainCertificate::Waiting { failed: None })
    }
}
