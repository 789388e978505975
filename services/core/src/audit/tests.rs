//! Chains as several processes write them, on both databases.

use audit::{EntryLine, ExportHead, Report, Tip, VERSION, Verifier, genesis};
use chrono::TimeDelta;
use domain::access::{Actor, Origin, Rights, Role, RoleRef};
use domain::id::{SessionId, TeamId, UserId};
use domain::team::{Membership, Team, User};
use domain::time::now;
use serde_json::json;
use store::Store;
use testkit::Database;

use super::expiry::expire_some;
use super::*;
use crate::MasterKey;

async fn open(database: &Database) -> Store {
    let store = match database {
        Database::Sqlite { file, .. } => Store::sqlite(file).await.unwrap(),
        Database::Postgres(url) => Store::postgres(url, 8).await.unwrap(),
    };
    store.migrate().await.unwrap();
    store
}

fn actor() -> Actor {
    Actor {
        user_id: UserId::new(),
        team_id: TeamId::new(),
        rights: std::sync::Arc::new(Rights::of(Role::Owner)),
        scopes: None,
        credential: Credential::Session(SessionId::new()),
        expires_at: None,
        origin: Some(std::sync::Arc::new(Origin::new([203, 0, 113, 7].into(), Some("r-1"), None))),
    }
}

async fn change(store: &Store, actor: &Actor) {
    let mut tx = store.begin().await.unwrap();
    record(&mut tx, actor, AuditEntry::new(Action::ProjectCreate).on("project", "prj_1")).await.unwrap();
    tx.commit().await.unwrap();
}

/// Verifies everything that is stored of a team's log.
async fn verified(store: &Store, auditor: &Auditor, team: TeamId) -> Result<Report, audit::Broken> {
    let first = store.audit_first_kept(team).await.unwrap().unwrap();
    let rows = store.audit_range(team, first - 1, i64::MAX, 10_000).await.unwrap();
    let signed = store.audit_checkpoint_range(team, first - 1, i64::MAX).await.unwrap();
    let from = store.audit_checkpoint_up_to(team, first - 1).await.unwrap();
    let from = from.map_or(Tip { sequence: 0, hash: genesis(team) }, |row| Tip { sequence: row.sequence, hash: row.hash });
    let to = rows.last().map_or(from.clone(), |row| Tip { sequence: row.sequence, hash: row.hash.clone() });
    let head = auditor.signer().sign(ExportHead { v: VERSION, team, from, to, at: now() }).unwrap();
    let mut verifier = Verifier::new(vec![auditor.signer().public_key()]);
    verifier.line(head.text().unwrap().as_bytes())?;
    for row in rows {
        verifier.line(EntryLine { canonical: &row.entry, hash: &row.hash }.text().as_bytes())?;
        for checkpoint in signed.iter().filter(|checkpoint| checkpoint.sequence == row.sequence) {
            verifier.line(checkpoint.statement.as_bytes())?;
        }
    }
    verifier.end(true)
}

fn auditor() -> Auditor {
    Auditor::new(Arc::new(Sealer::new(MasterKey::generate())))
}

async fn sign(store: &Store, auditor: &Auditor, team: TeamId) -> Option<Tip> {
    let mut tx = store.begin().await.unwrap();
    let tip = auditor.checkpoint(&mut tx, team).await.unwrap();
    tx.commit().await.unwrap();
    tip
}

