//! Changes of the master key, on both databases, beside processes that go on.

use std::cell::RefCell;
use std::time::Instant;

use domain::git_host::{GitConnection, GitHost};
use domain::id::{GitConnectionId, ProjectId, TeamId, UserId, VariableId};
use domain::name::EnvironmentName;
use domain::project::Project;
use domain::secret::Secret;
use services_core::idempotency;
use services_identity::auth::{second_factor, signing_keys};
use services_projects::acme;
use services_projects::git_hosts::{secret_identity, token_identity};
use store::idempotency::{IdempotencyKey, KeyClaim};
use store::sealed::{SEALED, SealedBy};
use store::{AcmeCertificate, AcmeName, GitSecrets, SealedVariable, SignInFlow, SigningKey};
use testkit::Database;

use super::*;

async fn open(database: &Database) -> Store {
    let store = match database {
        Database::Sqlite { file, .. } => Store::sqlite(file).await.unwrap(),
        Database::Postgres(url) => Store::postgres(url, 8).await.unwrap(),
    };
    store.migrate().await.unwrap();
    store
}

/// An installation as a process has it.
struct House {
    store: Store,
    key: MasterKey,
    sealer: Sealer,
    project: Project,
    user: UserId,
}

async fn house(store: Store) -> House {
    let key = MasterKey::generate();
    let sealer = Sealer::new(key.clone());
    services_identity::prepare(&store, &sealer).await.unwrap().unwrap();
    let user = store.owner_get().await.unwrap().unwrap();
    let mut tx = store.begin().await.unwrap();
    let team_id = tx.team_list_of(user).await.unwrap()[0];
    let project = Project {
        id: ProjectId::new(),
        team_id,
        name: "shop".parse().unwrap(),
        repository: None,
        reference: None,
        created_at: now(),
        updated_at: now(),
        deleting_at: None,
    };
    tx.project_insert(&project).await.unwrap();
    tx.commit().await.unwrap();
    let house = House { store, key, sealer, project, user };
    house.connect().await;
    house.certify().await;
    house
}

impl House {
    fn team(&self) -> TeamId {
        self.project.team_id
    }

