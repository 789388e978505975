use async_graphql::{ID, SimpleObject};
use chrono::{DateTime, Utc};
use clouds_contract::{About, IdleCost, Per, Proof, Switch};
use domain::cloud::{self, CheckOutcome, CloudAccountState, CloudBaseState};

/// A cloud that deployments can go to.
#[derive(SimpleObject)]
pub struct Cloud {
    /// Its name, such as `gcp`.
    pub name: String,
    /// Its name for people, such as `Google Cloud`.
    pub title: String,
    /// Its regions.
    pub regions: Vec<CloudRegion>,
    /// Kinds of workloads that it runs.
    pub capabilities: Vec<CloudCapability>,
}

/// Region of a cloud.
#[derive(SimpleObject)]
pub struct CloudRegion {
    /// Its name on every cloud, such as `eu-west`.
    pub neutral: String,
    /// The vendor's own name of it.
    pub vendor: String,
}

/// Kind of workload that a cloud runs.
#[derive(SimpleObject)]
pub struct CloudCapability {
    /// The kind: `static` or `server`.
    pub name: String,
    /// Manner in which visitors get to the next deployment: `atomic`, or `in_place` where they may see some of both for seconds.
    pub switch: String,
    /// A deployment has an address of its own beside the environment's.
    pub own_address: bool,
    /// Things that environments of an account share and that are made with their first user.
    pub bases: Vec<String>,
    /// Things that cost while nobody visits.
    pub idle: Vec<CloudIdleCost>,
    /// Groups of the suite that every cloud has to pass, as far as this one passed them.
    pub proven: Vec<CloudProof>,
}

/// Group of cases that a cloud passed.
#[derive(SimpleObject)]
pub struct CloudProof {
    /// The group, such as `life` or `no request lost`.
    pub group: String,
    /// Number of cases in it.
    pub cases: usize,
    /// Counterpart of the run: `real`, or the simulation.
    pub against: String,
    /// Day of the run in UTC, such as `2026-12-01`.
    pub day: String,
}

/// Thing that costs while nobody visits.
#[derive(SimpleObject)]
pub struct CloudIdleCost {
    /// The thing.
    pub item: String,
    /// Scope that it is paid once for: `account_region`, `environment` or `deployment`.
    pub per: String,
}

impl Cloud {
    /// A cloud from what is known of it.
    pub fn new(name: &str, about: &About) -> Self {
        let sites = about
            .static_sites
            .as_ref()
            .map(|site| CloudCapability::new(name, "static", site.switch, site.own_address, site.bases, site.idle));
        let servers = about
            .servers
            .as_ref()
            .map(|server| CloudCapability::new(name, "server", server.switch, server.own_address, server.bases, server.idle));
        Self {
            name: name.to_owned(),
            title: about.title.to_owned(),
            regions: about.regions.iter().map(|(neutral, vendor)| CloudRegion::new(neutral, vendor)).collect(),
            capabilities: sites.into_iter().chain(servers).collect(),
        }
    }
}

impl CloudRegion {
    fn new(neutral: &str, vendor: &str) -> Self {
        Self { neutral: neutral.to_owned(), vendor: vendor.to_owned() }
    }
}

impl CloudCapability {
    fn new(
        cloud: &str,
        name: &str,
        switch: Switch,
        own_address: bool,
        bases: &[clouds_contract::Base],
        idle: &[IdleCost],
    ) -> Self {
        let switch = match switch {
            Switch::Atomic => "atomic",
            Switch::InPlace => "in_place",
        };
        Self {
            name: name.to_owned(),
            switch: switch.to_owned(),
            own_address,
            bases: bases.iter().map(|base| base.name().to_owned()).collect(),
            idle: idle.iter().map(CloudIdleCost::from).collect(),
            proven: clouds_contract::proofs(cloud, name).map(CloudProof::from).collect(),
        }
    }
}

impl From<&Proof> for CloudProof {
    fn from(proof: &Proof) -> Self {
        let Proof { group, cases, against, day, .. } = proof;
        Self { group: group.clone(), cases: *cases, against: against.clone(), day: day.to_string() }
    }
}

