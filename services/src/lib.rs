#![doc = include_str!("../README.md")]

mod core;
mod handle;
mod identity;
mod notifications;
mod operations;
mod projects;
#[cfg(test)]
mod test_house;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use artifacts::{Artifacts, Objects};
use chrono::TimeDelta;
use clouds_contract::Cloud;
use domain::build::BuildLimits;
use domain::host_name::HostName;
use domain::secret::Secret;
use jobs::{EventBus, Wakeups};
use store::{Store, StoreError};
use url::Url;

use crate::core::alerts::AlertReceiver;
use crate::core::unit_of_work::{Outlets, UnitOfWork};
use crate::projects::{feed_places, feeds};

pub use crate::core::error::{ErrorCode, ServiceError};
pub use crate::core::limits::{RateLimiter, RateLimits};
pub use crate::core::sealing::{MasterKey, Sealer};
pub use crate::core::{Alerts, AuditLog, audit, idempotency, limits, outbound, paging};
pub use crate::identity::invitations::{InvitationQuestion, PendingInvitation};
pub use crate::identity::members::Added;
pub use crate::identity::roles::NewGrantInput;
pub use crate::identity::{
    Accounts, ApiKeys, Devices, Invitations, Members, Roles, SecondFactors, Sessions, SignInProviders, Teams, auth,
};
pub use crate::notifications::{
    ChannelChange, Channels, Deliveries, Letters, Mailer, NewChannel, Preview, Replay, TemplateInput,
};
pub use crate::operations::housekeeping::Housekeeper;
pub use crate::operations::queues::{Queue, QueueChange};
pub use crate::operations::setup::{FirstStart, SetupError, check_master_key, owner_link, prepare};
pub use crate::operations::{Jobs, Queues, Watcher, backup, key_rotation};
pub use crate::projects::domains::DomainDetails;
pub use crate::projects::feeds::Feed;
pub use crate::projects::local_control::LocalControl;
pub use crate::projects::project::{NewProject, ProjectEdit};
pub use crate::projects::retention::StorageUsage;
pub use crate::projects::schedules::NewSchedule;
pub use crate::projects::uploads::Upload;
pub use crate::projects::{
    Approvals, Deployments, DomainCertificateList, Domains, Environments, Feeds, GitConnections, Logs, Projects, Schedules,
    StoredArtifacts, Uploads, Variables, acme, deployments, git_hosts,
};
pub use jobs::trace;
pub use store::{DeliveryFilter, JobFailure, JobFilter, Page};

pub(crate) use crate::core::access::{require, require_on, require_somewhere};
pub(crate) use handle::handle;

/// A result of a use case.
pub type Result<T, E = ServiceError> = std::result::Result<T, E>;

/// Settings of an installation, and the locations of its files.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Directory for what is on its way; `incoming/` and `builds/` are made in it.
    pub directory: PathBuf,
    /// Limits of one build.
    pub build_limits: BuildLimits,
    /// The largest upload, in bytes (compressed).
    pub upload_bytes: u64,
    /// Number of superseded deployments of an environment that stay on their cloud, ready for rollback.
    pub keep_superseded: i64,
    /// Maximum size of each team's artifacts, bytes; live deployments and production's next rollback target are kept beyond it.
    pub artifact_budget_bytes: u64,
    /// Time for which a removed artifact stays before it is deleted.
    pub artifact_grace: TimeDelta,
    /// Time after a deployment's end at which its log moves into the object store.
    pub archive_logs_after: TimeDelta,
    /// Retention of audit log entries; for ever if absent.
    pub keep_audit_entries: Option<TimeDelta>,
    /// URL to which alerts are sent as JSON, if any.
    pub alert_webhook: Option<Secret>,
    /// Networks that notifications may be sent to besides what is public.
    pub allowed_networks: Vec<ipnet::IpNet>,
    /// Public URL of the server, if the operator sets it: links in mail lead there.
    pub public_url: Option<Url>,
    /// Mailer, if mail is sent.
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
    pub actors: auth::ActorCache,
    pub feed_reads: feeds::FeedReads,
    pub feed_places: feed_places::FeedPlaces,
    pub clouds: HashMap<&'static str, Cloud>,
    pub artifacts: Artifacts,
    pub objects: Objects,
    pub settings: Settings,
}

/// Dependencies of the services.
pub struct Dependencies {
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
    /// Store of artifacts.
    pub artifacts: Artifacts,
    /// Store of uploaded directories until they are built, and of archived logs.
    pub objects: Objects,
    /// Settings of the installation.
    pub settings: Settings,
}

impl Services {
    /// The services over this dependencies.
    pub fn new(dependencies: Dependencies) -> Self {
        let Dependencies { store, bus, wakeups, sealer, clouds, artifacts, objects, settings } = dependencies;
        let tokens = auth::Tokens::new(store.clone(), Arc::clone(&sealer));
        let breaches = settings.breached_passwords.clone().map(auth::Breaches::new);
        let outbound = outbound::Outbound::new(&settings.allowed_networks);
        let providers = auth::Providers::new(settings.providers.clone());
        let outlets = Arc::new(Outlets { bus, wakeups, alerts: AlertReceiver::new(settings.alert_webhook.clone()) });
        let auditor = audit::Auditor::new(Arc::clone(&sealer));
        let clouds = clouds.into_iter().map(|cloud| (cloud.name, cloud)).collect();
        let (actors, feed_reads) = (auth::ActorCache::default(), feeds::FeedReads::default());
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
                actors,
                feed_reads,
                feed_places: feed_places::FeedPlaces::default(),
                clouds,
                artifacts,
                objects,
                settings,
            }),
        }
    }

    /// Checks that the database answers.
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
}
