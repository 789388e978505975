use domain::id::{TeamId, UserId};
use proptest::prelude::*;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::*;

fn signer(seed: u8) -> Signer {
    Signer::new(&Zeroizing::new([seed; 32]))
}

fn entry(team: TeamId, sequence: i64) -> Entry {
    Entry {
        v: VERSION,
        team,
        sequence,
        at: "2026-11-25T10:00:00.000001Z".parse().unwrap(),
        actor: Who { user: Some(UserId::new()), email: Some("ada@example.org".to_owned()), ..Who::default() },
        origin: Whence { address: Some("203.0.113.7".to_owned()), request: Some("r-1".to_owned()), agent: None },
        action: Action::ProjectUpdate.name().to_owned(),
        outcome: AuditOutcome::Done,
        target: Some(Subject {
            kind: "project".to_owned(),
            id: format!("prj_{sequence}"),
            name: Some("sh\u{f6}p \u{1f980}".to_owned()),
        }),
        before: Some(json!({"reference": null})),
        after: Some(json!({"reference": "main\n\"x\""})),
        details: serde_json::Map::new(),
    }
}

/// An export of a log with so many entries, and a checkpoint after every third.
fn export(count: i64) -> Vec<String> {
    let team = TeamId::new();
    let at = "2026-11-25T11:00:00Z".parse().unwrap();
    let from = Tip { sequence: 0, hash: genesis(team) };
    let (mut tip, mut lines) = (from.clone(), Vec::new());
    for sequence in 1..=count {
        let canonical = canonical(&entry(team, sequence)).unwrap();
        tip = Tip { sequence, hash: link(&tip.hash, &canonical) };
        lines.push(EntryLine { canonical: &canonical, hash: &tip.hash }.text());
        if sequence % 3 == 0 {
            let checkpoint = Checkpoint { v: VERSION, team, tip: tip.clone(), at };
            lines.push(signer(1).sign(checkpoint).unwrap().text().unwrap());
        }
    }
    let head = ExportHead { v: VERSION, team, from, to: tip, at };
    lines.insert(0, signer(1).sign(head).unwrap().text().unwrap());
    lines
}

fn verified(lines: &[impl AsRef<[u8]>]) -> Result<Report, Broken> {
    verified_by(lines, Vec::new())
}

fn verified_by(lines: &[impl AsRef<[u8]>], trusted: Vec<PublicKey>) -> Result<Report, Broken> {
    let mut verifier = Verifier::new(trusted);
    for line in lines {
        verifier.line(line.as_ref())?;
    }
    verifier.end(true)
}

fn broken(lines: &[impl AsRef<[u8]>]) -> (u64, Option<i64>, String) {
    let Broken { line, sequence, problem } = verified(lines).unwrap_err();
    (line, sequence, problem)
}

#[test]
fn an_export_as_it_was_made_is_good() {
    let report = verified(&export(7)).unwrap();
    assert_eq!((report.from, report.to.sequence, report.entries, report.checkpoints), (0, 7, 7, 2));
    let empty = verified(&export(0)).unwrap();
    assert_eq!((empty.entries, empty.to.sequence), (0, 0));
}

#[test]
fn one_changed_byte_anywhere_is_found_and_named() {
    let lines = export(4);
    // The entry that each line holds: the first line none, the checkpoint stands after entry 3.
    let holds = [None, Some(1), Some(2), Some(3), Some(3), Some(4)];
    let mut verifier = Verifier::default();
    for (number, line) in lines.iter().enumerate() {
        for place in 0..line.len() {
            // Another letter, the same letter in the other case, and no text at all.
            let mut changed = line.clone().into_bytes();
            changed[place] ^= if place % 7 == 0 { 0x80 } else { 1 << (5 * (place % 2)) };
            let mut verifier = verifier.clone();
            let found = verifier.line(&changed).expect_err("it is not as it was");
            assert_eq!(found.line, number as u64 + 1, "byte {place}: {found}");
            // A number that was changed looks like another entry: both are named then.
            let named = found.sequence == holds[number]
                || holds[number].is_some_and(|entry| found.problem.contains(&format!("entry {entry}")));
            assert!(named || found.problem.contains("entry 4"), "byte {place}: {found}");
        }
        verifier.line(line.as_bytes()).unwrap();
    }
}

#[test]
fn what_is_taken_out_swapped_or_repeated_is_named() {
    let lines = export(5);
    let without: Vec<_> = lines.iter().enumerate().filter(|(number, _)| *number != 2).map(|(_, line)| line).collect();
    let found = broken(&without);
    assert_eq!((found.0, found.1), (3, Some(2)), "{found:?}");
    assert!(found.2.contains("entry 2 is missing here"), "{found:?}");

    let mut swapped = lines.clone();
    swapped.swap(1, 2);
    assert_eq!(broken(&swapped).1, Some(1));

    let mut repeated = lines.clone();
    repeated.insert(2, lines[1].clone());
    let found = broken(&repeated);
    assert_eq!((found.0, found.1), (3, Some(1)), "{found:?}");
    assert!(found.2.contains("repeated"), "{found:?}");
}

