//! The audit log: a chain that only grows.

use domain::artifact::Digest;
use domain::id::{ApiKeyId, TeamId, UserId};
use domain::time::{Timestamp, now};
use store::{AuditActor, AuditCheckpointRow, AuditFilter, NewAuditEntry, Store, StoreError};
use testkit::Database;

use crate::fixture::{digest, refused, write};

/// An entry with the number of its hour as its time.
fn entry<'a>(team: TeamId, sequence: i64, text: &'a str, hash: &'a Digest) -> NewAuditEntry<'a> {
    NewAuditEntry {
        team_id: team,
        sequence,
        at: hour(sequence),
        user_id: None,
        email: None,
        credential_id: None,
        action: "project.create",
        outcome: "done",
        target_id: None,
        target_name: None,
        entry: text,
        hash,
    }
}

pub fn hour(number: i64) -> Timestamp {
    "2026-11-25T00:00:00Z".parse::<Timestamp>().unwrap() + chrono::TimeDelta::hours(number)
}

/// A chain with so many entries, and checkpoints after these.
pub async fn chain(store: &Store, count: i64, checkpoints: &[i64]) -> TeamId {
    let team = TeamId::new();
    chain_of(store, team, count, checkpoints).await;
    team
}

/// The same for a team.
pub async fn chain_of(store: &Store, team: TeamId, count: i64, checkpoints: &[i64]) {
    write(store, async |tx| {
        tx.audit_key_put(&"ab".repeat(32), now()).await?;
        tx.audit_key_put(&"ab".repeat(32), now()).await?;
        tx.audit_chain_insert(team, &digest(0), now()).await?;
        tx.audit_chain_insert(team, &digest(9), now()).await?;
        for sequence in 1..=count {
            let hash = digest(u8::try_from(sequence).unwrap());
            tx.audit_insert(&entry(team, sequence, &format!("{{\"name\":\"\u{f6} {sequence}\"}}"), &hash)).await?;
            if checkpoints.contains(&sequence) {
                let statement = format!("signed {sequence}");
                tx.audit_checkpoint_insert(team, &AuditCheckpointRow { sequence, hash, statement, at: now() }).await?;
            }
        }
        Ok(())
    })
    .await;
}

async fn kept(store: &Store, team: TeamId) -> Vec<i64> {
    store.audit_range(team, 0, i64::MAX, 1000).await.unwrap().iter().map(|row| row.sequence).collect()
}

