#![doc = include_str!("../README.md")]

pub mod acme;
mod alerts;
pub mod audit;
pub mod auth;
pub mod backup;
pub mod deployments;
mod domains;
mod environments;
mod error;
mod feed_places;
mod feeds;
pub mod git_hosts;
mod housekeeping;
pub mod idempotency;
mod invitations;
pub mod key_rotation;
pub mod limits;
mod local_control;
mod log_archive;
mod members;
mod notifications;
mod operations;
pub mod outbound;
pub mod paging;
mod projects;
mod protection;
mod retention;
mod roles;
mod schedules;
mod sealing;
mod setup;
mod shared_reads;
mod teams;
#[cfg(test)]
mod test_house;
mod unit_of_work;
mod uploads;
mod variables;
mod watch;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use artifacts::{Artifacts, Objects};
use chrono::TimeDelta;
use clouds_contract::Cloud;
use domain::access::{Actor, Permission, Target};
use domain::build::BuildLimits;
use domain::host_name::HostName;
use domain::secret::Secret;
use jobs::{EventBus, Wakeups};
use store::{Store, StoreError};
use url::Url;

use alerts::AlertReceiver;
use unit_of_work::{Outlets, UnitOfWork};

pub use domains::DomainDetails;
pub use error::{ErrorCode, ServiceError};
pub use feeds::Feed;
pub use housekeeping::Housekeeper;
pub use invitations::{InvitationQuestion, PendingInvitation};
pub use jobs::trace;
pub use limits::{RateLimiter, RateLimits};
pub use local_control::LocalControl;
pub use members::Added;
pub use notifications::{ChannelChange, Mailer, NewChannel, Preview, Replay, TemplateInput};
pub use operations::{Queue, QueueChange};
pub use projects::{NewProject, ProjectEdit};
pub use retention::StorageUsage;
pub use roles::NewGrantInput;
pub use schedules::NewSchedule;
pub use sealing::{MasterKey, Sealer};
pub use setup::{FirstStart, SetupError, check_master_key, owner_link, prepare};
pub use store::{DeliveryFilter, JobFailure, JobFilter, Page};
pub use uploads::Upload;

/// A result of a use case.
pub type Result<T, E = ServiceError> = std::result::Result<T, E>;

/// What an installation allows and where it keeps its files.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Directory for what is on its way; `incoming/` and `builds/` are made in it.
    pub directory: PathBuf,
    /// What one build may use.
    pub build_limits: BuildLimits,
    /// The largest upload, in bytes (compressed).
    pub upload_bytes: u64,
    /// How many superseded deployments of an environment stay on their cloud, ready for rollback.
    pub keep_superseded: i64,
    /// How many bytes of artifacts each team may keep; what is live and what production goes back to next stays beyond it.
    pub artifact_budget_bytes: u64,
    /// How long an artifact that was given up stays before it is deleted.
    pub artifact_grace: TimeDelta,
    /// How long after a deployment's end its log moves into the object store.
    pub archive_logs_after: TimeDelta,
    /// How long entries of the audit log are kept; for ever when absent.
    pub keep_audit_entries: Option<TimeDelta>,
    /// Where alerts are sent as JSON, if anywhere.
    pub alert_webhook: Option<Secret>,
    /// Networks that notifications may be sent to besides what is public.
    pub allowed_networks: Vec<ipnet::IpNet>,
    /// Where people reach the server, where the operator says so: links in mail lead there.
    pub public_url: Option<Url>,
    /// By what mail is sent, if any is.
    pub mailer: Option<Mailer>,
    /// A service with the range interface of Have I Been Pwned that new passwords are looked up in, if any.
    pub breached_passwords: Option<Url>,
    /// The providers that people sign in with.
    pub providers: Vec<auth::ProviderConfig>,
    /// The Git hosts there are besides the public ones, and the app there.
    pub git_hosts: git_hosts::GitHosts,
    /// The DNS server that is asked about domains; those of the machine when absent.
    pub dns_server: Option<SocketAddr>,
    /// The names under which the installation itself is reached: nobody's domains.
    pub own_names: Vec<HostName>,
    /// The directory of the authority that domains of teams' own get certificates from, where this process shows sites over TLS by itself
    /// and has one.
    pub domain_certificates: Option<Url>,
    /// Variables that programs carry which fetch sources, by which they are found after a crash.
    pub fetch_env: Vec<(String, String)>,
}

impl Settings {
    /// The defaults, with files in this directory.
    pub fn in_directory(directory: PathBuf) -> Self {
        Self {
            directory,
            build_limits: BuildLimits::default(),
            upload_bytes: 512 * 1024 * 1024,
            keep_superseded: 10,
            artifact_budget_bytes: 20 << 30,
            artifact_grace: TimeDelta::hours(1),
            archive_logs_after: TimeDelta::days(7),
            keep_audit_entries: Some(TimeDelta::days(400)),
            alert_webhook: None,
            allowed_networks: Vec::new(),
            public_url: None,
            mailer: None,
            breached_passwords: None,
            providers: Vec::new(),
            git_hosts: git_hosts::GitHosts::default(),
            dns_server: None,
            own_names: Vec::new(),
            domain_certificates: None,
            fetch_env: Vec::new(),
        }
    }
}

/// Every use case. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub store: Store,
    pub outlets: Arc<Outlets>,
    pub sealer: Arc<Sealer>,
    pub auditor: audit::Auditor,
    pub tokens: auth::Tokens,
    pub breaches: Option<auth::Breaches>,
    pub outbound: outbound::Outbound,
    pub providers: auth::Providers,
    pub recent: auth::Recent,
    pub feed_reads: feeds::FeedReads,
    pub feed_places: feed_places::FeedPlaces,
    pub clouds: HashMap<&'static str, Cloud>,
    pub artifacts: Artifacts,
    pub objects: Objects,
    pub settings: Settings,
}