#[test]
fn wherever_an_export_is_cut_off_it_is_noticed() {
    let lines = export(7);
    for length in 0..lines.len() {
        let found = broken(&lines[..length]);
        assert!(found.2.contains("cut off") || (length == 0 && found.2.contains("empty")), "{length}: {found:?}");
    }
    let mut verifier = Verifier::default();
    for line in &lines {
        verifier.line(line.as_bytes()).unwrap();
    }
    assert!(verifier.end(false).unwrap_err().problem.contains("no end"));
}

#[test]
fn a_chain_that_is_hashed_anew_does_not_fit_what_was_signed() {
    let lines = export(5);
    let head: Value = serde_json::from_str(&lines[0]).unwrap();
    let team: TeamId = head["team"].as_str().unwrap().parse().unwrap();
    let mut tip = genesis(team);
    let forged: Vec<String> = lines
        .iter()
        .map(|line| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            if line["kind"] != "entry" {
                return canonical(&line).unwrap();
            }
            if line["entry"]["sequence"] == 2 {
                line["entry"]["actor"]["email"] = json!("eve@example.org");
            }
            let canonical = canonical(&line["entry"]).unwrap();
            tip = link(&tip, &canonical);
            EntryLine { canonical: &canonical, hash: &tip }.text()
        })
        .collect();
    let found = broken(&forged);
    assert_eq!((found.0, found.1), (5, Some(1)), "{found:?}");
    assert!(found.2.contains("entries 1 to 3 was changed"), "{found:?}");
    let without_checkpoint: Vec<_> = forged.iter().filter(|line| !line.contains("\"checkpoint\"")).collect();
    assert!(broken(&without_checkpoint).2.contains("the first line signed another entry 5"));
}

#[test]
fn only_the_keys_that_one_trusts_are_taken() {
    let lines = export(3);
    assert!(verified_by(&lines, vec![signer(1).public_key()]).is_ok());
    let found = verified_by(&lines, vec![signer(2).public_key()]).unwrap_err();
    assert!(found.problem.contains(&signer(1).public_key().to_string()), "{found}");
}

#[test]
fn checkpoints_of_an_earlier_key_are_checked_and_named() {
    let mut lines = export(4);
    let mut head: Value = serde_json::from_str(&lines[0]).unwrap();
    let said: ExportHead = serde_json::from_value(head.take()).unwrap();
    lines[0] = signer(2).sign(said).unwrap().text().unwrap();
    let report = verified_by(&lines, vec![signer(2).public_key()]).unwrap();
    assert_eq!((report.key, report.earlier_keys), (signer(2).public_key(), vec![signer(1).public_key()]));
}

#[test]
fn a_log_that_was_written_anew_does_not_go_on_from_an_earlier_export() {
    let at = "2026-11-25T11:00:00Z".parse().unwrap();
    let team = TeamId::new();
    // Two logs that are good in themselves and differ from entry 4 on, as whoever has the key could write them.
    let logs = ["ada", "eve"].map(|name| {
        let mut tips = vec![Tip { sequence: 0, hash: genesis(team) }];
        let lines = (1..=6).map(|sequence| {
            let name = if sequence < 4 { "ada" } else { name };
            let actor = Who { name: Some(name.to_owned()), ..Who::default() };
            let text = canonical(&Entry { actor, ..entry(team, sequence) }).unwrap();
            let hash = link(&tips.last().unwrap().hash, &text);
            tips.push(Tip { sequence, hash: hash.clone() });
            EntryLine { canonical: &text, hash: &hash }.text()
        });
        let lines: Vec<_> = lines.collect();
        move |from: usize, to: usize| {
            let head = ExportHead { v: VERSION, team, from: tips[from].clone(), to: tips[to].clone(), at };
            let head = signer(1).sign(head).unwrap().text().unwrap();
            [&[head][..], &lines[from..to]].concat()
        }
    });
    let [ada, eve] = &logs;
    let check = |lines: &[String], earlier: &Report| {
        let mut verifier = Verifier::default().going_on_from(earlier);
        lines.iter().try_for_each(|line| verifier.line(line.as_bytes()))?;
        verifier.end(true)
    };
    let earlier = verified(&ada(0, 5)).unwrap();
    for (from, to) in [(0, 5), (0, 6), (2, 6), (5, 6)] {
        assert!(check(&ada(from, to), &earlier).is_ok(), "{from} {to}");
    }
    let found = check(&eve(0, 6), &earlier).unwrap_err();
    assert_eq!((found.line, found.sequence), (6, Some(5)), "{found}");
    assert!(check(&eve(5, 6), &earlier).unwrap_err().problem.contains("entry 5 is not as in the earlier export"));
    assert!(check(&ada(0, 4), &earlier).unwrap_err().problem.contains("the log was shortened"));
    let first = verified(&ada(0, 2)).unwrap();
    assert!(check(&ada(3, 6), &first).unwrap_err().problem.contains("begins after the earlier export ended"));
    assert!(check(&export(6), &first).unwrap_err().problem.contains("another team's"));
}

