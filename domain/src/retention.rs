//! Retention of a team's artifacts: those that are served or in progress are kept, and those that rollback needs, within the
//! team's budget (docs/adr/0012-artifact-retention.md).

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;

use crate::artifact::Digest;
use crate::deployment::DeploymentStatus;
use crate::id::{DeploymentId, EnvironmentId};
use crate::time::Timestamp;

/// A deployment whose artifact is kept so far.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct Holding {
    /// The deployment.
    pub deployment_id: DeploymentId,
    /// Its environment.
    pub environment_id: EnvironmentId,
    /// Marks a project's production environment.
    pub is_production: bool,
    /// Status of the deployment.
    pub status: DeploymentStatus,
    /// Time at which that status began.
    pub changed_at: Timestamp,
    /// Its artifact.
    pub digest: Digest,
    /// The size of the artifact's files.
    pub bytes: i64,
}

/// Limits of retention.
#[derive(Debug, Clone, Copy)]
pub struct RetentionRules {
    /// Number of superseded deployments of each environment that stay ready for rollback.
    pub keep_superseded: usize,
    /// Time during which the artifact of a deployment that failed or was cancelled may still be promoted.
    pub keep_unreleased: TimeDelta,
    /// Maximum size of a team's artifacts, bytes; content that deployments share counts once.
    pub budget_bytes: u64,
}

/// An artifact that a team gives up, with all of the team's deployments that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// The artifact.
    pub digest: Digest,
    /// The deployments, sorted.
    pub deployments: Vec<DeploymentId>,
    /// Size that it counted, bytes.
    pub bytes: u64,
}

/// Retention decision about a team's artifacts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetentionChoice {
    /// Those that are given up, in the order in which that was decided.
    pub given_up: Vec<GivenUp>,
    /// Size of the kept artifacts, bytes.
    pub kept_bytes: u64,
}

/// Degree to which an artifact is needed, in the order in which artifacts are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ContentClaim {
    /// Nobody needs it.
    None,
    /// It was built and never shown; somebody may want to promote it.
    Unreleased,
    /// An environment can go back to it.
    Rollback,
    /// It is shown, on its way, or what production goes back to next: it stays whatever the budget.
    Needed,
}

/// One artifact with everything that needs it.
struct Content {
    claim: ContentClaim,
    /// The latest change among those with the strongest claim.
    since: Timestamp,
    bytes: u64,
    deployments: Vec<DeploymentId>,
}

/// Chooses what a team gives up. `holdings` are all deployments of the team whose artifact was not given up yet.
pub fn choose_artifacts(holdings: &[Holding], rules: &RetentionRules, at: Timestamp) -> RetentionChoice {
    let mut contents = contents(holdings, rules, at);
    let mut choice = RetentionChoice { given_up: Vec::new(), kept_bytes: contents.values().map(|content| content.bytes).sum() };
    let mut order: Vec<_> = contents
        .iter()
        .filter(|(_, content)| content.claim != ContentClaim::Needed)
        .map(|(digest, content)| (content.claim, content.since, (*digest).clone()))
        .collect();
    order.sort();
    for (claim, _, digest) in order {
        let over_budget =
            choice.kept_bytes > rules.budget_bytes && contents.get(&digest).is_some_and(|content| content.bytes > 0);
        if claim != ContentClaim::None && !over_budget {
            continue;
        }
        if let Some(mut content) = contents.remove(&digest) {
            content.deployments.sort_unstable();
            choice.kept_bytes -= content.bytes;
            choice.given_up.push(GivenUp { digest, deployments: content.deployments, bytes: content.bytes });
        }
    }
    choice
}

