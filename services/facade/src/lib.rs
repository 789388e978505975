#![doc = include_str!("../README.md")]

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use artifacts::{Artifacts, Objects};
use clouds_contract::Cloud;
use jobs::{EventBus, Wakeups};
use store::Store;

pub use jobs::trace;
pub use services_clouds::{AccountChange, CloudAccounts, CloudServices, CloudSettings, NewAccount, Place, Placements};
pub use services_core::limits::{RateLimiter, RateLimits};
pub use services_core::{
    Alerts, AuditLog, Context, ContextDependencies, CoreSettings, ErrorCode, MasterKey, Result, Sealer, ServiceError, audit,
    idempotency, limits, outbound, paging,
};
pub use services_identity::{
    Accounts, Added, ApiKeys, Devices, FirstStart, IdentityServices, IdentitySettings, InvitationQuestion, Invitations, Members,
    NewGrantInput, PendingInvitation, Roles, SecondFactors, Sessions, SetupError, SignInProviders, Teams, auth, check_master_key,
    owner_link, prepare,
};
pub use services_notifications::{
    ChannelChange, Channels, Deliveries, Letters, Mailer, NewChannel, NotificationServices, NotificationSettings, Preview,
    Replay, TemplateInput,
};
pub use services_operations::{Housekeeper, Jobs, OperationsServices, Queue, QueueChange, Queues, Watcher, backup, key_rotation};
pub use services_projects::{
    Approvals, Deployments, DomainCertificateList, DomainDetails, Domains, Environments, Feed, Feeds, GitConnections,
    LocalControl, Logs, NewProject, NewSchedule, ProjectEdit, ProjectServices, ProjectSettings, Projects, Schedules,
    StorageUsage, StoredArtifacts, Upload, Uploads, Variables, acme, deployments, git_hosts,
};
pub use store::{DeliveryFilter, JobFailure, JobFilter, Page};

/// Settings of an installation, by area.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Settings that every area shares.
    pub core: CoreSettings,
    /// Mail and links in it.
    pub notifications: NotificationSettings,
    /// Sign-in.
    pub identity: IdentitySettings,
    /// Vendors of clouds.
    pub clouds: CloudSettings,
    /// Builds, artifacts, Git hosts, domains, and the locations of files.
    pub projects: ProjectSettings,
}

impl Settings {
    /// The defaults, with files in this directory.
    pub fn in_directory(directory: PathBuf) -> Self {
        Self {
            core: CoreSettings::default(),
            notifications: NotificationSettings::default(),
            identity: IdentitySettings::default(),
            clouds: CloudSettings::default(),
            projects: ProjectSettings::in_directory(directory),
        }
    }
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

/// Every use case: those of the top area, which dereferences to the areas below it. Cheap to clone.
#[derive(Clone)]
pub struct Services(OperationsServices);

impl Services {
    /// The services over these dependencies.
    pub fn new(dependencies: Dependencies) -> Self {
        let Dependencies { store, bus, wakeups, sealer, clouds, artifacts, objects, settings } = dependencies;
        let Settings { core: settings, notifications, identity, clouds: cloud_settings, projects } = settings;
        let context = Context::new(ContextDependencies { store, bus, wakeups, sealer, clouds, artifacts, objects, settings });
        let notifications = NotificationServices::new(context, notifications);
        let identity = IdentityServices::new(notifications, identity);
        let clouds = CloudServices::new(identity, cloud_settings);
        let projects = ProjectServices::new(clouds, projects);
        Self(OperationsServices::new(projects))
    }
}

impl Deref for Services {
    type Target = OperationsServices;

    fn deref(&self) -> &OperationsServices {
        &self.0
    }
}
