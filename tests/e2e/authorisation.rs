//! Every operation of the API, tried by everybody who must not do it: what is expected stands in one table, and an operation that is not
//! in it fails the test.

mod operations;
mod rest;
mod routes;
pub mod world;

use std::collections::BTreeSet;

use domain::access::{Permission, Role};
use serde_json::{Value, json};

use crate::support::harness::House;
use operations::{OPERATIONS, On, Operation};
use world::World;

/// End of an operation for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    /// No valid credential.
    Unauthenticated,
    /// The credential does not allow it.
    Forbidden,
    /// There is no such thing, or nothing of it is told.
    NotFound,
    /// It was taken: done, or refused for a reason that has nothing to do with rights.
    Taken,
}

/// Somebody who tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Nobody,
    Invented,
    Expired,
    /// The owner of another team, with the ids of this one.
    Stranger,
    Viewer,
    /// The owner's key without the one scope that it takes.
    KeyWithoutScope,
    /// A member that is admin of another project and nothing else.
    Elsewhere,
    /// A member that is developer of another environment of the same project and nothing else.
    Sibling,
    Owner,
}

const REFUSED: [Who; 8] =
    [Who::Nobody, Who::Invented, Who::Expired, Who::Stranger, Who::Viewer, Who::KeyWithoutScope, Who::Elsewhere, Who::Sibling];

/// The expected outcome: the one rule for all operations.
#[expect(clippy::match_same_arms, reason = "a line for each case, so that the rule reads as a table")]
fn expected(who: Who, permission: Option<Permission>, on: On) -> Outcome {
    use Outcome::{Forbidden, NotFound, Taken, Unauthenticated};
    let has = |role: Role| permission.is_some_and(|permission| role.permissions().contains(permission));
    match (who, on) {
        (Who::Nobody | Who::Invented | Who::Expired, _) => Unauthenticated,
        // They show keys.
        (Who::Owner | Who::Stranger | Who::KeyWithoutScope, On::Account) => Forbidden,
        (Who::Viewer | Who::Elsewhere | Who::Sibling, On::Account) => Taken,
        (Who::Owner, _) | (_, On::Oneself) => Taken,
        (Who::KeyWithoutScope, _) => Forbidden,
        (Who::Viewer, on) if on != On::Installation && has(Role::Viewer) => Taken,
        (Who::Viewer, _) => Forbidden,
        // Something of the team's own is asked for: a stranger is told about the stranger's team.
        (Who::Stranger, On::Team) | (Who::Stranger | Who::Elsewhere | Who::Sibling, On::Visible) => Taken,
        // To be refused what one may do nowhere tells nothing.
        (Who::Sibling, On::Part) if !has(Role::Developer) => Forbidden,
        (Who::Stranger, On::TeamItem | On::Part) | (Who::Elsewhere | Who::Sibling, On::Part) => NotFound,
        (Who::Stranger, On::Installation) => Forbidden,
        (Who::Elsewhere | Who::Sibling, On::Team | On::TeamItem | On::Installation) => Forbidden,
    }
}

/// Outcome of an answer of GraphQL.
fn outcome(answer: &Value, on: On) -> Outcome {
    let code = &answer["errors"][0]["extensions"]["code"];
    if let Some(code) = code.as_str() {
        return match code {
            "UNAUTHENTICATED" => Outcome::Unauthenticated,
            "FORBIDDEN" => Outcome::Forbidden,
            "NOT_FOUND" => Outcome::NotFound,
            _ => panic!("an unexpected error: {answer}"),
        };
    }
    assert!(answer["errors"].is_null(), "{answer}");
    let data = answer["data"].as_object().and_then(|data| data.values().next()).unwrap_or(&Value::Null);
    if !matches!(on, On::TeamItem | On::Part) {
        return Outcome::Taken;
    }
    let missing = data.is_null() || data.as_array().is_some_and(Vec::is_empty) || data["userErrors"][0]["code"] == "NOT_FOUND";
    if missing { Outcome::NotFound } else { Outcome::Taken }
}