fn contents<'a>(holdings: &'a [Holding], rules: &RetentionRules, at: Timestamp) -> BTreeMap<&'a Digest, Content> {
    let ranks = rollback_ranks(holdings);
    let mut contents = BTreeMap::new();
    for holding in holdings {
        let claim = claim(holding, ranks.get(&holding.deployment_id).copied(), rules, at);
        let bytes = u64::try_from(holding.bytes).unwrap_or(0);
        let content = contents.entry(&holding.digest).or_insert_with(|| Content {
            claim,
            since: holding.changed_at,
            bytes,
            deployments: Vec::new(),
        });
        (content.claim, content.since) = (content.claim, content.since).max((claim, holding.changed_at));
        content.deployments.push(holding.deployment_id);
    }
    contents
}

fn claim(holding: &Holding, rank: Option<usize>, rules: &RetentionRules, at: Timestamp) -> ContentClaim {
    use DeploymentStatus as S;
    match holding.status {
        S::Queued | S::Building | S::Releasing | S::Live => ContentClaim::Needed,
        S::Superseded if rank == Some(0) && holding.is_production => ContentClaim::Needed,
        S::Superseded if rank.is_some_and(|rank| rank < rules.keep_superseded) => ContentClaim::Rollback,
        S::Failed | S::Cancelled if holding.changed_at + rules.keep_unreleased > at => ContentClaim::Unreleased,
        S::Superseded | S::Failed | S::Cancelled => ContentClaim::None,
    }
}

