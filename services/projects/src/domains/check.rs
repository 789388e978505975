//! Looking whether the DNS shows that a domain is a team's, and whether it leads somewhere.

use std::collections::BTreeSet;
use std::net::IpAddr;

use chrono::TimeDelta;
use domain::custom_domain::{CustomDomain, DnsRecord, DomainState};
use domain::id::TeamId;
use domain::time::now;
use jobs::payload::{CheckDomainJob, job_of};
use jobs::{JobAttempt, JobError, Outcome, Topic};
use services_core::Result;
use services_core::alerts::raise;
use services_core::audit::{Action, AuditEntry, record_own};
use services_core::error::as_job_error;
use services_core::unit_of_work::UnitOfWork;
use store::NewJob;

use super::dns::{Dns, DnsFailure};
use crate::Domains;

/// The kind of alerts about a domain that a team has lost to another.
const LOST: &str = "domain_lost";

/// Delay of the next check if the job that checks fails to finish. The job itself sets the time of the next check.
const CHECK_RETRY_AFTER: TimeDelta = TimeDelta::minutes(15);

/// Result of a DNS query about a domain at one moment.
struct DnsCheck {
    /// The texts at the name of its proof.
    txt_records: Result<Vec<String>, DnsFailure>,
    /// Problem of the domain's routing.
    routing_problem: Option<String>,
}

impl DnsCheck {
    /// Returns true if the team of this domain proves its ownership.
    fn shows(&self, domain: &CustomDomain) -> bool {
        self.txt_records.as_ref().is_ok_and(|texts| texts.contains(&domain.proof().value))
    }
}

impl Domains {
    /// Writes the job that looks at a domain.
    pub(super) async fn schedule_check(&self, tx: &mut UnitOfWork, domain: &mut CustomDomain) -> Result<()> {
        let payload = CheckDomainJob { version: 1, team_id: domain.team_id, domain_id: domain.id };
        let key = Some(format!("check_domain:{}", domain.id));
        let job = NewJob { deduplication_key: key, ..job_of(&payload) };
        domain.next_check_at = Some(now() + CHECK_RETRY_AFTER);
        tx.domain_check_at(domain.team_id, domain.id, domain.next_check_at).await?;
        tx.insert_job(&job).await?;
        Ok(())
    }