#[test]
fn an_entry_of_another_team_and_a_later_form_are_refused() {
    let (mut one, other) = (export(3), export(3));
    one[1].clone_from(&other[1]);
    assert_eq!(broken(&one).1, Some(1));
    let later = export(2)[0].replace("\"v\":1", "\"v\":2");
    assert!(broken(&[later]).2.contains("use a newer `mikrocloud`"));
}

#[test]
fn the_canonical_form_is_that_of_rfc_8785() {
    // The example of section 3.2.2 and the order of section 3.2.3.
    let document: Value = serde_json::from_str(
        r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
            "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#,
    )
    .unwrap();
    let expected =
        r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
    assert_eq!(canonical(&document).unwrap(), expected);
    let order = json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7});
    let values: String = canonical(&order).unwrap().chars().filter(char::is_ascii_digit).collect();
    // The key "1" among them.
    assert_eq!(values, "21467153");
}

#[test]
fn the_hash_of_an_entry_is_as_it_is_written_down() {
    // Computed once with another program: sha256(bytes of the hash before, canonical text).
    let before = domain::artifact::Digest::from_bytes(&[0; 32]);
    let text = canonical(&json!({"b": 1, "a": "\u{e9}"})).unwrap();
    assert_eq!(text, "{\"a\":\"\u{e9}\",\"b\":1}");
    assert_eq!(link(&before, &text).as_str(), "ef4a8908d0cc7d25484c8e75f97b1670b12a0e3e2ec5386ff05d5baa105fcbfc");
}

#[test]
fn an_event_of_ocsf_has_what_its_class_requires() {
    let team = TeamId::new();
    for (action, activity) in
        [(Action::ProjectCreate, 1), (Action::AuditExport, 2), (Action::QueueUpdate, 3), (Action::RoleDelete, 4)]
    {
        let entry = Entry { action: action.name().to_owned(), ..entry(team, 7) };
        let event = ocsf::event(&entry, &genesis(team));
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
        assert_eq!((&event["class_uid"], &event["type_uid"]), (&json!(6003), &json!(600_300 + activity)));
        assert_eq!(event["time"], json!(1_795_600_800_000_u64));
        assert!(event["metadata"]["version"] == "1.3.0" && event["metadata"]["product"]["vendor_name"].is_string());
        assert!(event["api"]["operation"] == action.name() && event["src_endpoint"]["ip"] == "203.0.113.7");
        assert!(event["actor"]["user"]["uid"].is_string() && event["status_id"] == 1);
    }
    let system = Entry { actor: Who::default(), origin: Whence::default(), outcome: AuditOutcome::Denied, ..entry(team, 8) };
    let event = ocsf::event(&Entry { action: "to.come".to_owned(), ..system }, &genesis(team));
    assert_eq!((&event["activity_id"], &event["status_id"]), (&json!(99), &json!(2)));
    assert!(event["actor"]["app_name"].is_string() && event["src_endpoint"]["name"].is_string(), "{event}");
}

#[test]
fn names_of_actions_are_their_own_and_lead_back() {
    let names: std::collections::BTreeSet<_> = Action::ALL.iter().map(|action| action.name()).collect();
    assert_eq!(names.len(), Action::ALL.len());
    assert!(Action::ALL.iter().all(|action| Action::from_name(action.name()) == Some(*action)));
}

proptest! {
    #[test]
    fn no_line_makes_the_verifier_panic(lines in proptest::collection::vec(any::<Vec<u8>>(), 0..4), after in 0_usize..4) {
        let mut all: Vec<Vec<u8>> = export(3).into_iter().take(after).map(String::into_bytes).collect();
        all.extend(lines);
        let _ = verified(&all);
    }

    #[test]
    fn any_text_survives_an_export(name in ".{0,40}", value in any::<f64>()) {
        let team = TeamId::new();
        let mut entry = entry(team, 1);
        entry.after = Some(json!({ name.clone(): name, "number": value }));
        let text = canonical(&entry).unwrap();
        let read: Entry = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(canonical(&read).unwrap(), text);
    }
}
