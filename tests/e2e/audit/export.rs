//! Exports, and checking them where there is no server.

use std::path::PathBuf;

use domain::artifact::Digest;
use domain::time::Timestamp;
use serde_json::{Value, json};
use store::NewAuditEntry;
use testkit::wait_until;

use crate::support::client::Ran;
use crate::support::harness::{House, PATIENCE};

/// A file that a test writes.
fn file(house: &House, name: &str) -> PathBuf {
    house.scratch("exports").join(name)
}

async fn verify(house: &House, content: &[u8], options: &[&str]) -> Ran {
    let file = file(house, "checked");
    std::fs::write(&file, content).unwrap();
    house.cli(&[&["audit", "verify", file.to_str().unwrap()], options].concat()).await
}

async fn exported(house: &House, options: &[&str]) -> String {
    let ran = house.cli(&[&["audit", "export", "-"], options].concat()).await;
    assert_eq!(ran.exit, 0, "{ran:?}");
    ran.stdout
}

#[tokio::test]
async fn one_changed_byte_of_an_export_is_named_without_a_server() {
    let mut house = House::start().await;
    for name in ["one", "two", "three"] {
        house.json(&["projects", "create", name, "--repository", "https://example.org/x.git"]).await;
    }
    let written = file(&house, "log.jsonl");
    let path = written.to_str().unwrap();
    let said = house.json(&["audit", "export", path]).await;
    assert_eq!(said["lines"], 6, "the first line, four entries - the export is the fourth - and a checkpoint: {said}");
    let key = house.json(&["audit", "keys"]).await[0]["publicKey"].as_str().unwrap().to_owned();
    house.terminate().await;
    // No server, no credential.
    std::fs::remove_dir_all(house.data().parent().unwrap().join("config")).unwrap();

    let good = house.json(&["audit", "verify", path, "--public-key", &key]).await;
    assert_eq!(
        (&good["valid"], &good["entries"], &good["publicKey"], &good["trusted"]),
        (&json!(true), &json!(4), &json!(key), &json!(true))
    );
    let ran = house.cli(&["audit", "verify", path]).await;
    assert!(ran.exit == 0 && ran.stdout.contains(&key) && ran.stdout.contains("a key of their own"), "{ran:?}");
    // The key of RFC 8032, section 7.1.
    let stranger = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let other = house.cli(&["audit", "verify", path, "--public-key", stranger]).await;
    assert!(other.exit == 1 && other.stderr.contains("none of those that you trust"), "{other:?}");

    let content = std::fs::read(&written).unwrap();
    let text = String::from_utf8(content.clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    // A byte in the name of the second project.
    let place = text.find("\"two\"").unwrap() + 1;
    let mut changed = content.clone();
    changed[place] = b'T';
    let ran = verify(&house, &changed, &["--json"]).await;
    assert_eq!((ran.exit, &ran.json()["line"], &ran.json()["entry"]), (1, &json!(3), &json!(2)), "{ran:?}");
    let ran = verify(&house, &changed, &[]).await;
    assert!(ran.exit == 1 && ran.stderr.contains("line 3: entry 2 was changed"), "{ran:?}");

    let without = [&lines[..2], &lines[3..]].concat().join("\n") + "\n";
    let ran = verify(&house, without.as_bytes(), &[]).await;
    assert!(ran.exit == 1 && ran.stderr.contains("entry 2 is missing here"), "{ran:?}");
    let mut swapped = lines.clone();
    swapped.swap(2, 3);
    let ran = verify(&house, (swapped.join("\n") + "\n").as_bytes(), &[]).await;
    assert!(ran.exit == 1 && ran.stderr.contains("swapped"), "{ran:?}");
    let cut = lines[..3].join("\n") + "\n";
    let ran = verify(&house, cut.as_bytes(), &[]).await;
    assert!(
        ran.exit == 1 && ran.stderr.contains("cut off before entry 3: its first line says that it goes to entry 4"),
        "{ran:?}"
    );
    for content in [&b""[..], b"\n", b"{}\n", b"not json", &content[..content.len() - 1], &[0xff, 0xfe]] {
        let ran = verify(&house, content, &["--json"]).await;
        assert!(ran.exit == 1 && ran.json()["valid"] == false, "{ran:?}");
    }
    assert_eq!(house.cli(&["audit", "verify", "/no/such/file", "--json"]).await.error().0, "FAILED");
}

#[tokio::test]
async fn an_export_of_a_time_begins_and_ends_with_something_signed() {
    let mut house = House::start().await;
    house.json(&["projects", "create", "before"]).await;
    // A checkpoint between.
    exported(&house, &[]).await;
    let since = domain::time::now().to_rfc3339();
    house.json(&["projects", "create", "within"]).await;
    exported(&house, &["--format", "ocsf"]).await;
    let until = domain::time::now().to_rfc3339();
    house.json(&["projects", "create", "after"]).await;

    let part = exported(&house, &["--since", &since, "--until", &until]).await;
    assert!(part.contains("within") && !part.contains("\"before\"") && !part.contains("\"name\":\"after\""), "{part}");
    assert_eq!(verify(&house, part.as_bytes(), &[]).await.exit, 0);
    let nothing = exported(&house, &["--since", "2030-01-01"]).await;
    assert_eq!(nothing.lines().count(), 1, "{nothing}");
    assert_eq!(verify(&house, nothing.as_bytes(), &[]).await.exit, 0);
    let turned = house.cli(&["audit", "export", "-", "--since", &until, "--until", &since, "--json"]).await;
    assert_eq!(turned.error().0, "OUT_OF_RANGE");
    let nowhere = house.cli(&["audit", "export", "/no/such/directory/log"]).await;
    assert!(nowhere.exit == 1 && nowhere.stderr.contains("no file can be made there"), "{nowhere:?}");

    // Restarts and changes of the data directory's process go on with the same chain and key.
    house.crash_and_restart().await;
    house.json(&["projects", "create", "later"]).await;
    let whole = exported(&house, &[]).await;
    assert_eq!(verify(&house, whole.as_bytes(), &[]).await.exit, 0);
    let earlier = file(&house, "earlier");
    std::fs::write(&earlier, &part).unwrap();
    let earlier = ["--earlier", earlier.to_str().unwrap()];
    assert_eq!(verify(&house, whole.as_bytes(), &earlier).await.exit, 0);
    std::fs::write(earlier[1], &whole).unwrap();
    let ran = verify(&house, part.as_bytes(), &earlier).await;
    assert!(ran.exit == 1 && ran.stderr.contains("shortened"), "{ran:?}");
    assert!(whole.lines().filter(|line| line.contains("\"kind\":\"checkpoint\"")).count() >= 3, "{whole}");
}

#[tokio::test]
async fn a_log_of_thousands_of_entries_is_exported_in_pages() {
    let house = House::start().await;
    house.json(&["projects", "create", "shop"]).await;
    let store = store::Store::sqlite(&house.data().join("mikrocloud.db")).await.unwrap();
    let (team, _) = house.owner().await;
    // What a busy team writes in a while, through the store.
    let mut tx = store.begin().await.unwrap();
    let head = tx.audit_head(team, None, None).await.unwrap().unwrap();
    let (mut sequence, mut before) = (head.last_sequence, head.last_hash);
    let mut entry = old_entry(team);
    for _ in 0..3000 {
        sequence += 1;
        entry.sequence = sequence;
        let text = audit::canonical(&entry).unwrap();
        let hash = audit::link(&before, &text);
        tx.audit_insert(&row(&entry, entry.at, &text, &hash)).await.unwrap();
        before = hash;
    }
    tx.commit().await.unwrap();
    store.close().await;
    let whole = exported(&house, &[]).await;
    let ran = verify(&house, whole.as_bytes(), &["--json"]).await;
    assert_eq!((ran.exit, ran.json()["entries"].as_i64()), (0, Some(sequence + 1)), "{ran:?}");
}

#[tokio::test]
async fn events_of_ocsf_have_what_their_class_requires() {
    let house = House::start().await;
    house.json(&["projects", "create", "shop"]).await;
    let viewer = house.colleague("vic", "viewer").await;
    house.cli_as(&viewer.token, &["projects", "create", "mine"]).await;
    let text = exported(&house, &["--format", "ocsf"]).await;
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        events.len(),
        6,
        "two projects, one of them refused, a member who chose a password and signed in, the export: {text}"
    );
    for event in &events {
        for required in [
            "activity_id",
            "actor",
            "api",
            "category_uid",
            "class_uid",
            "metadata",
            "severity_id",
            "src_endpoint",
            "time",
            "type_uid",
        ] {
            assert!(!event[required].is_null(), "{required}: {event}");
        }
        assert_eq!((&event["metadata"]["version"], &event["class_uid"]), (&json!("1.3.0"), &json!(6003)));
        assert_eq!(event["src_endpoint"]["ip"], "127.0.0.1");
    }
    assert_eq!((&events[0]["status_id"], &events[4]["status_id"]), (&json!(1), &json!(2)), "{text}");
}

