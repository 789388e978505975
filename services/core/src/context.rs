use std::collections::HashMap;
use std::sync::Arc;

use artifacts::{Artifacts, Objects};
use chrono::TimeDelta;
use clouds_contract::Cloud;
use domain::secret::Secret;
use jobs::bus::Subscription;
use jobs::{EventBus, Topic, Wakeups};
use store::{Store, StoreError};

use crate::Result;
use crate::alerts::AlertReceiver;
use crate::audit::Auditor;
use crate::outbound::{Network, Outbound};
use crate::sealing::Sealer;
use crate::unit_of_work::{Outlets, UnitOfWork};

/// Settings that every area shares.
#[derive(Debug, Clone)]
pub struct CoreSettings {
    /// Retention of audit log entries; for ever if absent.
    pub keep_audit_entries: Option<TimeDelta>,
    /// URL to which alerts are sent as JSON, if any.
    pub alert_webhook: Option<Secret>,
    /// Networks that notifications may be sent to besides what is public.
    pub allowed_networks: Vec<Network>,
}

impl Default for CoreSettings {
    fn default() -> Self {
        Self { keep_audit_entries: Some(TimeDelta::days(400)), alert_webhook: None, allowed_networks: Vec::new() }
    }
}

/// Dependencies of the context.
pub struct ContextDependencies {
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
    /// Settings.
    pub settings: CoreSettings,
}

/// The store, clouds, seals and outlets that every area works with. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub store: Store,
    pub outlets: Arc<Outlets>,
    pub sealer: Arc<Sealer>,
    pub auditor: Auditor,
    pub outbound: Outbound,
    pub clouds: HashMap<&'static str, Cloud>,
    pub artifacts: Artifacts,
    pub objects: Objects,
    pub settings: CoreSettings,
}

impl Context {
    /// A context over these dependencies.
    pub fn new(dependencies: ContextDependencies) -> Self {
        let ContextDependencies { store, bus, wakeups, sealer, clouds, artifacts, objects, settings } = dependencies;
        let outbound = Outbound::new(&settings.allowed_networks);
        let outlets = Arc::new(Outlets { bus, wakeups, alerts: AlertReceiver::new(settings.alert_webhook.clone()) });
        let auditor = Auditor::new(Arc::clone(&sealer));
        let clouds = clouds.into_iter().map(|cloud| (cloud.name, cloud)).collect();
        let inner = Inner { store, outlets, sealer, auditor, outbound, clouds, artifacts, objects, settings };
        Self { inner: Arc::new(inner) }
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The sealer of secrets.
    pub fn sealer(&self) -> &Arc<Sealer> {
        &self.inner.sealer
    }

    /// Requests to addresses that users give.
    pub fn outbound(&self) -> &Outbound {
        &self.inner.outbound
    }

    /// The store of artifacts.
    pub fn artifact_store(&self) -> &Artifacts {
        &self.inner.artifacts
    }

    /// The store of uploaded directories and archived logs.
    pub fn objects(&self) -> &Objects {
        &self.inner.objects
    }

    /// Begins a transaction whose effects are published by its commit.
    pub async fn begin(&self) -> Result<UnitOfWork, StoreError> {
        UnitOfWork::begin(self.store(), &self.inner.outlets).await
    }

    /// Subscribes to the hints of a topic.
    pub fn subscribe(&self, topic: Topic) -> Subscription {
        self.inner.outlets.bus.subscribe(topic)
    }

    /// Checks that the database answers.
    pub async fn ready(&self) -> Result<()> {
        Ok(self.store().ping().await?)
    }
}
