//! Looks at the DNS.

use std::time::Duration;

use domain::id::{DomainId, TeamId};
use serde::{Deserialize, Serialize};

use super::Payload;

/// Looks whether the DNS shows that a domain is a team's, and where it leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckDomainJob {
    /// Version of this payload.
    pub version: u8,
    /// The team.
    pub team_id: TeamId,
    /// The domain.
    pub domain_id: DomainId,
}

impl Payload for CheckDomainJob {
    const KIND: &'static str = "check_domain";
    const QUEUE: &'static str = "domains";
    const MAX_ATTEMPTS: i64 = 5;
    const TIMEOUT: Duration = Duration::from_mins(1);

    fn team_id(&self) -> TeamId {
        self.team_id
    }
}
