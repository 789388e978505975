//! The routes that are not GraphQL: what each asks for stands here, and a route that does not fails the test.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use reqwest::Method;
use serde_json::json;

use super::Who;
use super::world::{self, World};

/// Files in which routes are added by hand. Those of REST are in the OpenAPI document, and in a table of their own.
const SOURCES: [&str; 2] =
    [include_str!("../../../api/src/routes/mod.rs"), include_str!("../../../api/src/rest/protocol/docs_page.rs")];

/// Credential that a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    /// Anybody: it shows nothing of a team.
    Nothing,
    /// Anybody; what is shown in the body is what counts.
    Body,
    /// Anybody on this machine, which is where the test is.
    Here,
    /// Nothing by itself: the operations ask (see the other table). A credential that is none is refused.
    Operations,
    /// The cookie of a session, which nobody here has: they are sent to the page to sign in on.
    Page,
    /// The cookie of a session, which nobody here has.
    Cookie,
    /// The cookie of a session, which nobody here has: they are given nothing.
    Browser,
    /// That it is signed with a secret that only its sender has: no credential counts.
    Signature,
    /// That there is something of that name, which there is not.
    Name,
    /// The credential in the body or in the header: it is signed out.
    Itself,
}

const ROUTES: [(&str, &str, Asks); 40] = [
    ("GET", "/", Asks::Nothing),
    ("GET", "/assets/{*file}", Asks::Name),
    ("GET", "/healthz", Asks::Nothing),
    ("GET", "/readyz", Asks::Nothing),
    ("GET", "/metrics", Asks::Here),
    ("GET", "/graphql", Asks::Nothing),
    ("POST", "/graphql", Asks::Operations),
    ("GET", "/graphql/ws", Asks::Operations),
    ("GET", "/.well-known/jwks.json", Asks::Nothing),
    ("GET", "/auth/sign-in", Asks::Nothing),
    ("POST", "/auth/sign-in", Asks::Body),
    ("POST", "/auth/second-factor", Asks::Body),
    ("POST", "/auth/access", Asks::Browser),
    ("POST", "/auth/refresh", Asks::Body),
    ("POST", "/auth/link", Asks::Body),
    ("GET", "/auth/account", Asks::Page),
    ("GET", "/auth/device", Asks::Page),
    ("POST", "/auth/device", Asks::Body),
    ("POST", "/auth/device/code", Asks::Nothing),
    ("POST", "/auth/token", Asks::Body),
    ("POST", "/auth/invitation", Asks::Body),
    ("POST", "/auth/link-account", Asks::Body),
    ("GET", "/auth/providers", Asks::Nothing),
    ("GET", "/auth/providers/{name}", Asks::Name),
    ("GET", "/auth/providers/{name}/callback", Asks::Body),
    ("POST", "/auth/sign-out-everywhere", Asks::Cookie),
    ("GET", "/notifications", Asks::Page),
    ("GET", "/teams/{team}/notifications", Asks::Page),
    ("GET", "/teams/{team}/notifications/{channel}", Asks::Page),
    ("POST", "/teams/{team}/notifications/{channel}/enable", Asks::Cookie),
    ("POST", "/teams/{team}/notifications/{channel}/replay", Asks::Cookie),
    ("GET", "/teams/{team}/notifications/{channel}/{delivery}", Asks::Page),
    ("POST", "/teams/{team}/notifications/{channel}/{delivery}/replay", Asks::Cookie),
    ("POST", "/webhooks/github", Asks::Signature),
    ("POST", "/webhooks/github/{connection}", Asks::Signature),
    ("POST", "/webhooks/gitlab/{connection}", Asks::Signature),
    ("GET", "/api/v1/openapi.json", Asks::Nothing),
    ("GET", "/api/v1/docs", Asks::Nothing),
    ("GET", "/api/v1/docs/{file}", Asks::Nothing),
    // The last: nobody who has done this comes back.
    ("POST", "/auth/sign-out", Asks::Itself),
];

