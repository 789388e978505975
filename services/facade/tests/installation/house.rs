//! An installation for the tests of use cases, with a cloud that keeps routes as the local one does and runs nothing.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use artifacts::{ArtifactStore, Artifacts, Objects};
use async_trait::async_trait;
use clouds_contract::{About, Address, Cloud, CloudError, HostLabels, Progress, Reach, Route, Scope, Traffic};
use domain::access::{Actor, Credential, Origin, Rights, Role, RoleRef};
use domain::cloud::LOCAL;
use domain::environment::Environment;
use domain::id::{DeploymentId, ProjectId, SessionId, TeamId, UserId};
use domain::project::Project;
use domain::team::{Membership, Team, User};
use domain::time::now;
use jobs::{EventBus, Wakeups};
use services::{Dependencies, LocalControl, MasterKey, NewProject, Sealer, ServiceError, Services, Settings};
use store::Store;
use tempfile::TempDir;
use testkit::Database;

static ABOUT: About =
    About { title: "Routes alone", regions: &[], release_deadline: Duration::from_mins(1), static_sites: None, servers: None };

/// An installation with its owner.
pub struct TestHouse {
    pub services: Services,
    pub owner: Actor,
    pub directory: TempDir,
}

/// Polls a request so many times, waits until it could go on, and drops it, as a server does whose client hangs up. Returns whether it
/// ended before.
pub async fn drop_after(polls: usize, request: impl Future) -> bool {
    let (mut request, mut left) = (pin!(request), polls);
    std::future::poll_fn(|context| match left.checked_sub(1) {
        Some(fewer) => {
            left = fewer;
            request.as_mut().poll(context).map(|_| true)
        }
        None => Poll::Ready(false),
    })
    .await
}

/// An empty database that is up to date.
pub async fn open(database: &Database) -> Store {
    let store = match database {
        Database::Sqlite { file, .. } => Store::sqlite(file).await.unwrap(),
        Database::Postgres(url) => Store::postgres(url, 8).await.unwrap(),
    };
    store.migrate().await.unwrap();
    store
}

impl TestHouse {
    /// A new installation in an empty database.
    pub async fn new(store: Store) -> Self {
        Self::with(store, |settings| settings).await
    }

    /// The same with other settings.
    pub async fn with(store: Store, change: impl FnOnce(Settings) -> Settings) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let directory = tempfile::tempdir().unwrap();
        let sealer = Arc::new(Sealer::new(MasterKey::generate()));
        services::prepare(&store, &sealer).await.unwrap().unwrap();
        let artifacts = Artifacts::on_one_machine(ArtifactStore::open(directory.path().join("artifacts")).unwrap());
        let bus = EventBus::default();
        let control =
            LocalControl { store: store.clone(), sealer: Arc::clone(&sealer), bus: bus.clone(), artifacts: artifacts.clone() };
        let routes = Arc::new(Routes(control));
        let traffic = Arc::clone(&routes) as Arc<dyn Traffic>;
        let (account, static_sites, servers, functions, builds, labels) = (None, None, None, None, None, Some(routes as _));
        let cloud = Cloud { name: LOCAL, about: &ABOUT, account, static_sites, servers, functions, builds, traffic, labels };
        let services = Services::new(Dependencies {
            store,
            bus,
            wakeups: Wakeups::new(&jobs::payload::QUEUES),
            sealer,
            clouds: vec![cloud],
            artifacts,
            objects: Objects::in_directory(&directory.path().join("objects")).unwrap(),
            settings: change(Settings::in_directory(directory.path().to_owned())),
        });
        let user = services.store().owner_get().await.unwrap().unwrap();
        let team = services.store().user_team_list(user).await.unwrap()[0].id;
        let owner = act_as(&services, team, user).await;
        Self { services, owner, directory }
    }

    /// Somebody as they are by now.
    pub async fn actor(&self, team: TeamId, user: UserId) -> Actor {
        act_as(&self.services, team, user).await
    }

    /// A member of the owner's team who has signed in.
    pub async fn member(&self, name: &str, role: RoleRef) -> Actor {
        let user = User { id: UserId::new(), email: format!("{name}@example.org"), name: name.to_owned(), created_at: now() };
        let mut tx = self.services.store().begin().await.unwrap();
        tx.user_insert(&user).await.unwrap();
        tx.user_set_password(user.id, "$argon2id$none").await.unwrap();
        tx.membership_put(&Membership { team_id: self.owner.team_id, user_id: user.id, role }).await.unwrap();
        tx.commit().await.unwrap();
        self.actor(self.owner.team_id, user.id).await
    }

    /// Another team, which the same user owns.
    pub async fn team(&self, name: &str) -> Actor {
        let team = Team { id: TeamId::new(), name: name.to_owned(), created_at: now() };
        let role = RoleRef::BuiltIn(Role::Owner);
        let mut tx = self.services.store().begin().await.unwrap();
        tx.team_insert(&team).await.unwrap();
        tx.membership_put(&Membership { team_id: team.id, user_id: self.owner.user_id, role }).await.unwrap();
        tx.commit().await.unwrap();
        self.actor(team.id, self.owner.user_id).await
    }

    pub async fn project(&self, actor: &Actor, name: &str) -> Project {
        let input = NewProject { name: name.to_owned(), ..NewProject::default() };
        self.services.projects().create(actor, input).await.unwrap()
    }

    pub async fn environment(&self, project: &Project, name: &str) -> Environment {
        let mut tx = self.services.store().begin().await.unwrap();
        let environment = services_core::environments::find_or_insert(&mut tx, project, &name.parse().unwrap()).await.unwrap();
        tx.commit().await.unwrap();
        environment
    }
}

