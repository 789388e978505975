use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::source::Repository;

const SHA: &str = "6113728f27ae82c7b1a177c8d03f9e96e0adf246";

fn github(event: &str, body: &Value) -> Result<HostEvent, PayloadError> {
    github::parse(event, body.to_string().as_bytes())
}

fn gitlab(event: &str, body: &Value) -> Result<HostEvent, PayloadError> {
    gitlab::parse(event, body.to_string().as_bytes())
}

fn push(reference: &str, after: &str) -> Value {
    json!({"ref": reference, "after": after,
        "repository": {"full_name": "octo/shop", "default_branch": "main", "pushed_at": 1_557_933_657}})
}

fn pull_request(action: &str, head: &Value) -> Value {
    json!({"action": action, "number": 2, "repository": {"full_name": "octo/shop", "pushed_at": "2019-05-15T15:20:33Z"},
        "pull_request": {"title": "Add\u{7} a page", "updated_at": "2019-05-15T15:20:33Z", "user": {"login": "ada"},
            "head": {"ref": "page", "sha": SHA, "repo": head}}})
}

fn merge_request(attributes: &Value) -> Value {
    let mut all = json!({"iid": 7, "title": "A page", "source_branch": "page", "source_project_id": 1, "target_project_id": 1,
        "last_commit": {"id": SHA}, "updated_at": "2026-11-24 10:00:00 UTC"});
    all.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    json!({"user": {"username": "ada"}, "project": {"path_with_namespace": "a/b/shop", "default_branch": "main"},
        "object_attributes": all})
}

