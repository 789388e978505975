//! An installation in memory's reach, for targets that ask the API.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use artifacts::{ArtifactStore, Artifacts, Objects};
use async_graphql::{Request, Response, Variables};
use domain::access::{Actor, Origin};
use domain::secret::Secret;
use jobs::{EventBus, Wakeups};
use schema::ApiSchema;
use services::auth::SignIn;
use services::{Dependencies, MasterKey, NewProject, Sealer, Services, Settings};
use store::Store;
use tempfile::TempDir;

/// An installation with an owner and a project.
pub struct Installation {
    schema: ApiSchema,
    /// The use cases.
    pub services: Services,
    /// The owner, by an API key.
    pub owner: Actor,
    link: Secret,
    _directory: TempDir,
}

impl Installation {
    /// A new one.
    pub async fn start() -> Self {
        let memory = Path::new("/dev/shm");
        let directory = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a directory");
        let store = Store::sqlite(&directory.path().join("fuzz.db")).await.expect("a database");
        store.migrate().await.expect("the migrations apply");
        let sealer = Arc::new(Sealer::new(MasterKey::generate()));
        let first = services::prepare(&store, &sealer).await.expect("it starts").expect("for the first time");
        let artifacts = ArtifactStore::open(directory.path().join("artifacts")).expect("a directory");
        let services = Services::new(Dependencies {
            store,
            bus: EventBus::default(),
            wakeups: Wakeups::new(&jobs::payload::QUEUES),
            sealer,
            clouds: Vec::new(),
            artifacts: Artifacts::on_one_machine(artifacts),
            objects: Objects::in_directory(&directory.path().join("objects")).expect("a directory"),
            settings: Settings::in_directory(directory.path().to_owned()),
        });
        let owner = services.sessions().authenticate(first.cli_key.expose(), None).await.expect("the key was just made");
        let project = NewProject { name: "shop".to_owned(), ..NewProject::default() };
        services.projects().create(&owner, project).await.expect("owners make projects");
        let schema = schema::build(services.clone());
        Self { schema, services, owner, link: first.link_token, _directory: directory }
    }

    /// The answer to a document, for the owner or for nobody.
    pub async fn ask(&self, text: &str, variables: Variables, as_owner: bool) -> Response {
        let actor = as_owner.then(|| self.owner.clone());
        schema::execute(&self.schema, &self.services, actor, Request::new(text).variables(variables)).await
    }

    /// An access token of the owner, who signs in for it.
    pub async fn access_token(&self) -> Secret {
        let origin = Origin::new(Ipv4Addr::LOCALHOST.into(), None, None);
        let password = Secret::new("correct horse battery staple of 1951");
        match self
            .services
            .sessions()
            .sign_in_with_link(self.link.expose(), password, &origin)
            .await
            .expect("the link was not used yet")
        {
            SignIn::Done(signed_in) => signed_in.access_token,
            SignIn::SecondFactor(_) => unreachable!("there is no second factor"),
        }
    }
}