#[tokio::test]
async fn what_is_too_old_goes_and_the_rest_is_verified_from_a_checkpoint() {
    let mut house = House::start().await;
    let (team, _) = house.owner().await;
    let long_ago = domain::time::now() - chrono::TimeDelta::days(3);
    let store = store::Store::sqlite(&house.data().join("mikrocloud.db")).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.audit_chain_insert(team, &audit::genesis(team), long_ago).await.unwrap();
    let (mut before, mut entry) = (audit::genesis(team), old_entry(team));
    for sequence in 1..=3 {
        entry.sequence = sequence;
        let text = audit::canonical(&entry).unwrap();
        let hash = audit::link(&before, &text);
        tx.audit_insert(&row(&entry, long_ago, &text, &hash)).await.unwrap();
        before = hash;
    }
    tx.commit().await.unwrap();
    // Nobody signed it for longer than an hour: the sweeper does so by itself.
    wait_until(PATIENCE, "a checkpoint", async || !store.audit_checkpoint_range(team, 0, 9).await.unwrap().is_empty()).await;
    house.json(&["projects", "create", "today"]).await;
    house.terminate().await;
    house.set_env(&[("MIKROCLOUD_AUDIT_RETENTION_DAYS", "1")]);
    house.run().await;
    wait_until(PATIENCE, "the end of what is old", async || store.audit_first_kept(team).await.unwrap() == Some(4)).await;
    store.close().await;
    let gone = house.json(&["audit", "--action", "audit.expire"]).await.take();
    assert_eq!((&gone[0]["details"]["entries"], &gone[0]["actor"]["userId"]), (&json!(3), &Value::Null), "{gone}");
    let rest = exported(&house, &[]).await;
    let good = verify(&house, rest.as_bytes(), &["--json"]).await.json();
    assert_eq!((&good["valid"], &good["after"], &good["entries"]), (&json!(true), &json!(3), &json!(3)), "{good}");
    assert!(rest.contains("\"today\"") && !rest.contains("long ago"), "{rest}");
}