/// What the services stand on.
pub struct Foundation {
    /// The database.
    pub store: Store,
    /// Tells subscribers that rows changed.
    pub bus: EventBus,
    /// Wakes workers.
    pub wakeups: Wakeups,
    /// Seals secrets.
    pub sealer: Arc<Sealer>,
    /// The clouds there are.
    pub clouds: Vec<Cloud>,
    /// Where artifacts are.
    pub artifacts: Artifacts,
    /// Where uploaded directories are until they are built, and archived logs.
    pub objects: Objects,
    /// What is allowed.
    pub settings: Settings,
}

impl Services {
    /// The services over this foundation.
    pub fn new(foundation: Foundation) -> Self {
        let Foundation { store, bus, wakeups, sealer, clouds, artifacts, objects, settings } = foundation;
        let tokens = auth::Tokens::new(store.clone(), Arc::clone(&sealer));
        let breaches = settings.breached_passwords.clone().map(auth::Breaches::new);
        let outbound = outbound::Outbound::new(&settings.allowed_networks);
        let providers = auth::Providers::new(settings.providers.clone());
        let outlets = Arc::new(Outlets { bus, wakeups, alerts: AlertReceiver::new(settings.alert_webhook.clone()) });
        let auditor = audit::Auditor::new(Arc::clone(&sealer));
        let clouds = clouds.into_iter().map(|cloud| (cloud.name, cloud)).collect();
        let (recent, feed_reads) = (auth::Recent::default(), feeds::FeedReads::default());
        Self {
            inner: Arc::new(Inner {
                store,
                outlets,
                sealer,
                auditor,
                tokens,
                breaches,
                outbound,
                providers,
                recent,
                feed_reads,
                feed_places: feed_places::FeedPlaces::default(),
                clouds,
                artifacts,
                objects,
                settings,
            }),
        }
    }

    /// Whether the database answers.
    pub async fn ready(&self) -> Result<()> {
        Ok(self.store().ping().await?)
    }

    /// The numbers that `/metrics` shows beside those counted as they happen: deployments by status, jobs by queue and state.
    pub async fn record_gauges(&self) -> Result<()> {
        #[expect(clippy::cast_precision_loss, reason = "Prometheus knows only floating point")]
        let float = |count: i64| count as f64;
        for (status, count) in self.store().deployment_status_counts().await? {
            metrics::gauge!("mikrocloud_deployments", "status" => status.name()).set(float(count));
        }
        let artifacts = self.store().artifact_usage_of_all().await?;
        metrics::gauge!("mikrocloud_artifacts").set(float(artifacts.count));
        metrics::gauge!("mikrocloud_artifact_bytes").set(float(artifacts.bytes));
        metrics::gauge!("mikrocloud_notifications_pending").set(float(self.store().delivery_pending_count().await?));
        for (kind, count) in self.store().alert_open_counts().await? {
            metrics::gauge!("mikrocloud_alerts_open", "kind" => kind).set(float(count));
        }
        for queue in self.store().queue_stats(domain::time::now()).await? {
            let age = queue.oldest_due_at.map_or(0, |due| (domain::time::now() - due).num_seconds());
            metrics::gauge!("mikrocloud_queue_oldest_seconds", "queue" => queue.name.clone()).set(float(age));
            metrics::gauge!("mikrocloud_queue_waiting", "queue" => queue.name).set(float(queue.waiting));
        }
        for (queue, state, count) in self.store().job_state_counts().await? {
            let state = format!("{state:?}").to_lowercase();
            metrics::gauge!("mikrocloud_jobs", "queue" => queue, "state" => state).set(float(count));
        }
        Ok(())
    }

    /// Begins a transaction whose effects are published by its commit.
    pub(crate) async fn begin(&self) -> Result<UnitOfWork, StoreError> {
        UnitOfWork::begin(self.store(), &self.inner.outlets).await
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    pub(crate) fn cloud(&self, name: &str) -> Result<&Cloud> {
        self.inner.clouds.get(name).ok_or_else(|| {
            let known: Vec<_> = self.inner.clouds.keys().copied().collect();
            ServiceError::invalid(
                "cloud",
                "UNKNOWN_CLOUD",
                format!("there is no cloud `{}` here: use {}", name.escape_debug(), known.join(", ")),
            )
        })
    }
}

/// Checks a permission on the whole team; the error names it.
pub(crate) fn require(actor: &Actor, permission: Permission) -> Result<()> {
    if actor.may(permission, Target::Team) { Ok(()) } else { Err(ServiceError::Denied(permission)) }
}

/// Checks a permission on something that rows have not been read for yet: who has it nowhere is refused, whatever there is.
pub(crate) fn require_somewhere(actor: &Actor, permission: Permission) -> Result<()> {
    if actor.may_somewhere(permission) { Ok(()) } else { Err(ServiceError::Denied(permission)) }
}

/// Checks a permission on a part of the team. For who may not even see it there is no such `noun`, unless they may do this nowhere
/// and so learn nothing from the refusal.
pub(crate) fn require_on(actor: &Actor, permission: Permission, target: Target, noun: &'static str) -> Result<()> {
    if actor.may(permission, target) {
        Ok(())
    } else if actor.may(Permission::ProjectRead, target) || !actor.may_somewhere(permission) {
        Err(ServiceError::Denied(permission))
    } else {
        Err(ServiceError::NotFound(noun))
    }
}