    /// Connects the project to a Git host, with both secrets that a connection has.
    async fn connect(&self) {
        let connection = GitConnection {
            id: GitConnectionId::new(),
            team_id: self.team(),
            project_id: self.project.id,
            host: GitHost::GitHub,
            api_url: "https://git.example.org".to_owned(),
            repository: "octo/shop".parse().unwrap(),
            installation_id: None,
            reports: true,
            branches: Vec::new(),
            previews: false,
            preview_hours: 1,
            created_by: self.user,
            created_at: now(),
        };
        let seal =
            async |identity: String| self.sealer.seal(&self.store, self.team(), &identity, &Secret::new("geheim")).await.unwrap();
        let secrets = GitSecrets {
            sealed_secret: seal(secret_identity(connection.id)).await,
            sealed_token: Some(seal(token_identity(connection.id)).await),
        };
        let mut tx = self.store.begin().await.unwrap();
        tx.git_connection_insert(&connection, &secrets).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Has certificates of its own and of teams' domains, and the account that they were ordered with.
    async fn certify(&self) {
        let directory = "https://ca.example.org/dir";
        let account = self.sealer.seal_own(&self.store, &acme::account_identity(directory), b"account").await.unwrap();
        let mut tx = self.store.begin().await.unwrap();
        tx.acme_account_put(directory, &account).await.unwrap();
        tx.commit().await.unwrap();
        for domains in ["a.org,b.org", "www.example.org", "shop.example.com"] {
            let name = AcmeName { directory: directory.to_owned(), domains: domains.to_owned() };
            let key = self.sealer.seal_own(&self.store, &acme::identity(&name), b"key").await.unwrap();
            let (chain, at) = ("chain".to_owned(), now());
            let certificate = AcmeCertificate { chain, sealed: key, not_before: at, not_after: at, stored_at: at };
            let mut tx = self.store.begin().await.unwrap();
            tx.acme_certificate_put(&name, &certificate).await.unwrap();
            tx.commit().await.unwrap();
        }
    }

    /// Seals something of each kind, as a process does; answers the variable.
    async fn fill(&self, number: usize) -> VariableId {
        let (store, sealer, id, name) = (&self.store, &self.sealer, VariableId::new(), format!("n{number}"));
        let value = sealer.seal(store, self.team(), &id.to_string(), &Secret::new(name.as_str())).await.unwrap();
        let key = sealer.seal_own(store, &signing_keys::identity(&name), name.as_bytes()).await.unwrap();
        let flow = sealer.seal_own(store, &name, name.as_bytes()).await.unwrap();
        let factor = sealer.seal_own(store, &second_factor::identity(self.user), name.as_bytes()).await.unwrap();
        let once = IdempotencyKey { team_id: self.team(), user_id: self.user, name: name.clone() };
        let until = now() + TimeDelta::hours(1);
        let KeyClaim::Leased(lease) = store.idempotency_claim(once.clone(), "digest", until, until).await.unwrap() else {
            panic!("it is new")
        };
        let answer = Secret::new(name.as_str());
        let answer = sealer.seal(store, self.team(), &idempotency::identity(&once), &answer).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let environment: EnvironmentName = format!("e{number}").parse().unwrap();
        let environment = services_core::environments::find_or_insert(&mut tx, &self.project, &environment).await.unwrap();
        let variable = SealedVariable { id, name: "KEY".to_owned(), sealed: value };
        tx.variable_insert(self.team(), environment.id, &variable, 1).await.unwrap();
        let row = SigningKey { id: name.clone(), public_key: vec![4], sealed: key, active_from: now() };
        tx.signing_key_insert(&row).await.unwrap();
        let expires_at = now() + TimeDelta::hours(1);
        tx.sign_in_flow_insert(&SignInFlow { hash: &name, kind: "test", sealed: &flow, expires_at }).await.unwrap();
        tx.second_factor_put(self.user, &factor).await.unwrap();
        tx.idempotency_answer(&lease, &answer).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// Returns true if everything is sealed by the key that was stored last, and by no other.
    async fn is_sealed_by_last(&self, kept: &RefCell<MasterKey>) -> bool {
        let key = kept.borrow().clone();
        self.is_sealed_by(&key).await
    }

    /// Returns true if a process that is started with a key finds everything sealed by that key and no other.
    async fn is_sealed_by(&self, key: &MasterKey) -> bool {
        let sealer = Sealer::new(key.clone());
        let mut tx = self.store.begin().await.unwrap();
        for column in SEALED {
            for row in self.store.sealed_rows(column).await.unwrap() {
                let value = tx.sealed_get(column, &row).await.unwrap().unwrap();
                // The data key before the present one stays.
                match sealer.sealed_anew(&self.store, column, &row, &value).await {
                    Ok(None) => {}
                    Ok(Some(_)) | Err(_) => return false,
                }
            }
        }
        true
    }

    async fn rotate(&self, key: &MasterKey, settling: Duration, kept: &RefCell<MasterKey>) -> Result<Rotated, RotationError> {
        let keep = |new: &MasterKey| {
            kept.replace(new.clone());
            Ok(())
        };
        rotate(&self.store, key.clone(), settling, keep, |_| {}).await
    }
}

testkit::on_both_databases! {
    open;

    async fn everything_is_sealed_anew_beside_a_process_that_reads_and_writes(store: Store) {
        let house = house(store).await;
        for number in 0..60 {
            house.fill(number).await;
        }
        let (kept, done) = (RefCell::new(house.key.clone()), RefCell::new(false));
        let process = async {
            let mut number = 1000;
            let mut seen = Vec::new();
            while !*done.borrow() {
                seen.push((house.fill(number).await, number));
                let (id, written) = seen[number % seen.len()];
                let row = house.store.sealed_rows(&SEALED[4]).await.unwrap();
                let row = row.iter().find(|row| SEALED[4].identity(row) == id.to_string()).unwrap();
                let sealed = house.store.begin().await.unwrap().sealed_get(&SEALED[4], row).await.unwrap().unwrap();
                let opened = house.sealer.open(&house.store, house.team(), &id.to_string(), &sealed).await.unwrap();
                assert_eq!(opened.expose(), format!("n{written}"));
                number += 1;
                // All that is written meanwhile is sealed anew afterwards.
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            seen.len()
        };
        let rotation = async {
            let rotated = house.rotate(&house.key, FRESH + LOOK_EVERY, &kept).await;
            done.replace(true);
            rotated.unwrap()
        };
        let (rotated, written) = tokio::join!(rotation, process);
        let new = kept.borrow().clone();
        assert_eq!((rotated.broken, rotated.resumed, rotated.new_fingerprint), (0, false, new.fingerprint()));
        assert!(rotated.sealed > 180 && written > 0, "{} and {written}", rotated.sealed);
        assert!(house.is_sealed_by(&new).await && !house.is_sealed_by(&house.key).await);
        assert_eq!(house.store.team_key_list(house.team()).await.unwrap().len(), 2, "the last data key stays for what is on its way");
        // The process goes on with what it learned, one that starts with the old key is told.
        house.fill(500).await;
        assert!(house.is_sealed_by(&new).await);
        assert!(services_identity::prepare(&house.store, &Sealer::new(new)).await.unwrap().is_none());
        let refused = services_identity::prepare(&house.store, &Sealer::new(house.key.clone())).await.err().unwrap();
        assert!(matches!(refused, SetupError::ReplacedMasterKey { .. }), "{refused}");
        let refused = house.rotate(&house.key, Duration::ZERO, &kept).await.unwrap_err();
        assert!(refused.to_string().contains("was replaced on"), "{refused}");
    }

    async fn a_run_that_is_stopped_anywhere_is_started_again_and_goes_on(store: Store, database: &Database) {
        let house = house(store).await;
        for number in 0..80 {
            house.fill(number).await;
        }
        let (kept, mut stops, begun) = (RefCell::new(house.key.clone()), 0_u64, Instant::now());
        let rotated = loop {
            assert!(begun.elapsed() < Duration::from_secs(100), "it does not end");
            let key = kept.borrow().clone();
            let run = house.rotate(&key, Duration::ZERO, &kept);
            // Each time a little further.
            if let Ok(rotated) = tokio::time::timeout(Duration::from_millis(2 + 7 * stops), run).await {
                break rotated.unwrap();
            }
            stops += 1;
            // Who comes next would have to wait until the one that was stopped is taken to be dead.
            database.execute("UPDATE key_rotations SET runner_until = started_at").await;
            let process = Sealer::new(kept.borrow().clone());
            assert!(services_identity::prepare(&house.store, &process).await.unwrap().is_none(), "a process can start at any moment");
        };
        assert!(stops > 3 && rotated.resumed && rotated.broken == 0, "{stops} stops, {rotated:?}");
        let new = kept.borrow().clone();
        assert!(house.is_sealed_by(&new).await);
        // And another, from there.
        house.rotate(&new, Duration::ZERO, &kept).await.unwrap();
        assert!(house.is_sealed_by_last(&kept).await && !house.is_sealed_by(&new).await);
    }

    async fn of_two_runs_one_is_refused(store: Store) {
        let house = house(store).await;
        house.fill(1).await;
        let kept = RefCell::new(house.key.clone());
        let (one, other) = tokio::join!(
            house.rotate(&house.key, Duration::from_secs(3), &kept),
            house.rotate(&house.key, Duration::from_secs(3), &kept)
        );
        let (done, refused) = if one.is_ok() { (one, other) } else { (other, one) };
        done.unwrap();
        assert!(matches!(refused, Err(RotationError::UnderWay)), "{refused:?}");
        assert!(house.is_sealed_by_last(&kept).await);
    }

    async fn a_key_that_cannot_be_kept_leaves_the_old_one_in_its_place(store: Store, database: &Database) {
        let house = house(store).await;
        let id = house.fill(1).await;
        let failed = rotate(&house.store, house.key.clone(), Duration::ZERO, |_| Err("no".to_owned()), |_| {}).await;
        assert!(matches!(failed, Err(RotationError::NotKept(_))));
        assert!(services_identity::prepare(&house.store, &Sealer::new(house.key.clone())).await.unwrap().is_none());
        let other = Sealer::new(MasterKey::generate());
        assert!(matches!(services_identity::prepare(&house.store, &other).await, Err(SetupError::WrongMasterKey)));
        assert!(crate::backup::write(&house.store, &house.sealer, Vec::new(), |_| {}).await.unwrap_err().to_string().contains("changed"));
        database.execute("UPDATE key_rotations SET runner_until = started_at").await;
        let kept = RefCell::new(house.key.clone());
        house.rotate(&house.key, Duration::ZERO, &kept).await.unwrap();
        assert!(house.is_sealed_by_last(&kept).await, "{id}");
    }
}

#[test]
fn data_keys_come_first() {
    assert_eq!(SEALED[0].by, SealedBy::TeamKeys);
}