/// The routes that the router has, by method and path; pages of links apart, which need a token in their query.
fn in_the_router() -> BTreeSet<(String, String)> {
    let mut routes = BTreeSet::new();
    for route in SOURCES.iter().flat_map(|source| source.split(".route(\"").skip(1)) {
        let (path, handlers) = route.split_once('"').unwrap();
        let handlers = handlers.split_once("))").map_or(handlers, |(handlers, _)| handlers);
        for (method, call) in [("GET", "get("), ("POST", "post("), ("PUT", "put("), ("DELETE", "delete("), ("PATCH", "patch(")] {
            if handlers.contains(&format!(" {call}")) || handlers.contains(&format!(".{call}")) {
                routes.insert((method.to_owned(), path.to_owned()));
            }
        }
        assert!(!handlers.contains("any(") && !handlers.contains("on("), "{path}: name the methods, so that they can be listed");
    }
    for page in ["/auth/link", "/auth/invitation", "/auth/link-account"] {
        assert!(routes.remove(&("GET".to_owned(), page.to_owned())), "{page} is gone");
    }
    routes
}

/// The expected answer: a status, or any that is no refusal for lack of rights.
#[expect(clippy::match_same_arms, reason = "a line for each case, so that the rule reads as a table")]
fn expected(who: Who, asks: Asks) -> Option<u16> {
    match (asks, who) {
        (Asks::Nothing | Asks::Here, _) => Some(200),
        // Nothing valid is in the body, whoever sends it.
        (Asks::Body, _) => Some(422),
        (Asks::Page, _) => Some(303),
        (Asks::Browser, _) => Some(204),
        (Asks::Name, _) => Some(404),
        (Asks::Cookie | Asks::Signature, _) => Some(401),
        (Asks::Itself, Who::Nobody) => Some(422),
        (Asks::Itself, Who::Invented | Who::Expired) => Some(401),
        (Asks::Itself, _) => Some(204),
        (Asks::Operations, Who::Invented | Who::Expired) => Some(401),
        (Asks::Operations, _) => None,
    }
}

/// The files in a directory and in those below it.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// A route of REST that is added by hand is in neither table.
#[test]
fn rest_adds_no_route_behind_the_document() {
    let files = sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../api/src/rest")));
    assert!(files.len() > 20, "{files:?}");
    for file in files.iter().filter(|file| !file.ends_with("docs_page.rs")) {
        let source = std::fs::read_to_string(file).unwrap();
        let source = source.split("#[cfg(test)]").next().unwrap();
        for way in [".route(", ".nest(", ".route_service(", ".fallback"] {
            assert!(!source.contains(way), "{}: add routes with `routes!`, not with `{way}`", file.display());
        }
    }
}

#[tokio::test]
async fn no_route_lets_in_whom_it_must_not() {
    let house = world::house().await;
    let known: BTreeSet<_> = ROUTES.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(in_the_router(), known, "classify each route in tests/e2e/authorisation/routes.rs: what it asks for");
    let world = World::new(&house).await;
    let everybody = [
        Who::Nobody,
        Who::Invented,
        Who::Expired,
        Who::Stranger,
        Who::Viewer,
        Who::KeyWithoutScope,
        Who::Elsewhere,
        Who::Sibling,
        Who::Owner,
    ];
    let mut requests = 0;
    for (method, path, asks) in ROUTES {
        // Over a WebSocket the credential comes in a message: the other table tries that.
        for who in everybody.into_iter().filter(|_| path != "/graphql/ws") {
            let mut request = house
                .http
                .request(Method::from_bytes(method.as_bytes()).unwrap(), house.url(&path.replace("{file}", "start.js")));
            if let Some(token) = world.token(who, Some(domain::access::Permission::DeploymentWrite)) {
                request = request.bearer_auth(token);
            }
            if method == "POST" {
                request = request.json(&json!({}));
            }
            let status = request.send().await.unwrap().status().as_u16();
            requests += 1;
            match expected(who, asks) {
                Some(expected) => assert_eq!(status, expected, "{method} {path} by {who:?}"),
                None => assert!(status != 401 && status != 403 && status < 500, "{method} {path} by {who:?}: {status}"),
            }
        }
    }
    println!("{} routes x {} cases: {requests} requests", ROUTES.len() - 1, everybody.len());
}