testkit::on_both_databases! {
    open;

    async fn processes_that_write_at_once_make_one_chain(store: Store, database: &Database) {
        let (actor, auditor, other) = (actor(), auditor(), open(database).await);
        let stores = [store.clone(), other];
        let writers = (0..60).map(|number| {
            let (store, actor, auditor) = (&stores[number % 2], &actor, &auditor);
            async move {
                change(store, actor).await;
                if number % 10 == 0 {
                    sign(store, auditor, actor.team_id).await;
                }
            }
        });
        futures::future::join_all(writers).await;
        let report = verified(&store, &auditor, actor.team_id).await.unwrap();
        assert_eq!((report.entries, report.to.sequence), (60, 60));
        assert!(report.checkpoints >= 1, "{report:?}");
        let (one, two) = tokio::join!(sign(&stores[0], &auditor, actor.team_id), sign(&stores[1], &auditor, actor.team_id));
        assert_eq!((one.map(|tip| tip.sequence), two.map(|tip| tip.sequence)), (Some(60), Some(60)), "both find it signed");
        let last = store.audit_checkpoint_range(actor.team_id, 59, 60).await.unwrap();
        assert_eq!(last.len(), 1);
    }

    async fn what_did_not_happen_is_not_in_the_log(store: Store) {
        let (actor, auditor) = (actor(), auditor());
        change(&store, &actor).await;
        let mut tx = store.begin().await.unwrap();
        record(&mut tx, &actor, AuditEntry::new(Action::ProjectDelete)).await.unwrap();
        drop(tx);
        change(&store, &actor).await;
        assert_eq!(verified(&store, &auditor, actor.team_id).await.unwrap().entries, 2);
        assert_eq!(sign(&store, &auditor, TeamId::new()).await, None, "a team without entries has nothing to sign");
    }

    async fn what_is_about_a_user_stands_in_the_log_of_each_of_their_teams(store: Store) {
        let user = User { id: UserId::new(), email: "ada@example.org".to_owned(), name: "Ada \u{1f980}".to_owned(), created_at: now() };
        let teams = [TeamId::new(), TeamId::new(), TeamId::new()];
        let mut tx = store.begin().await.unwrap();
        tx.user_insert(&user).await.unwrap();
        for (number, id) in teams.into_iter().enumerate() {
            tx.team_insert(&Team { id, name: "t".to_owned(), created_at: now() }).await.unwrap();
            if number > 0 {
                let membership = Membership { team_id: id, user_id: user.id, role: RoleRef::BuiltIn(Role::Viewer) };
                tx.membership_put(&membership).await.unwrap();
            }
        }
        let origin = Origin::new([203, 0, 113, 7].into(), Some("r-1"), Some("test"));
        let change = AuditEntry::new(Action::ApiKeyRevoke).on("session", "ses_1").after(json!({"by": "password"}));
        record_about_user(&mut tx, user.id, Some(&origin), &change, AuditOutcome::Denied).await.unwrap();
        tx.commit().await.unwrap();
        for (number, team) in teams.into_iter().enumerate() {
            let rows = store.audit_range(team, 0, 10, 10).await.unwrap();
            assert_eq!(rows.len(), usize::from(number > 0));
            for row in rows {
                let entry: Entry = serde_json::from_str(&row.entry).unwrap();
                assert_eq!((entry.actor.email.as_deref(), entry.actor.name.as_deref()), (Some("ada@example.org"), Some("Ada \u{1f980}")));
                assert_eq!((entry.origin.address.as_deref(), entry.team, entry.sequence), (Some("203.0.113.7"), team, 1));
                assert_eq!(entry.outcome, AuditOutcome::Denied);
            }
        }
    }

    async fn what_stays_after_the_oldest_entries_went_is_verified_from_their_checkpoint(store: Store) {
        let (actor, auditor) = (actor(), auditor());
        let team = actor.team_id;
        for number in 0..30 {
            change(&store, &actor).await;
            if number % 10 == 9 {
                sign(&store, &auditor, team).await;
            }
        }
        change(&store, &actor).await;
        let soon = now() + TimeDelta::seconds(1);
        assert!(!expire_some(&store, team, now() - TimeDelta::hours(1), 100).await.unwrap(), "nothing is that old");
        assert!(expire_some(&store, team, soon, 15).await.unwrap());
        let report = verified(&store, &auditor, team).await.unwrap();
        assert_eq!((report.from, report.to.sequence), (10, 32), "{report:?}");
        assert!(expire_some(&store, team, soon, 100).await.unwrap());
        assert!(!expire_some(&store, team, soon, 100).await.unwrap(), "what no checkpoint covers stays");
        let report = verified(&store, &auditor, team).await.unwrap();
        assert_eq!((report.from, report.to.sequence, report.entries), (30, 33, 3));
        let rows = store.audit_range(team, 32, 33, 1).await.unwrap();
        let entry: Entry = serde_json::from_str(&rows[0].entry).unwrap();
        assert_eq!((entry.action.as_str(), entry.actor, &entry.details["up_to"]), ("audit.expire", Who::default(), &json!(30)));
    }

    async fn a_log_that_somebody_with_all_rights_changed_is_found_out(store: Store, database: &Database) {
        let (actor, auditor) = (actor(), auditor());
        for _ in 0..5 {
            change(&store, &actor).await;
        }
        sign(&store, &auditor, actor.team_id).await;
        let disable = match database {
            Database::Sqlite { .. } => "DROP TRIGGER audit_entries_unchanged",
            Database::Postgres(_) => "ALTER TABLE audit_entries DISABLE TRIGGER ALL",
        };
        database.execute(disable).await;
        database.execute("UPDATE audit_entries SET entry = REPLACE(entry, 'prj_1', 'prj_2') WHERE sequence = 3").await;
        let broken = verified(&store, &auditor, actor.team_id).await.unwrap_err();
        assert_eq!(broken.sequence, Some(3), "{broken}");
    }
}