impl From<&IdleCost> for CloudIdleCost {
    fn from(cost: &IdleCost) -> Self {
        let per = match cost.per {
            Per::AccountRegion => "account_region",
            Per::Environment => "environment",
            Per::Deployment => "deployment",
        };
        Self { item: cost.item.to_owned(), per: per.to_owned() }
    }
}

/// An account at a vendor that the team connected. Its credential is never shown.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct CloudAccount {
    #[graphql(skip)]
    pub(super) row: cloud::CloudAccount,
    /// Identity.
    pub id: ID,
    /// The cloud, such as `gcp`.
    pub cloud: String,
    /// Its name among the team's accounts of this cloud.
    pub name: String,
    /// The vendor's id of it: an account number, a subscription, a project id.
    pub identity: String,
    /// Kind of its credential, such as `google_key`.
    pub credential_kind: String,
    /// Region of deployments that name none.
    pub region: String,
    /// It is meant where a deployment names the cloud alone.
    pub is_default: bool,
    /// State.
    pub state: CloudAccountState,
    /// Description of what is wrong with it, with a remedy.
    pub problem: Option<String>,
    /// The vendor's name of whoever the credential is.
    pub principal: Option<String>,
    /// Result of the last look at its permissions.
    pub checks: Vec<CloudCheck>,
    /// Time of the last look.
    pub verified_at: Option<DateTime<Utc>>,
    /// The cloud is simulated: nothing of it is real.
    pub simulated: bool,
    /// Time when it was connected.
    pub created_at: DateTime<Utc>,
}

/// Result of looking at one permission.
#[derive(SimpleObject)]
pub struct CloudCheck {
    /// The permission, in the vendor's words.
    pub permission: String,
    /// Outcome.
    pub outcome: CheckOutcome,
    /// Remedy where it is missing, reason where it is unknown.
    pub remedy: Option<String>,
}

/// Things of an account and region that several environments share.
#[derive(SimpleObject)]
pub struct CloudBase {
    /// Its name, such as `containers`.
    pub name: String,
    /// The vendor's name of the region.
    pub region: String,
    /// State.
    pub state: CloudBaseState,
    /// Description of what went wrong, with a remedy.
    pub problem: Option<String>,
}

/// A thing that exists in a cloud because of us.
#[derive(SimpleObject)]
pub struct CloudResource {
    /// Its kind, such as `gcp.run.service`.
    pub kind: String,
    /// Its name in the cloud.
    pub name: String,
    /// The vendor's name of the region.
    pub region: String,
    /// State as far as known: `intended`, `asked`, `there` or `going`.
    pub state: String,
    /// Time when it was written down.
    pub created_at: DateTime<Utc>,
}

impl From<cloud::CloudAccount> for CloudAccount {
    fn from(row: cloud::CloudAccount) -> Self {
        Self {
            id: row.id.to_string().into(),
            cloud: row.cloud.clone(),
            name: row.name.clone(),
            identity: row.identity.clone(),
            credential_kind: row.credential_kind.clone(),
            region: row.region.clone(),
            is_default: row.is_default,
            state: row.state,
            problem: row.problem.clone(),
            principal: row.principal.clone(),
            checks: row.checks.iter().cloned().map(CloudCheck::from).collect(),
            verified_at: row.verified_at,
            simulated: row.is_simulated(),
            created_at: row.created_at,
            row,
        }
    }
}

impl From<cloud::Check> for CloudCheck {
    fn from(cloud::Check { permission, outcome, remedy }: cloud::Check) -> Self {
        Self { permission, outcome, remedy }
    }
}

impl From<cloud::CloudBase> for CloudBase {
    fn from(base: cloud::CloudBase) -> Self {
        Self { name: base.base, region: base.region, state: base.state, problem: base.problem }
    }
}

impl From<cloud::CloudResource> for CloudResource {
    fn from(thing: cloud::CloudResource) -> Self {
        Self { kind: thing.kind, name: thing.name, region: thing.region, state: thing.state, created_at: thing.created_at }
    }
}
