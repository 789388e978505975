//! Certificates of domains, over a database.

use std::collections::HashSet;

use artifacts::{ArtifactStore, Artifacts, Objects};
use chrono::SubsecRound;
use domain::custom_domain::CustomDomain;
use domain::environment::Environment;
use domain::id::{DomainId, ProjectId, TeamId};
use domain::project::Project;
use jobs::{EventBus, Wakeups};
use services_clouds::{CloudServices, CloudSettings};
use services_core::{Context, ContextDependencies, CoreSettings, MasterKey, Sealer};
use services_identity::{IdentityServices, IdentitySettings};
use services_notifications::{NotificationServices, NotificationSettings};
use store::{AcmeDomain, Store};
use tempfile::TempDir;
use testkit::Database;

use super::super::domains::next;
use super::*;
use crate::ProjectSettings;

const DIRECTORY: &str = "https://ca.example.org/dir";

async fn open(database: &Database) -> Store {
    let store = match database {
        Database::Sqlite { file, .. } => Store::sqlite(file).await.unwrap(),
        Database::Postgres(url) => Store::postgres(url, 8).await.unwrap(),
    };
    store.migrate().await.unwrap();
    store
}

/// An installation with a project whose domains are served.
struct House {
    services: ProjectServices,
    environment: Environment,
    _directory: TempDir,
}

impl House {
    async fn new(store: Store) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let directory = tempfile::tempdir().unwrap();
        let sealer = Arc::new(Sealer::new(MasterKey::generate()));
        services_identity::prepare(&store, &sealer).await.unwrap().unwrap();
        let artifacts = ArtifactStore::open(directory.path().join("artifacts")).unwrap();
        let context = Context::new(ContextDependencies {
            store,
            bus: EventBus::default(),
            wakeups: Wakeups::new(&jobs::payload::QUEUES),
            sealer,
            clouds: Vec::new(),
            artifacts: Artifacts::on_one_machine(artifacts),
            objects: Objects::in_directory(&directory.path().join("objects")).unwrap(),
            settings: CoreSettings::default(),
        });
        let identity = IdentityServices::new(
            NotificationServices::new(context, NotificationSettings::default()),
            IdentitySettings::default(),
        );
        let services = ProjectServices::new(
            CloudServices::new(identity, CloudSettings::default()),
            ProjectSettings {
                domain_certificates: Some(Url::parse(DIRECTORY).unwrap()),
                ..ProjectSettings::in_directory(directory.path().to_owned())
            },
        );
        let environment = environment(services.store()).await;
        Self { services, environment, _directory: directory }
    }

    /// Builds the certificates that a process manages which starts now.
    async fn start(&self) -> Certificates {
        let settings = AcmeSettings {
            domains: vec!["cloud.example.org".to_owned()],
            email: None,
            directory: Url::parse(DIRECTORY).unwrap(),
            roots: None,
        };
        Certificates::open(&self.services, settings).await.unwrap()
    }

    fn team(&self) -> TeamId {
        self.environment.team_id
    }

    async fn serve(&self, name: &str) -> DomainId {
        let domain = CustomDomain {
            id: DomainId::new(),
            team_id: self.team(),
            project_id: self.environment.project_id,
            environment_id: self.environment.id,
            name: host(name),
            token: "4f9a".to_owned(),
            problem: None,
            checked_at: None,
            next_check_at: None,
            verified_at: Some(now()),
            created_by: self.services.store().owner_get().await.unwrap().unwrap(),
            created_at: now(),
        };
        let mut tx = self.services.begin().await.unwrap();
        tx.domain_insert(&domain).await.unwrap();
        tx.commit().await.unwrap();
        domain.id
    }

    async fn remove(&self, id: DomainId) {
        let mut tx = self.services.begin().await.unwrap();
        assert!(tx.domain_delete(self.team(), id).await.unwrap());
        tx.commit().await.unwrap();
    }

    /// Writes a certificate with this text in its chain, as a process that ordered it does.
    async fn certify(&self, domains: &str, chain: &str) {
        let name = AcmeName { directory: DIRECTORY.to_owned(), domains: domains.to_owned() };
        let services = &self.services;
        let sealed = services.sealer().seal_own(services.store(), &identity(&name), b"key").await.unwrap();
        self.write(&name, chain, sealed).await;
    }

    async fn write(&self, name: &AcmeName, chain: &str, sealed: Vec<u8>) {
        let (not_before, stored_at) = (now() - TimeDelta::days(1), now());
        let not_after = not_before + TimeDelta::days(90);
        let row = AcmeCertificate { chain: chain.to_owned(), sealed, not_before, not_after, stored_at };
        let mut tx = self.services.begin().await.unwrap();
        tx.acme_certificate_put(name, &row).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The alerts on certificates that the team sees and that last.
    async fn alerts(&self) -> Vec<String> {
        let store = self.services.store();
        let alerts = store.alert_list(self.team(), false, None, 10).await.unwrap().items;
        alerts.into_iter().filter(|alert| alert.resolved_at.is_none()).map(|alert| alert.message).collect()
    }
}