async fn attempt(house: &House, world: &World, who: Who, operation: &Operation) -> Value {
    let token = world.token(who, operation.permission);
    let document = world.filled(operation.document);
    if operation.name.starts_with("subscription.") {
        return world::first_message(house, token.as_deref(), &document).await;
    }
    let mut request = house.http.post(house.url("/graphql")).json(&json!({"query": document}));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    request.send().await.unwrap().json().await.unwrap()
}

/// The operations that the schema has, as it says itself.
async fn in_the_schema(house: &House) -> BTreeSet<String> {
    let query =
        "{ __schema { queryType { fields { name } } mutationType { fields { name } } subscriptionType { fields { name } } } }";
    let schema = house.graphql(query, json!({})).await["__schema"].take();
    let kinds = [("query", "queryType"), ("mutation", "mutationType"), ("subscription", "subscriptionType")];
    let fields = |(kind, key): (&str, &str)| {
        let fields = schema[key]["fields"].as_array().unwrap().clone();
        fields.into_iter().map(move |field| format!("{kind}.{}", field["name"].as_str().unwrap())).collect::<Vec<_>>()
    };
    kinds.into_iter().flat_map(fields).collect()
}

/// Each mutation that the viewer was refused is in the audit log under a name of its own.
async fn check_refusals(house: &House) {
    let query = "{ auditLog(filter: {actor: \"viewer@example.org\", outcome: DENIED}, first: 100) { nodes { action } } }";
    let denied = house.graphql(query, json!({})).await["auditLog"]["nodes"].take();
    let actions: BTreeSet<_> = denied.as_array().unwrap().iter().map(|entry| entry["action"].to_string()).collect();
    let by_permission = OPERATIONS.iter().filter(|operation| operation.permission.is_some());
    let mutations = by_permission.filter_map(|operation| operation.name.strip_prefix("mutation."));
    let mutations: BTreeSet<_> = mutations.filter_map(|name| name.split('/').next()).collect();
    assert_eq!(actions.len(), mutations.len(), "{actions:?} for {mutations:?}");
}

#[tokio::test]
async fn nobody_does_what_they_must_not() {
    let house = world::house().await;
    let known: BTreeSet<String> = OPERATIONS.iter().map(|operation| operation.name.to_owned()).collect();
    let there = in_the_schema(&house).await;
    let unclassified: Vec<_> = there.difference(&known).collect();
    assert!(
        unclassified.is_empty(),
        "{unclassified:?}: classify these in tests/e2e/authorisation/operations.rs: which permission each takes, and on what"
    );
    // Besides what stands at the top, the table has fields within nodes that take a permission of their own.
    let gone: Vec<_> = known.difference(&there).filter(|name| !name.contains('/')).collect();
    assert!(gone.is_empty(), "{gone:?} are in the table and not in the schema");

    let world = World::new(&house).await;
    let (mut wrong, mut requests) = (Vec::new(), 0);
    for operation in &OPERATIONS {
        for who in REFUSED {
            let answer = attempt(&house, &world, who, operation).await;
            requests += 1;
            let (found, expected) = (outcome(&answer, operation.on), expected(who, operation.permission, operation.on));
            if found != expected {
                wrong.push(format!("{} by {who:?}: {found:?}, not {expected:?}: {answer}", operation.name));
            }
            // A viewer may look; nobody else here hears anything of what the team has.
            if who != Who::Viewer && world.tells(&answer) {
                wrong.push(format!("{} told {who:?}: {answer}", operation.name));
            }
        }
    }
    check_refusals(&house).await;
    // The owner last: what is deleted then is missed by nobody.
    for operation in &OPERATIONS {
        let answer = attempt(&house, &world, Who::Owner, operation).await;
        requests += 1;
        if outcome(&answer, operation.on) != expected(Who::Owner, operation.permission, operation.on) {
            wrong.push(format!("{} by the owner: {answer}", operation.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {requests}:\n{}", wrong.len(), wrong.join("\n"));
    println!("{} operations x {} cases: {requests} requests", OPERATIONS.len(), REFUSED.len() + 1);
}
