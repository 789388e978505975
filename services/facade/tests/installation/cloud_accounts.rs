//! Accounts at vendors, on both databases, with a vendor that makes no call.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clouds_contract::{
    About, Access, Address, Cloud, CloudError, Credential, ErrorKind, Progress, Route, Scope, Traffic, Vendor,
};
use domain::access::{Role, RoleRef};
use domain::cloud::CloudAccountState;
use domain::id::{CloudAccountId, DeploymentId};
use domain::region::GCP;
use domain::secret::Secret;
use services::{AccountChange, NewAccount, ServiceError, Settings};
use store::Store;

use crate::house::{TestHouse, open};

/// Vendor whose accounts can be opened with any key but a broken one.
struct Pretended;

#[async_trait]
impl Traffic for Pretended {
    async fn switch(&self, _: &Scope<'_>, _: &Route) -> Result<Progress<Address>, CloudError> {
        Err(no_calls())
    }

    async fn shown(&self, _: &Scope<'_>) -> Result<Option<DeploymentId>, CloudError> {
        Err(no_calls())
    }

    async fn remove(&self, _: &Scope<'_>) -> Result<Progress, CloudError> {
        Err(no_calls())
    }
}

fn no_calls() -> CloudError {
    CloudError::new(ErrorKind::Unsupported, "UNSUPPORTED", "nothing is asked of this vendor")
}

static ABOUT: About =
    About { title: "Pretended", regions: GCP, release_deadline: Duration::from_mins(10), static_sites: None, servers: None };

impl Vendor for Pretended {
    fn name(&self) -> &'static str {
        "gcp"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn open(&self, access: Access) -> Result<Cloud, CloudError> {
        match access.credential {
            Credential::GoogleKey { json } if json.expose() != "broken" => Ok(Cloud {
                name: "gcp",
                about: &ABOUT,
                account: None,
                static_sites: None,
                servers: None,
                functions: None,
                builds: None,
                traffic: Arc::new(Self),
                labels: None,
            }),
            _ => Err(CloudError::new(ErrorKind::Invalid, "BAD_KEY", "the key file is cut off: download it again")),
        }
    }
}

async fn house(store: Store) -> TestHouse {
    let change = |mut settings: Settings| {
        settings.clouds.vendors = vec![Arc::new(Pretended)];
        settings.clouds.endpoints = vec!["http://127.0.0.1:8090".to_owned()];
        settings
    };
    TestHouse::with(store, change).await
}

fn account(name: &str) -> NewAccount {
    NewAccount {
        cloud: "gcp".to_owned(),
        name: name.to_owned(),
        identity: "acme-production".to_owned(),
        credential: key("whole"),
        region: Some("eu-central".to_owned()),
        endpoint: None,
    }
}

fn key(content: &str) -> Credential {
    Credential::GoogleKey { json: Secret::new(content) }
}

fn field_and_code<T: std::fmt::Debug>(result: services::Result<T>) -> (&'static str, &'static str) {
    match result.unwrap_err() {
        ServiceError::Invalid { field, code, .. } => (field, code),
        other => panic!("{other}"),
    }
}