async fn environment(store: &Store) -> Environment {
    let owner = store.owner_get().await.unwrap().unwrap();
    let mut tx = store.begin().await.unwrap();
    let project = Project {
        id: ProjectId::new(),
        team_id: tx.team_list_of(owner).await.unwrap()[0],
        name: "shop".parse().unwrap(),
        repository: None,
        reference: None,
        created_at: now(),
        updated_at: now(),
        deleting_at: None,
    };
    tx.project_insert(&project).await.unwrap();
    let environment =
        services_core::environments::find_or_insert(&mut tx, &project, &"production".parse().unwrap()).await.unwrap();
    tx.commit().await.unwrap();
    environment
}

fn host(name: &str) -> HostName {
    name.parse().unwrap()
}

/// Returns the served domains, each with the content of its chain.
fn served(certificates: &Certificates) -> Vec<(String, Option<String>)> {
    let domains = Arc::clone(&certificates.served().borrow().domains);
    let mut domains: Vec<_> =
        domains.iter().map(|(name, issued)| (name.clone(), issued.as_ref().map(|issued| issued.chain.clone()))).collect();
    domains.sort();
    domains
}

fn pairs(expected: &[(&str, Option<&str>)]) -> Vec<(String, Option<String>)> {
    expected.iter().map(|(name, chain)| ((*name).to_owned(), chain.map(str::to_owned))).collect()
}

/// A domain that was tried before: how often it failed, and how many minutes ago its pause ended.
fn tried(name: &str, failures: i64, minutes: Option<i64>) -> AcmeDomain {
    let leased_until = minutes.map(|minutes| now() - TimeDelta::minutes(minutes));
    let name = host(name);
    AcmeDomain { name, not_before: None, not_after: None, stored_at: None, failures, leased_until, problem: None }
}

