use async_graphql::{ComplexObject, Enum, ID, SimpleObject};
use chrono::{DateTime, Utc};
use domain::custom_domain;
pub use domain::custom_domain::DomainState;
use services::DomainDetails;

/// A domain of the team's own, which shows an environment.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Domain {
    /// Identity.
    id: ID,
    /// Its name, in ASCII (`xn--...`).
    name: String,
    /// Its name as people write it.
    unicode_name: String,
    /// The environment that it shows.
    environment: String,
    /// Its address.
    url: String,
    /// State of the domain.
    state: DomainState,
    /// Problem that the last DNS check found, with a remedy.
    problem: Option<String>,
    /// Time of the last DNS check.
    checked_at: Option<DateTime<Utc>>,
    /// Time of the next DNS check; null if none is scheduled.
    next_check_at: Option<DateTime<Utc>>,
    /// Time since which the domain is verified as the team's, and served.
    verified_at: Option<DateTime<Utc>>,
    /// Status of its certificate.
    certificate: DomainCertificate,
    /// Time at which it was added.
    created_at: DateTime<Utc>,
    #[graphql(skip)]
    records: Vec<custom_domain::DnsRecord>,
}

/// State of a domain's certificate.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
pub enum DomainCertificateState {
    /// This installation gets none: what stands before it has the certificates, or it shows sites without TLS.
    Elsewhere,
    /// There is none yet: it is ordered once the domain is verified, and until it is there handshakes are refused.
    Waiting,
    /// There is one.
    Issued,
}

/// Status of a domain's certificate.
#[derive(SimpleObject)]
pub struct DomainCertificate {
    /// State of the certificate.
    state: DomainCertificateState,
    /// End of validity.
    not_after: Option<DateTime<Utc>>,
    /// Problem of the last attempt to issue or renew it, with a remedy.
    problem: Option<String>,
    /// Time of the next attempt, after one that failed.
    next_try_at: Option<DateTime<Utc>>,
}

impl From<services::acme::DomainCertificate> for DomainCertificate {
    fn from(certificate: services::acme::DomainCertificate) -> Self {
        use services::acme::DomainCertificate::{Elsewhere, Issued, Waiting};
        let (state, not_after, failed) = match certificate {
            Elsewhere => (DomainCertificateState::Elsewhere, None, None),
            Waiting { failed } => (DomainCertificateState::Waiting, None, failed),
            Issued { not_after, failed } => (DomainCertificateState::Issued, Some(not_after), failed),
        };
        let (problem, next_try_at) = failed.map(|failed| (failed.problem, failed.next_try_at)).unzip();
        Self { state, not_after, problem, next_try_at }
    }
}

/// A record that the owner of a domain makes in its zone.
#[derive(SimpleObject)]
pub struct DnsRecord {
    /// Its type, such as `TXT`.
    #[graphql(name = "type")]
    kind: String,
    /// The name that it is for.
    name: String,
    /// Value of the record.
    value: String,
}

#[ComplexObject]
impl Domain {
    /// The records that its owner makes: one that shows that it is theirs, and one that leads visitors here where that can be said by
    /// name.
    async fn records(&self) -> Vec<DnsRecord> {
        let shown = |record: &custom_domain::DnsRecord| DnsRecord {
            kind: record.kind.to_owned(),
            name: record.name.clone(),
            value: record.value.clone(),
        };
        self.records.iter().map(shown).collect()
    }
}

impl From<DomainDetails> for Domain {
    fn from(details: DomainDetails) -> Self {
        let DomainDetails { domain, environment, url, records, certificate } = details;
        Self {
            id: domain.id.to_string().into(),
            unicode_name: domain.name.in_unicode().unwrap_or_else(|| domain.name.to_string()),
            state: domain.state(),
            name: domain.name.to_string(),
            environment: environment.to_string(),
            url,
            problem: domain.problem,
            checked_at: domain.checked_at,
            next_check_at: domain.next_check_at,
            verified_at: domain.verified_at,
            certificate: certificate.into(),
            created_at: domain.created_at,
            records,
        }
    }
}
