//! Domains of a team's own, which show an environment beside its address below the installation's domain.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::host_name::{HostName, LONGEST};
use crate::id::{DomainId, EnvironmentId, ProjectId, TeamId, UserId};
use crate::time::Timestamp;

/// Below which name the owner of a domain shows that it is theirs, and what stands before the token there.
const PROOF_LABEL: &str = "_mikrocloud";
const PROOF_PREFIX: &str = "mikrocloud-verification=";

/// Time within which an owner has to verify the domain; after that they have to request another check.
const PATIENCE: chrono::TimeDelta = chrono::TimeDelta::days(7);

/// A domain of a team's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct CustomDomain {
    /// Identity.
    pub id: DomainId,
    /// The team that says that it is theirs.
    pub team_id: TeamId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// The environment that it shows.
    pub environment_id: EnvironmentId,
    /// Its name.
    pub name: HostName,
    /// Token that the owner publishes in the DNS. It is no secret: everybody who reads the DNS sees it.
    pub token: String,
    /// Problem that the last DNS check found, with a remedy.
    pub problem: Option<String>,
    /// Time of the last DNS check.
    pub checked_at: Option<Timestamp>,
    /// Time of the next DNS check; absent if none is scheduled.
    pub next_check_at: Option<Timestamp>,
    /// Time since which the team is known to own it, and since which it is served.
    pub verified_at: Option<Timestamp>,
    /// User who added it.
    pub created_by: UserId,
    /// Time at which it was added.
    pub created_at: Timestamp,
}

/// State of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
pub enum DomainState {
    /// It waits for its owner to show that it is theirs.
    Pending,
    /// It is the team's, and served.
    Verified,
}

impl DomainState {
    /// The name in small letters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Verified => "verified",
        }
    }
}

impl Serialize for DomainState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A record that the owner of a domain makes in its zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DnsRecord {
    /// Its type, such as `TXT`.
    pub kind: &'static str,
    /// The name that it is for.
    pub name: String,
    /// Value of the record.
    pub value: String,
}

impl CustomDomain {
    /// Returns the state of the domain.
    pub fn state(&self) -> DomainState {
        if self.verified_at.is_some() { DomainState::Verified } else { DomainState::Pending }
    }

    /// The record by which the owner shows that the domain is theirs.
    pub fn proof(&self) -> DnsRecord {
        let name = format!("{PROOF_LABEL}.{}", self.name);
        DnsRecord { kind: "TXT", name, value: format!("{PROOF_PREFIX}{}", self.token) }
    }

    /// Returns the time of the check that follows a check at this moment; `None` once the verification period is over. A served
    /// domain is checked daily, so that a user who investigates a failure sees its present state.
    pub fn next_check(&self, at: Timestamp) -> Option<Timestamp> {
        let waited = at - self.created_at;
        let pause = match self.state() {
            DomainState::Verified => Duration::from_hours(24),
            DomainState::Pending if waited >= PATIENCE => return None,
            DomainState::Pending if waited < chrono::TimeDelta::hours(1) => Duration::from_secs(30),
            DomainState::Pending if waited < chrono::TimeDelta::days(1) => Duration::from_mins(10),
            DomainState::Pending => Duration::from_hours(1),
        };
        Some(at + pause)
    }
}

/// Checks that a name can be a custom domain: it has more than one label, and leaves room for the name of its proof.
pub fn check_name(name: &HostName) -> Result<(), &'static str> {
    if !name.is_public() {
        return Err("a name without a dot is known on your own network only: give one such as www.example.org");
    }
    if name.as_str().len() + PROOF_LABEL.len() + 1 > LONGEST {
        return Err("the name is too long: `_mikrocloud.` before it has to fit into 253 characters");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::time::now;

    fn domain(name: &str) -> CustomDomain {
        CustomDomain {
            id: DomainId::new(),
            team_id: TeamId::new(),
            project_id: ProjectId::new(),
            environment_id: EnvironmentId::new(),
            name: name.parse().unwrap(),
            token: "4f9a".to_owned(),
            problem: None,
            checked_at: None,
            next_check_at: None,
            verified_at: None,
            created_by: UserId::new(),
            created_at: now(),
        }
    }

    #[test]
    fn the_owner_shows_a_token_below_the_name() {
        let proof = domain("www.example.org").proof();
        assert_eq!((proof.kind, proof.name.as_str()), ("TXT", "_mikrocloud.www.example.org"));
        assert_eq!(proof.value, "mikrocloud-verification=4f9a");
    }

    #[test]
    fn looks_become_rarer_and_end() {
        let mut waiting = domain("www.example.org");
        for (after, pause) in [
            (TimeDelta::zero(), Some(TimeDelta::seconds(30))),
            (TimeDelta::minutes(59), Some(TimeDelta::seconds(30))),
            (TimeDelta::hours(1), Some(TimeDelta::minutes(10))),
            (TimeDelta::days(1), Some(TimeDelta::hours(1))),
            (TimeDelta::days(7), None),
        ] {
            let at = waiting.created_at + after;
            assert_eq!(waiting.next_check(at).map(|next| next - at), pause, "{after}");
        }
        waiting.verified_at = Some(now());
        let late = waiting.created_at + TimeDelta::days(900);
        assert_eq!(waiting.next_check(late), Some(late + TimeDelta::days(1)));
    }

    #[test]
    fn names_of_ones_own_network_are_refused() {
        assert!(check_name(&"www.example.org".parse().unwrap()).is_ok());
        assert!(check_name(&"intranet".parse().unwrap()).unwrap_err().contains("www.example.org"));
        let long = ["a".repeat(61), "b".repeat(61), "c".repeat(61), "d".repeat(57)].join(".");
        assert_eq!(long.len(), 243);
        assert!(check_name(&long.parse().unwrap()).unwrap_err().contains("253"));
        assert!(check_name(&long[1..].parse::<HostName>().unwrap()).is_err());
        assert!(check_name(&long[2..].parse::<HostName>().unwrap()).is_ok());
    }
}