    /// Writes the jobs that look at the domains which it is time to look at.
    pub async fn check_due(&self) -> Result<()> {
        let due = self.store().domain_list_due(now()).await?;
        if due.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        for domain in due {
            // Somebody may have looked meanwhile.
            let present = tx.domain_find(domain.team_id, domain.id).await?;
            if let Some(mut present) = present.filter(|present| present.next_check_at == domain.next_check_at) {
                self.schedule_check(&mut tx, &mut present).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// The work of a [`CheckDomainJob`].
    pub async fn run_check(&self, run: &JobAttempt) -> Result<Outcome, JobError> {
        let job: CheckDomainJob = run.payload()?;
        let Some(domain) = self.store().domain_get(job.team_id, job.domain_id).await? else { return Ok(Outcome::Done) };
        let check = self.look_at(&domain).await.map_err(|error| as_job_error(&error))?;
        self.record_check(run, &domain, &check).await.map_err(|error| as_job_error(&error))?;
        Ok(Outcome::Recorded)
    }

    async fn look_at(&self, domain: &CustomDomain) -> Result<DnsCheck> {
        let dns = match Dns::new(self.settings().dns_server) {
            Ok(dns) => dns,
            Err(failure) => return Ok(DnsCheck { txt_records: Err(failure), routing_problem: None }),
        };
        let txt_records = match domain.state() {
            DomainState::Pending => dns.texts(&domain.proof().name).await,
            DomainState::Verified => Ok(Vec::new()),
        };
        Ok(DnsCheck { txt_records, routing_problem: self.routing_problem_of(&dns, domain).await? })
    }

    /// Returns the problem of a domain's routing, as far as the DNS reveals it.
    async fn routing_problem_of(&self, dns: &Dns, domain: &CustomDomain) -> Result<Option<String>> {
        let project = self.store().project_get(domain.team_id, domain.project_id).await?;
        let environment = self.store().environment_get(domain.team_id, domain.environment_id).await?;
        // What is being removed leads nowhere.
        let Some((project, environment)) = project.zip(environment) else { return Ok(None) };
        let target = self.domain_target(&project, &environment)?;
        let addresses = match dns.addresses(&domain.name).await {
            Ok(addresses) => addresses,
            Err(failure) => return Ok(Some(format!("where it leads is not known: {}", jobs::handler::chain(&failure)))),
        };
        if addresses.is_empty() {
            let remedy = match &target {
                Some(target) => format!("make the record `{} CNAME {target}`", domain.name),
                None => "make an A or AAAA record with the address of this installation".to_owned(),
            };
            return Ok(Some(format!(
                "it leads nowhere yet: {remedy}. At the top of a zone, where no CNAME can be, make A and AAAA records"
            )));
        }
        let Some(target) = target else { return Ok(None) };
        let Ok(own) = dns.addresses(&target).await else { return Ok(None) };
        if own.is_empty() || !own.is_disjoint(&addresses) {
            return Ok(None);
        }
        let list = |addresses: BTreeSet<IpAddr>| addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        Ok(Some(format!(
            "it leads to {}, and `{target}` to {}: nothing is wrong when a proxy of yours passes requests on from there",
            list(addresses),
            list(own)
        )))
    }

    async fn record_check(&self, run: &JobAttempt, seen: &CustomDomain, check: &DnsCheck) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.job_fence(run.fence).await?;
        let mut effects = CheckEffects::default();
        // It may have been removed meanwhile, or another team have shown that it is theirs: what was looked for is another thing then.
        let present = tx.domain_find(seen.team_id, seen.id).await?;
        if let Some(domain) = present.filter(|present| present.state() == seen.state()) {
            apply_check(&mut tx, domain, check, &mut effects).await?;
        }
        tx.job_finish(run.fence).await?;
        if !effects.entries.is_empty() {
            tx.publish(Topic::Edges);
        }
        for (team, entry) in effects.entries {
            record_own(&mut tx, team, entry).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// Notifications that a check causes.
#[derive(Default)]
struct CheckEffects {
    entries: Vec<(TeamId, AuditEntry)>,
}

/// Writes down what was seen of a domain, and what follows from it.
async fn apply_check(tx: &mut UnitOfWork, mut domain: CustomDomain, check: &DnsCheck, effects: &mut CheckEffects) -> Result<()> {
    domain.checked_at = Some(now());
    domain.problem.clone_from(&check.routing_problem);
    if domain.state() == DomainState::Pending {
        let holder = tx.domain_find_served(&domain.name).await?;
        if let Some(problem) = proof_problem(&domain, check, holder.as_ref()) {
            domain.problem = Some(problem);
        } else {
            verify(tx, &mut domain, holder, effects).await?;
        }
    }
    domain.next_check_at = domain.next_check(now());
    tx.domain_checked(&domain).await?;
    Ok(())
}

/// Serves a domain from now on.
async fn verify(
    tx: &mut UnitOfWork,
    domain: &mut CustomDomain,
    holder: Option<CustomDomain>,
    effects: &mut CheckEffects,
) -> Result<()> {
    if let Some(holder) = holder {
        revoke(tx, holder, effects).await?;
    }
    domain.verified_at = domain.checked_at;
    effects.entries.push((domain.team_id, AuditEntry::new(Action::DomainVerify).on("domain", domain.id).named(&domain.name)));
    Ok(())
}

/// Returns the reason for which the DNS does not prove that a domain is the team's; `None` if it does.
fn proof_problem(domain: &CustomDomain, check: &DnsCheck, holder: Option<&CustomDomain>) -> Option<String> {
    let DnsRecord { name, value, .. } = domain.proof();
    let texts = match &check.txt_records {
        Ok(texts) => texts,
        Err(failure) => return Some(jobs::handler::chain(failure)),
    };
    if !check.shows(domain) {
        let found = match texts.first() {
            Some(text) => format!("says `{}`", text.chars().take(100).collect::<String>().escape_debug()),
            None => "is not there yet".to_owned(),
        };
        return Some(format!(
            "the TXT record `{name}` {found}: make one with the value `{value}`. It may take minutes until it is seen"
        ));
    }
    let holder = holder.filter(|holder| check.shows(holder))?;
    let theirs = holder.proof().value;
    Some(format!(
        "another team of this installation shows that it is theirs, too: remove the TXT record `{theirs}` when it is not"
    ))
}

/// Takes a domain from a team that no longer shows that it is theirs, now that another does.
async fn revoke(tx: &mut UnitOfWork, mut holder: CustomDomain, effects: &mut CheckEffects) -> Result<()> {
    let problem = format!(
        "another team shows in the DNS that it is theirs, and your record `{}` is gone, so that it is served for them: make the record \
         again if it is yours, and ask for another look",
        holder.proof().value
    );
    (holder.verified_at, holder.next_check_at, holder.problem) = (None, None, Some(problem.clone()));
    tx.domain_checked(&holder).await?;
    raise(tx, Some(holder.team_id), LOST, holder.name.as_str(), format!("{}: {problem}", holder.name)).await?;
    // It is told once: nothing lasts that could end.
    tx.alert_resolve(LOST, holder.name.as_str()).await?;
    effects.entries.push((holder.team_id, AuditEntry::new(Action::DomainLose).on("domain", holder.id).named(&holder.name)));
    Ok(())
}