/// Returns the number of newer superseded deployments of the same environment, by deployment.
fn rollback_ranks(holdings: &[Holding]) -> HashMap<DeploymentId, usize> {
    let mut superseded: Vec<_> = holdings.iter().filter(|holding| holding.status == DeploymentStatus::Superseded).collect();
    superseded.sort_by_key(|holding| std::cmp::Reverse((holding.changed_at, holding.deployment_id)));
    let mut counts: HashMap<EnvironmentId, usize> = HashMap::new();
    let mut rank = |environment| {
        let count = counts.entry(environment).or_default();
        *count += 1;
        *count - 1
    };
    superseded.into_iter().map(|holding| (holding.deployment_id, rank(holding.environment_id))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::now;

    fn digest(byte: u8) -> Digest {
        Digest::from_bytes(&[byte; 32])
    }

    fn holding(environment: EnvironmentId, status: DeploymentStatus, minutes_ago: i64, content: u8) -> Holding {
        Holding {
            deployment_id: DeploymentId::new(),
            environment_id: environment,
            is_production: true,
            status,
            changed_at: now() - TimeDelta::minutes(minutes_ago),
            digest: digest(content),
            bytes: 100,
        }
    }

    fn rules(keep_superseded: usize, budget_bytes: u64) -> RetentionRules {
        RetentionRules { keep_superseded, keep_unreleased: TimeDelta::days(1), budget_bytes }
    }

    fn digests(choice: &RetentionChoice) -> Vec<Digest> {
        choice.given_up.iter().map(|given_up| given_up.digest.clone()).collect()
    }

    #[test]
    fn beyond_what_is_kept_for_rollback_artifacts_go() {
        use DeploymentStatus::{Building, Cancelled, Failed, Live, Superseded};
        let environment = EnvironmentId::new();
        let mut all = vec![holding(environment, Live, 1, 0), holding(environment, Building, 0, 9)];
        all.extend((1..=5).map(|number| holding(environment, Superseded, i64::from(number), number)));
        all.extend([holding(environment, Failed, 60 * 25, 6), holding(environment, Cancelled, 60 * 23, 7)]);
        let choice = choose_artifacts(&all, &rules(3, u64::MAX), now());
        assert_eq!(digests(&choice), [digest(6), digest(5), digest(4)], "the oldest first");
        assert_eq!(choice.kept_bytes, 600);
    }

    #[test]
    fn over_the_budget_the_oldest_go_but_never_what_production_shows_or_goes_back_to_next() {
        use DeploymentStatus::{Failed, Live, Superseded};
        let (production, preview) = (EnvironmentId::new(), EnvironmentId::new());
        let mut all = vec![holding(production, Live, 1, 0), holding(production, Failed, 1, 8)];
        all.extend((1..=3).map(|number| holding(production, Superseded, i64::from(number) * 10, number)));
        all.extend(
            (4..=5).map(|number| Holding {
                is_production: false,
                ..holding(preview, Superseded, i64::from(number) * 10 - 35, number)
            }),
        );
        let order = [digest(8), digest(3), digest(2), digest(5), digest(4)];
        assert_eq!(digests(&choose_artifacts(&all, &rules(10, 500), now())), order[..2]);
        let all_gone = choose_artifacts(&all, &rules(10, 0), now());
        assert_eq!((digests(&all_gone), all_gone.kept_bytes), (order.to_vec(), 200), "over its budget, and nothing more may go");
    }

    #[test]
    fn content_that_several_deployments_have_counts_once_and_stays_for_the_one_that_needs_it() {
        use DeploymentStatus::{Live, Superseded};
        let environment = EnvironmentId::new();
        // The live one is a rollback to the oldest.
        let all = [
            holding(environment, Live, 1, 1),
            holding(environment, Superseded, 2, 2),
            holding(environment, Superseded, 3, 3),
            holding(environment, Superseded, 4, 1),
        ];
        let choice = choose_artifacts(&all, &rules(1, u64::MAX), now());
        assert_eq!((digests(&choice), choice.kept_bytes), (vec![digest(3)], 200));
    }

    prop_compose! {
        fn any_holding(environments: Vec<EnvironmentId>)(
            environment in 0..environments.len(), status in 0..7_usize, minutes in 0..5000_i64, content in 0..12_u8,
        ) -> Holding {
            Holding {
                is_production: environment % 2 == 0,
                bytes: i64::from(content) * 10,
                ..holding(environments[environment], DeploymentStatus::ALL[status], minutes, content)
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_a_team_has(
            all in prop::collection::vec(any_holding(vec![EnvironmentId::new(), EnvironmentId::new(), EnvironmentId::new()]), 0..40),
            keep in 0..5_usize, budget in 0..700_u64,
        ) {
            let (at, rules) = (now(), rules(keep, budget));
            let choice = choose_artifacts(&all, &rules, at);
            let gone = digests(&choice);
            let kept: std::collections::BTreeMap<_, _> =
                all.iter().filter(|holding| !gone.contains(&holding.digest)).map(|holding| (&holding.digest, holding.bytes)).collect();
            prop_assert_eq!(choice.kept_bytes, kept.values().sum::<i64>().cast_unsigned(), "each content counts once");
            for holding in &all {
                let stays = !gone.contains(&holding.digest);
                prop_assert!(stays || !(holding.status.is_moving() || holding.status == DeploymentStatus::Live));
                let is_newest = |other: &&Holding| other.environment_id == holding.environment_id && other.status == DeploymentStatus::Superseded;
                let newest = all.iter().filter(is_newest).max_by_key(|other| (other.changed_at, other.deployment_id));
                let next = holding.is_production && newest.is_some_and(|newest| newest.deployment_id == holding.deployment_id);
                prop_assert!(stays || !next, "what production goes back to next stays");
            }
            for given_up in &choice.given_up {
                let holders = all.iter().filter(|holding| holding.digest == given_up.digest);
                prop_assert_eq!(holders.count(), given_up.deployments.len(), "all that have it are told");
            }
            // Nothing is given up for the budget that would have fitted in it.
            let unlimited = choose_artifacts(&all, &RetentionRules { budget_bytes: u64::MAX, ..rules }, at);
            prop_assert!(unlimited.kept_bytes > budget || unlimited == choice);
            // What stays, stays the next time, too.
            let rest: Vec<_> = all.iter().filter(|holding| !gone.contains(&holding.digest)).cloned().collect();
            let again = choose_artifacts(&rest, &RetentionRules { keep_superseded: usize::MAX, ..rules }, at);
            prop_assert!(again.given_up.is_empty());
        }
    }
}
