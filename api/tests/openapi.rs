//! The committed OpenAPI document is what the routes say, and whole.

use std::collections::BTreeSet;

use serde_json::Value;

#[test]
fn the_committed_document_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let current = api::openapi().unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(committed == current, "openapi.json is stale: run `make schema` and commit it");
}

/// Every object of a document.
fn objects<'v>(value: &'v Value, visit: &mut dyn FnMut(&'v Value)) {
    visit(value);
    match value {
        Value::Object(members) => members.values().for_each(|member| objects(member, visit)),
        Value::Array(items) => items.iter().for_each(|item| objects(item, visit)),
        _ => {}
    }
}

#[test]
fn the_document_refers_to_nothing_that_it_does_not_hold() {
    let document: Value = serde_json::from_str(&api::openapi().unwrap()).unwrap();
    let (mut references, mut ids, mut linked) = (0, Vec::new(), Vec::new());
    objects(&document, &mut |value| {
        if let Some(reference) = value["$ref"].as_str() {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
            references += 1;
        }
        if let Some(id) = value["operationId"].as_str() {
            // An operation has answers; a link has none.
            if value["responses"].is_null() { linked.push(id) } else { ids.push(id) }
        }
    });
    let distinct: BTreeSet<_> = ids.iter().copied().collect();
    assert_eq!(distinct.len(), ids.len(), "two operations with one id: {ids:?}");
    assert!(linked.iter().all(|id| distinct.contains(id)), "a link to none of {distinct:?}: {linked:?}");
    assert!(references > 100 && linked.len() > 10, "{references} {linked:?}");
}