testkit::on_both_databases! {
    open;

    async fn an_account_is_connected_changed_and_disconnected(store: Store) {
        let house = house(store).await;
        let (accounts, owner) = (house.services.cloud_accounts(), &house.owner);
        let main = accounts.connect(owner, account("main")).await.unwrap();
        assert_eq!((main.state, main.is_default, main.credential_version), (CloudAccountState::Unverified, true, 1));
        let backup = accounts.connect(owner, account("backup")).await.unwrap();
        assert!(!backup.is_default);
        let change = AccountChange { credential: Some(key("another")), region: Some("us-east4".to_owned()), make_default: true };
        let changed = accounts.update(owner, backup.id, change).await.unwrap();
        assert_eq!((changed.credential_version, changed.region.as_str(), changed.is_default), (2, "us-east", true));
        assert!(!accounts.get(owner, main.id).await.unwrap().is_default);
        accounts.disconnect(owner, backup.id).await.unwrap();
        let left: Vec<_> = accounts.list(owner).await.unwrap().into_iter().map(|account| account.name).collect();
        assert_eq!(left, ["main"]);
    }

    async fn what_cannot_be_connected_names_the_field_and_the_remedy(store: Store) {
        let house = house(store).await;
        let (accounts, owner) = (house.services.cloud_accounts(), &house.owner);
        accounts.connect(owner, account("main")).await.unwrap();
        let refused = async |new| field_and_code(accounts.connect(owner, new).await);
        assert_eq!(refused(account("main")).await, ("name", "TAKEN"));
        assert_eq!(refused(account("no spaces")).await, ("name", "BAD_NAME"));
        assert_eq!(refused(NewAccount { cloud: "mars".to_owned(), ..account("b") }).await, ("cloud", "UNKNOWN_CLOUD"));
        assert_eq!(refused(NewAccount { identity: "../..".to_owned(), ..account("b") }).await, ("identity", "BAD_IDENTITY"));
        assert_eq!(refused(NewAccount { credential: key("broken"), ..account("b") }).await, ("credential", "BAD_CREDENTIAL"));
        assert_eq!(refused(NewAccount { region: Some("atlantis".to_owned()), ..account("b") }).await, ("region", "UNKNOWN_REGION"));
        let elsewhere = NewAccount { endpoint: Some("http://169.254.169.254".to_owned()), ..account("b") };
        assert_eq!(refused(elsewhere).await, ("endpoint", "NOT_ALLOWED"));
        let aws = Credential::AwsKey { id: "AKIA".to_owned(), secret: Secret::new("s") };
        assert_eq!(refused(NewAccount { credential: aws, ..account("b") }).await, ("credential", "WRONG_CLOUD"));
        let simulated = NewAccount { endpoint: Some("http://127.0.0.1:8090/".to_owned()), ..account("b") };
        assert!(accounts.connect(owner, simulated).await.unwrap().is_simulated());
    }

    async fn an_account_is_the_teams_alone(store: Store) {
        let house = house(store).await;
        let accounts = house.services.cloud_accounts();
        let main = accounts.connect(&house.owner, account("main")).await.unwrap();
        let stranger = house.team("others").await;
        assert!(accounts.list(&stranger).await.unwrap().is_empty());
        assert!(matches!(accounts.get(&stranger, main.id).await, Err(ServiceError::NotFound(_))));
        assert!(matches!(accounts.disconnect(&stranger, main.id).await, Err(ServiceError::NotFound(_))));
        let developer = house.member("dev", RoleRef::BuiltIn(Role::Developer)).await;
        assert_eq!(accounts.get(&developer, main.id).await.unwrap().id, main.id);
        assert!(matches!(accounts.verify(&developer, main.id).await, Err(ServiceError::Denied(_))));
        assert!(matches!(accounts.verify(&house.owner, CloudAccountId::new()).await, Err(ServiceError::NotFound(_))));
    }

    async fn a_deployment_chooses_its_account_and_region(store: Store) {
        let house = house(store).await;
        let (accounts, placements, team) = (house.services.cloud_accounts(), house.services.placements(), house.owner.team_id);
        assert_eq!(field_and_code(placements.choose(team, "gcp", None).await), ("cloud", "NO_ACCOUNT"));
        let main = accounts.connect(&house.owner, account("main")).await.unwrap();
        let backup = accounts.connect(&house.owner, account("backup")).await.unwrap();
        let chosen = async |cloud, region| {
            let place = placements.choose(team, cloud, region).await.unwrap().unwrap();
            (place.account, place.region)
        };
        assert_eq!(chosen("gcp", None).await, (main.id, "europe-west3".to_owned()));
        assert_eq!(chosen("gcp:backup", Some("us-west")).await, (backup.id, "us-west1".to_owned()));
        assert_eq!(chosen("gcp", Some("us-east4")).await, (main.id, "us-east4".to_owned()));
        assert_eq!(field_and_code(placements.choose(team, "gcp:gone", None).await), ("cloud", "NO_ACCOUNT"));
        assert_eq!(field_and_code(placements.choose(team, "gcp", Some("moon")).await), ("region", "UNKNOWN_REGION"));
    }
}