testkit::on_both_databases! {
    crate::common::open;

    async fn plain_sql_changes_nothing_of_the_log(store: Store, database: &Database) {
        let team = chain(&store, 5, &[3, 5]).await;
        for sql in [
            "UPDATE audit_entries SET entry = 'x'",
            "UPDATE audit_entries SET hash = hash WHERE sequence = 2",
            "DELETE FROM audit_entries",
            "DELETE FROM audit_entries WHERE sequence = 5",
            "UPDATE audit_checkpoints SET statement = 'x'",
            "DELETE FROM audit_checkpoints",
            "DELETE FROM audit_chains",
            "UPDATE audit_chains SET last_sequence = 1",
            "UPDATE audit_chains SET last_hash = 'x'",
            "UPDATE audit_chains SET checkpoint_sequence = 0",
            // It begins only after a checkpoint.
            "UPDATE audit_chains SET first_sequence = 3",
            "UPDATE audit_chains SET first_sequence = 0",
            "UPDATE audit_keys SET public_key = 'x'",
            "DELETE FROM audit_keys",
        ] {
            let said = database.refusal(sql).await;
            assert!(said.as_deref().is_some_and(|said| said.contains("append-only")), "{sql}: {said:?}");
        }
        let own = match database {
            Database::Sqlite { .. } => [
                "INSERT OR REPLACE INTO audit_entries SELECT team_id, 2, at, user_id, email, credential_id, action, outcome, target_id, \
                 target_name, 'x', hash FROM audit_entries WHERE sequence = 1",
                "UPDATE OR REPLACE audit_entries SET sequence = 2 WHERE sequence = 1",
                "INSERT OR REPLACE INTO audit_checkpoints SELECT team_id, 3, 'x', hash, at FROM audit_checkpoints WHERE sequence = 5",
            ],
            Database::Postgres(_) => ["TRUNCATE audit_entries", "TRUNCATE audit_checkpoints", "TRUNCATE audit_chains, audit_keys"],
        };
        for sql in own {
            let said = database.refusal(sql).await;
            assert!(said.as_deref().is_some_and(|said| said.contains("append-only")), "{sql}: {said:?}");
        }
        assert_eq!(kept(&store, team).await, [1, 2, 3, 4, 5]);
        let rows = store.audit_range(team, 0, 5, 1).await.unwrap();
        assert_eq!((rows[0].entry.as_str(), &rows[0].hash), ("{\"name\":\"\u{f6} 1\"}", &digest(1)));
    }

    async fn what_does_not_follow_the_last_entry_is_refused(store: Store) {
        let team = chain(&store, 2, &[]).await;
        for sequence in [1, 2, 4] {
            let hash = digest(7);
            let error = refused(&store, async |tx| tx.audit_insert(&entry(team, sequence, "x", &hash)).await).await;
            let expected = matches!(error, StoreError::Changed | StoreError::Exists | StoreError::Database(_));
            assert!(expected, "{sequence}: {error:?}");
        }
        let wrong = AuditCheckpointRow { sequence: 2, hash: digest(7), statement: "x".to_owned(), at: now() };
        let error = refused(&store, async |tx| tx.audit_checkpoint_insert(team, &wrong).await).await;
        assert!(matches!(error, StoreError::Changed), "{error:?}");
        assert_eq!(kept(&store, team).await, [1, 2]);
    }

    async fn what_is_old_goes_only_up_to_a_checkpoint(store: Store) {
        let (team, other) = (chain(&store, 9, &[3, 6, 9]).await, chain(&store, 4, &[]).await);
        assert_eq!(store.audit_list_older(hour(1)).await.unwrap(), []);
        let mut older = store.audit_list_older(hour(2)).await.unwrap();
        older.sort();
        assert_eq!(older, [team, other].into_iter().collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>());
        for (before, limit, expected) in [(hour(3), 100, None), (hour(4), 100, Some(3)), (hour(9), 100, Some(6)), (hour(50), 4, Some(3))] {
            let found = write(&store, async |tx| tx.audit_retirable(team, before, limit).await).await;
            assert_eq!(found, expected, "{before} {limit}");
        }
        assert_eq!(write(&store, async |tx| tx.audit_retirable(other, hour(50), 100).await).await, None, "nothing of it is signed");
        assert_eq!(write(&store, async |tx| tx.audit_retire(team, 6).await).await, 6);
        assert_eq!((kept(&store, team).await, kept(&store, other).await.len()), (vec![7, 8, 9], 4));
        assert_eq!(store.audit_first_kept(team).await.unwrap(), Some(7));
        let signed = store.audit_checkpoint_range(team, 0, 100).await.unwrap();
        assert_eq!(signed.iter().map(|row| row.sequence).collect::<Vec<_>>(), [6, 9], "what stays stands on the last of what went");
        assert!(refused(&store, async |tx| tx.audit_retire(team, 8).await).await.to_string().contains("database"));
        assert_eq!(write(&store, async |tx| tx.audit_retire(team, 9).await).await, 3, "all of it may go");
    }

    async fn entries_are_found_by_who_what_and_when_in_one_team_only(store: Store) {
        let (team, other) = (chain(&store, 1, &[]).await, chain(&store, 9, &[]).await);
        let (user, key) = (UserId::new(), ApiKeyId::new().to_string());
        let kinds = [("project.update", "done", "prj_1"), ("project.create", "denied", "prj_2"), ("projector.on", "done", "prj_1")];
        write(&store, async |tx| {
            for (sequence, (action, outcome, target)) in (2..).zip(kinds) {
                let hash = digest(u8::try_from(sequence).unwrap());
                let entry = NewAuditEntry {
                    user_id: Some(user),
                    email: Some("ada@example.org"),
                    credential_id: (sequence == 3).then_some(&key),
                    action,
                    outcome,
                    target_id: Some(target),
                    target_name: Some("it's \u{1f980} %_"),
                    ..entry(team, sequence, "x", &hash)
                };
                tx.audit_insert(&entry).await?;
            }
            Ok(())
        })
        .await;
        let none = AuditFilter::default;
        for (filter, expected) in [
            (none(), vec![4, 3, 2, 1]),
            (AuditFilter { since: Some(hour(3)), ..none() }, vec![4, 3]),
            (AuditFilter { until: Some(hour(3)), ..none() }, vec![2, 1]),
            (AuditFilter { actor: Some(AuditActor::User(user)), ..none() }, vec![4, 3, 2]),
            (AuditFilter { actor: Some(AuditActor::Email("ada@example.org".to_owned())), ..none() }, vec![4, 3, 2]),
            (AuditFilter { actor: Some(AuditActor::Credential(key.clone())), ..none() }, vec![3]),
            (AuditFilter { actor: Some(AuditActor::Email("' OR 1=1 --".to_owned())), ..none() }, vec![]),
            (AuditFilter { action: Some("project.create".to_owned()), ..none() }, vec![3, 1]),
            (AuditFilter { action: Some("project".to_owned()), ..none() }, vec![3, 2, 1]),
            (AuditFilter { action: Some("project%".to_owned()), ..none() }, vec![]),
            (AuditFilter { target: Some("prj_1".to_owned()), ..none() }, vec![4, 2]),
            (AuditFilter { target: Some("it's \u{1f980} %_".to_owned()), outcome: Some("denied"), ..none() }, vec![3]),
        ] {
            let page = store.audit_list(team, &filter, None, 10).await.unwrap();
            assert_eq!(page.items.iter().map(|row| row.sequence).collect::<Vec<_>>(), expected, "{filter:?}");
        }
        let page = store.audit_list(team, &none(), Some(4), 2).await.unwrap();
        assert_eq!((page.items.len(), page.items[0].sequence, page.has_more), (2, 3, true));
        assert_eq!(store.audit_list(TeamId::new(), &none(), None, 10).await.unwrap().items, []);
        assert_eq!(kept(&store, other).await.len(), 9);
        let sequences = async |bytes| {
            let page = store.audit_page(other, 2, 8, 100, bytes).await.unwrap();
            page.iter().map(|row| row.sequence).collect::<Vec<_>>()
        };
        assert_eq!((sequences(1).await, sequences(20).await, sequences(1000).await), (vec![3], vec![3, 4], vec![3, 4, 5, 6, 7, 8]));
        let bounds = (store.audit_first_since(team, hour(2)).await.unwrap(), store.audit_last_before(team, hour(2)).await.unwrap());
        assert_eq!(bounds, (Some(2), Some(1)));
        assert_eq!(store.audit_first_since(team, hour(99)).await.unwrap(), None);
    }

    async fn a_log_is_to_be_signed_when_it_has_grown_by_enough_or_for_long_enough(store: Store) {
        let (team, _signed) = (chain(&store, 5, &[3]).await, chain(&store, 3, &[3]).await);
        let long_ago = now() - chrono::TimeDelta::hours(1);
        assert_eq!(store.audit_list_unsigned(2, long_ago).await.unwrap(), [team]);
        assert_eq!(store.audit_list_unsigned(3, long_ago).await.unwrap(), []);
        assert_eq!(store.audit_list_unsigned(3, now()).await.unwrap(), [team]);
    }
}