/// An entry of MikroCloud's own.
fn old_entry(team: domain::id::TeamId) -> audit::Entry {
    audit::Entry {
        v: audit::VERSION,
        team,
        sequence: 0,
        at: domain::time::now(),
        actor: audit::Who::default(),
        origin: audit::Whence::default(),
        action: "project.create".to_owned(),
        outcome: audit::AuditOutcome::Done,
        target: Some(audit::Subject { kind: "project".to_owned(), id: "prj_1".to_owned(), name: Some("long ago".to_owned()) }),
        before: None,
        after: None,
        details: serde_json::Map::new(),
    }
}

fn row<'e>(entry: &'e audit::Entry, at: Timestamp, text: &'e str, hash: &'e Digest) -> NewAuditEntry<'e> {
    NewAuditEntry {
        team_id: entry.team,
        sequence: entry.sequence,
        at,
        user_id: None,
        email: None,
        credential_id: None,
        action: &entry.action,
        outcome: "done",
        target_id: entry.target.as_ref().map(|target| target.id.as_str()),
        target_name: None,
        entry: text,
        hash,
    }
}

#[tokio::test]
async fn the_log_comes_back_from_a_backup_with_its_chain() {
    let mut house = House::start().await;
    house.json(&["projects", "create", "shop"]).await;
    exported(&house, &[]).await;
    let backup = file(&house, "backup");
    let (path, data) = (backup.to_str().unwrap(), house.data());
    house.json(&["backup", path, "--data", data.to_str().unwrap()]).await;
    let fresh = house.scratch("restored");
    let key = data.join("master.key");
    let options = ["restore", path, "--data", fresh.to_str().unwrap(), "--master-key-file", key.to_str().unwrap()];
    let restored = house.json(&options).await;
    assert_eq!(restored["tables"]["audit_entries"], 2, "{restored}");
    let store = store::Store::sqlite(&fresh.join("mikrocloud.db")).await.unwrap();
    let (team, _) = house.owner().await;
    assert_eq!(store.audit_checkpoint_range(team, 0, 9).await.unwrap().len(), 1);
    let mut tx = store.begin().await.unwrap();
    assert!(tx.audit_retire(team, 1).await.is_err(), "and the database keeps it as before");
    drop(tx);
    house.terminate().await;
}