fn request(event: HostEvent) -> PullRequest {
    match event.what {
        GitEvent::PullRequest(request) => request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_push_names_branch_commit_and_time() {
    let event = github("push", &push("refs/heads/feature/ünicode", SHA)).unwrap();
    let GitEvent::Push(push) = &event.what else { panic!("{event:?}") };
    assert_eq!((push.branch.as_str(), push.commit.as_str()), ("feature/ünicode", SHA));
    assert_eq!(event.at.unwrap().timestamp(), 1_557_933_657);
    assert_eq!(event.repository.unwrap().as_str(), "octo/shop");
    let hook =
        json!({"ref": "refs/heads/main", "after": SHA, "project": {"path_with_namespace": "a/b/shop", "default_branch": "main"}});
    let event = gitlab("Push Hook", &hook).unwrap();
    assert_eq!(event.repository.unwrap().parts(), ("a/b", "shop"));
    assert!(matches!(event.what, GitEvent::Push(_)));
}

#[test]
fn tags_and_deleted_branches_deploy_nothing() {
    for body in [push("refs/tags/v1", SHA), push("refs/heads/main", &"0".repeat(40))] {
        let event = github("push", &body).unwrap();
        assert!(matches!(event.what, GitEvent::Nothing { .. }), "{event:?}");
    }
}

#[test]
fn a_pull_request_is_changed_closed_or_of_no_interest() {
    let own = json!({"full_name": "Octo/Shop"});
    for (action, expected) in [
        ("opened", Some(PullRequestAction::Changed)),
        ("reopened", Some(PullRequestAction::Changed)),
        ("synchronize", Some(PullRequestAction::Changed)),
        ("closed", Some(PullRequestAction::Closed)),
        ("labeled", None),
        ("a new one", None),
    ] {
        let event = github("pull_request", &pull_request(action, &own)).unwrap();
        let found = if let GitEvent::PullRequest(request) = event.what { Some(request.action) } else { None };
        assert_eq!(found, expected, "{action}");
    }
    let found = request(github("pull_request", &pull_request("opened", &own)).unwrap());
    assert_eq!((found.number, found.title.as_str(), found.author.as_str(), found.is_fork), (2, "Add  a page", "ada", false));
}

#[test]
fn what_comes_from_elsewhere_is_a_fork() {
    for head in [json!({"full_name": "eve/shop"}), Value::Null] {
        assert!(request(github("pull_request", &pull_request("opened", &head)).unwrap()).is_fork, "{head}");
    }
    for source in [json!(2), Value::Null] {
        let body = merge_request(&json!({"action": "open", "source_project_id": source}));
        assert!(request(gitlab("Merge Request Hook", &body).unwrap()).is_fork, "{source}");
    }
}

#[test]
fn a_merge_request_changes_with_its_commits_only() {
    for (attributes, expected) in [
        (json!({"action": "open"}), Some(PullRequestAction::Changed)),
        (json!({"action": "update", "oldrev": SHA}), Some(PullRequestAction::Changed)),
        (json!({"action": "update"}), None),
        (json!({"action": "approved"}), None),
        (json!({}), None),
        (json!({"action": "merge"}), Some(PullRequestAction::Closed)),
        (json!({"action": "close", "updated_at": "2026-11-24T10:00:00Z"}), Some(PullRequestAction::Closed)),
    ] {
        let event = gitlab("Merge Request Hook", &merge_request(&attributes)).unwrap();
        assert_eq!(event.at.unwrap().to_rfc3339(), "2026-11-24T10:00:00+00:00");
        let found = if let GitEvent::PullRequest(request) = event.what { Some(request.action) } else { None };
        assert_eq!(found, expected, "{attributes}");
    }
}

#[test]
fn an_installation_comes_and_goes() {
    for (action, expected) in [
        ("created", InstallationAction::Present),
        ("unsuspend", InstallationAction::Present),
        ("suspend", InstallationAction::Suspended),
        ("deleted", InstallationAction::Deleted),
    ] {
        let body =
            json!({"action": action, "installation": {"id": 5, "account": {"login": "octo"}, "updated_at": 1_557_933_591}});
        let event = github("installation", &body).unwrap();
        let change = InstallationChange { id: 5, account: "octo".to_owned(), action: expected };
        assert_eq!((event.what, event.installation), (GitEvent::Installation(change), Some(5)));
    }
}

#[test]
fn what_cannot_be_true_is_refused_by_field() {
    let with = |pointer: &str, value: Value| {
        let mut body = pull_request("opened", &Value::Null);
        *body.pointer_mut(pointer).unwrap() = value;
        github("pull_request", &body).unwrap_err().to_string()
    };
    assert!(with("/pull_request/head/sha", json!("main")).starts_with("`commit` is not usable"));
    assert!(with("/pull_request/head/sha", json!("--upload-pack=x")).starts_with("`commit` is not usable"));
    assert!(with("/repository/full_name", json!("../../etc")).starts_with("`repository` is not usable"));
    assert!(with("/number", json!(0)).starts_with("`number` is not usable"));
    assert!(with("/number", json!("two")).starts_with("the body is no message of this kind"));
    assert!(github("push", &push("refs/heads/--x", SHA)).unwrap_err().to_string().starts_with("`ref` is not usable"));
}

#[test]
fn names_of_repositories_stay_in_their_place_of_an_address() {
    for text in ["octo/shop", "a/b/c/shop.js", "octo/.github", "a-b_c/d"] {
        assert!(text.parse::<RepositoryName>().is_ok(), "{text}");
    }
    for text in
        ["", "shop", "/shop", "octo/", "octo//shop", "../shop", "octo/..", "octo/.", "a b/c", "a/b?x", "a/b#x", "-a/b", "a/ü"]
    {
        assert!(text.parse::<RepositoryName>().is_err(), "{text}");
    }
}

#[test]
fn a_repository_is_known_by_its_address() {
    for text in [
        "https://github.com/octo/shop.git",
        "git@github.com:octo/shop",
        "ssh://git@GitHub.com:22/octo/shop.git",
        "https://github.com/octo/shop/",
    ] {
        let repository: Repository = text.parse().unwrap();
        let (host, name) = repository.at_host().unwrap();
        assert_eq!((host.as_str(), name.as_str()), ("github.com", "octo/shop"), "{text}");
    }
    assert!("/srv/git/shop.git".parse::<Repository>().unwrap().at_host().is_none());
    assert_eq!(GitHost::well_known("gitlab.com").unwrap().0, GitHost::GitLab);
    assert!(GitHost::well_known("github.com.evil.example").is_none());
}

proptest! {
    #[test]
    fn no_body_makes_reading_panic(body in proptest::collection::vec(any::<u8>(), 0..200), event in "\\PC{0,20}") {
        for event in [event.as_str(), "push", "pull_request", "installation", "Push Hook", "Merge Request Hook"] {
            let _ = github::parse(event, &body);
            let _ = gitlab::parse(event, &body);
        }
    }

    #[test]
    fn what_was_read_is_kept_as_it_is(title in "\\PC{0,300}", number in 1..i64::MAX) {
        let mut body = pull_request("opened", &Value::Null);
        body["pull_request"]["title"] = json!(title);
        body["number"] = json!(number);
        let event = github("pull_request", &body).unwrap();
        prop_assert_eq!(serde_json::from_value::<HostEvent>(serde_json::to_value(&event).unwrap()).unwrap(), event);
    }
}
