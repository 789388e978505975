//! Cursors: any text is answered with a page or a reason, and the address of the next page has each parameter once.
#![no_main]

use std::cell::OnceCell;

use async_graphql::Variables;
use fuzz::Installation;
use http::Uri;
use libfuzzer_sys::fuzz_target;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use url::form_urlencoded;

const PAGES: &str = "query($id: String, $text: ID) {
    projects(first: 1, after: $id) { nodes { deployments(first: 1, after: $id) { nodes { id } } } pageInfo { endCursor } }
    jobs(first: 1, after: $id) { nodes { id } }
    auditLog(first: 1, after: $text) { nodes { sequence } } }";

/// A cursor as the API makes them.
const CURSOR: &str = "prj_0192f0c4a5b67c8d9e0f112233445566";

thread_local! { static STARTED: OnceCell<(Runtime, Installation)> = const { OnceCell::new() }; }

fn start() -> (Runtime, Installation) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let installation = runtime.block_on(Installation::start());
    let known = json!({"id": null, "text": null});
    let answer = runtime.block_on(installation.ask(PAGES, Variables::from_json(known), true));
    assert!(answer.errors.is_empty(), "{:?}", answer.errors);
    (runtime, installation)
}

fn pairs(query: Option<&str>) -> Vec<(String, String)> {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect()
}

fn next_page(query: &str) {
    let Ok(uri) = format!("/api/v1/projects?{query}").parse::<Uri>() else { return };
    let next: Uri = api::fuzzing::next_page(&uri, CURSOR).parse().expect("the next page has an address");
    assert_eq!(next.path(), uri.path());
    let kept: Vec<_> = pairs(uri.query()).into_iter().filter(|(name, _)| name != "after").collect();
    let (after, others): (Vec<_>, Vec<_>) = pairs(next.query()).into_iter().partition(|(name, _)| name == "after");
    assert_eq!((after, others), (vec![("after".to_owned(), CURSOR.to_owned())], kept), "{next}");
}

fuzz_target!(|text: &str| {
    next_page(text);
    STARTED.with(|started| {
        let (runtime, installation) = started.get_or_init(start);
        let variables = Variables::from_json(json!({"id": text, "text": text}));
        let answer = runtime.block_on(installation.ask(PAGES, variables, true));
        for error in answer.errors {
            let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code")).cloned();
            assert_eq!(code, Some("BAD_INPUT".into()), "{}", error.message);
        }
    });
});