async fn act_as(services: &Services, team_id: TeamId, user_id: UserId) -> Actor {
    let rights: Rights = services.sessions().rights(team_id, user_id).await.unwrap().unwrap();
    let origin = Some(Arc::new(Origin::new([203, 0, 113, 7].into(), None, None)));
    let credential = Credential::Session(SessionId::new());
    Actor { user_id, team_id, rights: Arc::new(rights), scopes: None, credential, expires_at: None, origin }
}

/// Routes as the local cloud keeps them; every switch is done at once.
struct Routes(LocalControl);

fn failed(error: ServiceError) -> CloudError {
    CloudError::internal("the database failed", error)
}

#[async_trait]
impl Traffic for Routes {
    async fn switch(&self, _scope: &Scope<'_>, route: &Route) -> Result<Progress<Address>, CloudError> {
        self.0.put_route(route).await.map_err(failed)?;
        let (url, reach) = (self.url(&route.label), self.reach(&route.label).await?);
        Ok(Progress::Ready(Address { url, reach, alias_target: None }))
    }

    async fn shown(&self, scope: &Scope<'_>) -> Result<Option<DeploymentId>, CloudError> {
        match &scope.whose.environment {
            Some(place) => self.current(&place.label).await,
            None => Ok(None),
        }
    }

    async fn remove(&self, scope: &Scope<'_>) -> Result<Progress, CloudError> {
        if let Some(place) = &scope.whose.environment {
            HostLabels::remove(self, (scope.whose.team, place.project), &place.label).await?;
        }
        Ok(Progress::Ready(()))
    }
}

#[async_trait]
impl HostLabels for Routes {
    async fn current(&self, label: &str) -> Result<Option<DeploymentId>, CloudError> {
        Ok(self.0.routes().await.map_err(failed)?.get(label).copied())
    }

    async fn remove(&self, owner: (TeamId, ProjectId), label: &str) -> Result<(), CloudError> {
        self.0.delete_route(owner, label).await.map_err(failed)
    }

    async fn reach(&self, label: &str) -> Result<Reach, CloudError> {
        Ok(Reach { base: "http://127.0.0.1:9".to_owned(), host: label.to_owned() })
    }

    fn url(&self, label: &str) -> String {
        format!("http://{label}.localhost:8080")
    }
}