#[test]
fn a_few_orders_are_under_way_and_new_domains_do_not_wait_for_those_that_fail() {
    let valid = AcmeDomain {
        not_before: Some(now() - TimeDelta::days(1)),
        not_after: Some(now() + TimeDelta::days(89)),
        ..tried("valid.example.org", 0, Some(1000))
    };
    let domains = [
        tried("gone.example.org", 9, Some(500)),
        tried("paused.example.org", 1, Some(-1)),
        tried("failed.example.org", 1, Some(1)),
        valid,
        tried("renewed.example.org", 0, Some(9)),
        tried("new.example.org", 0, None),
        tried("late.example.org", 1, Some(7)),
    ];
    let chosen = |under_way: &[&str]| {
        let under_way: HashSet<_> = under_way.iter().copied().map(host).collect();
        let next = next(&domains, &under_way, now());
        next.iter().map(|name| name.as_str().split('.').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(chosen(&[]), ["new", "renewed", "late", "failed"]);
    assert_eq!(chosen(&["new.example.org", "other.example.org"]), ["renewed", "late"]);
    assert_eq!(chosen(&["a.example.org", "b.example.org", "c.example.org", "d.example.org"]), [""; 0]);
}

testkit::on_both_databases! {
    open;

    async fn domains_are_served_with_their_certificates_while_they_are_served(store: Store) {
        let house = House::new(store).await;
        house.certify("cloud.example.org", "the API's").await;
        let certificates = house.start().await;
        assert_eq!((served(&certificates), certificates.served().borrow().own.is_some()), (vec![], true));
        let mut changes = certificates.served();
        let look = async || certificates.look_at_domains().await.1;
        let a = house.serve("a.example.org").await;
        house.serve("b.example.org").await;
        // It is the API's.
        house.serve("cloud.example.org").await;
        look().await.unwrap();
        assert_eq!(served(&certificates), pairs(&[("a.example.org", None), ("b.example.org", None)]));
        house.certify("a.example.org", "first").await;
        look().await.unwrap();
        assert_eq!(served(&certificates), pairs(&[("a.example.org", Some("first")), ("b.example.org", None)]));
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        look().await.unwrap();
        assert!(!changes.has_changed().unwrap(), "nothing is new");
        house.certify("a.example.org", "second").await;
        look().await.unwrap();
        assert_eq!(served(&certificates), pairs(&[("a.example.org", Some("second")), ("b.example.org", None)]));
        let restarted = house.start().await;
        assert_eq!(served(&restarted), served(&certificates), "from the first moment on");
        house.remove(a).await;
        look().await.unwrap();
        assert_eq!(served(&certificates), pairs(&[("b.example.org", None)]));
    }

    async fn a_certificate_that_cannot_be_opened_keeps_no_other_from_being_served(store: Store) {
        let house = House::new(store).await;
        for name in ["a.example.org", "b.example.org"] {
            house.serve(name).await;
            house.certify(name, "first").await;
        }
        let certificates = house.start().await;
        let broken = AcmeName { directory: DIRECTORY.to_owned(), domains: "a.example.org".to_owned() };
        house.write(&broken, "second", vec![1, 2, 3]).await;
        house.certify("b.example.org", "second").await;
        assert!(certificates.look_at_domains().await.1.is_err());
        assert_eq!(served(&certificates), pairs(&[("a.example.org", Some("first")), ("b.example.org", Some("second"))]));
        let restarted = house.start().await;
        assert_eq!(served(&restarted), pairs(&[("a.example.org", None), ("b.example.org", Some("second"))]));
    }

    async fn authorities_are_answered_for_names_that_are_served_and_no_others(store: Store) {
        let house = House::new(store).await;
        let a = house.serve("a.example.org").await;
        let certificates = house.start().await;
        let mut tx = house.services.store().begin().await.unwrap();
        for name in ["a.example.org", "cloud.example.org", "stranger.example.org"] {
            tx.acme_challenge_put(name, &[7; 32], now() + TimeDelta::minutes(5)).await.unwrap();
        }
        tx.commit().await.unwrap();
        let answered = async |name: &str| certificates.challenge(name).await.unwrap().is_some();
        assert!(answered("a.example.org").await && answered("cloud.example.org").await);
        assert!(!answered("stranger.example.org").await);
        house.remove(a).await;
        certificates.look_at_domains().await.1.unwrap();
        assert!(!answered("a.example.org").await);
    }

    async fn failures_are_told_at_the_domain_and_alert_its_team_after_three(store: Store) {
        let house = House::new(store).await;
        let id = house.serve("a.example.org").await;
        let certificates = house.start().await;
        let name = host("a.example.org");
        let wanted = Wanted::of_domain(&Url::parse(DIRECTORY).unwrap(), &name);
        let told = async || {
            let known = house.services.certificates().of_project(house.team(), house.environment.project_id).await.unwrap();
            assert_eq!(known.of(&host("unknown.example.org")), DomainCertificate::Waiting { failed: None });
            known.of(&name)
        };
        assert_eq!(told().await, DomainCertificate::Waiting { failed: None });
        let fail = async |failures: i64| {
            // As time ends pauses.
            let mut tx = house.services.store().begin().await.unwrap();
            tx.acme_order_release(&wanted.name, certificates.runner).await.unwrap();
            assert_eq!(tx.acme_order_claim(&wanted.name, certificates.runner, now() + TimeDelta::minutes(5)).await.unwrap(), Some(failures - 1));
            tx.commit().await.unwrap();
            certificates.keep_failure(&wanted, failures, &OrderError::Refused("nobody is there".to_owned())).await.unwrap();
        };
        fail(1).await;
        let DomainCertificate::Waiting { failed: Some(tried) } = told().await else { panic!("it failed") };
        assert!(tried.problem.contains("nobody is there") && tried.next_try_at > now(), "{tried:?}");
        fail(2).await;
        assert_eq!(house.alerts().await, [""; 0]);
        fail(3).await;
        let alerts = house.alerts().await;
        assert!(alerts.len() == 1 && alerts[0].contains("get a certificate for a.example.org"), "{alerts:?}");

        house.remove(id).await;
        fail(4).await;
        certificates.look_at_domains().await.1.unwrap();
        assert_eq!(house.alerts().await, [""; 0], "it is served no longer");
        fail(5).await;
        assert_eq!(house.alerts().await, [""; 0], "nor is there a new one");

        house.serve("a.example.org").await;
        fail(6).await;
        assert_eq!(house.alerts().await.len(), 1);
        let mut tx = house.services.store().begin().await.unwrap();
        tx.acme_order_release(&wanted.name, certificates.runner).await.unwrap();
        assert_eq!(tx.acme_order_claim(&wanted.name, certificates.runner, now() + TimeDelta::minutes(5)).await.unwrap(), Some(6));
        tx.commit().await.unwrap();
        let stored_at = now().trunc_subsecs(3);
        let not_after = stored_at + TimeDelta::days(90);
        let issued = Issued { chain: "first".to_owned(), key: Zeroizing::default(), not_before: stored_at, not_after, stored_at };
        certificates.keep_issued(&wanted, &issued).await.unwrap();
        assert_eq!(house.alerts().await, [""; 0]);
        assert_eq!(told().await, DomainCertificate::Issued { not_after, failed: None });
    }
}
