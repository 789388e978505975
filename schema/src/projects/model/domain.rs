use async_graphql::{ComplexObject, Enum, ID, SimpleObject};
use chrono::{DateTime, Utc};
use domain::custom_domain;
use services::DomainDetails;

/// How it stands with a domain.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "domain::custom_domain::DomainState")]
pub enum DomainState {
    /// It waits for its owner to show that it is theirs.
    Pending,
    /// It is the team's, and served.
    Verified,
}

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
    /// How it stands.
    state: DomainState,
    /// What the last look at the DNS found wrong, and what to do.
    problem: Option<String>,
    /// When the DNS was last looked at.
    checked_at: Option<DateTime<Utc>>,
    /// When it is looked at next; never by itself when null.
    next_check_at: Option<DateTime<Utc>>,
    /// Since when it is known to be the team's, and served.
    verified_at: Option<DateTime<Utc>>,
    /// How it stands with its certificate.
    certificate: DomainCertificate,
    /// When it was added.
    created_at: DateTime<Utc>,
    #[graphql(skip)]
    records: Vec<custom_domain::DnsRecord>,
}

/// Where a domain's certificate is.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
pub enum DomainCertificateState {
    /// This installation gets none: what stands before it has the certificates, or it shows sites without TLS.
    Elsewhere,
    /// There is none yet: it is ordered once the domain is verified, and until it is there handshakes are refused.
    Waiting,
    /// There is one.
    Issued,
}

/// How it stands with a domain's certificate.
#[derive(SimpleObject)]
pub struct DomainCertificate {
    /// Where it is.
    state: DomainCertificateState,
    /// Until when it is valid.
    not_after: Option<DateTime<Utc>>,
    /// What was wrong with the last try to get or to renew it, and what to do.
    problem: Option<String>,
    /// When the next try is, after one that failed.
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
    /// What it says.
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
            state: domain.state().into(),
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
