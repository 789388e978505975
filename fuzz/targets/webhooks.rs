//! Webhooks: what is taken from a Git host is usable everywhere it goes, and is kept and read back the same.
#![no_main]

use domain::git_host::{GitEvent, GitHost, HostEvent, PayloadError, github, gitlab};
use domain::name::EnvironmentName;
use domain::source::Reference;
use libfuzzer_sys::fuzz_target;

const LONGEST_TEXT: usize = 200;

fn is_usable(reference: &Reference) {
    assert_eq!(reference.as_str().parse::<Reference>().as_ref(), Ok(reference));
    assert!(!reference.as_str().starts_with('-'), "git would take it for an option");
}

fn is_line(text: &str) {
    assert!(text.chars().count() <= LONGEST_TEXT && !text.chars().any(char::is_control), "{text:?}");
}

fn check(host: GitHost, event: &HostEvent) {
    let json = serde_json::to_string(event).expect("what was read can be kept");
    assert_eq!(&serde_json::from_str::<HostEvent>(&json).expect("what was kept can be read"), event, "{json}");
    match &event.what {
        GitEvent::Push(push) => {
            is_usable(&push.branch);
            is_usable(&push.commit);
            assert!(push.commit.is_commit());
            push.default_branch.iter().for_each(is_usable);
        }
        GitEvent::PullRequest(request) => {
            is_usable(&request.commit);
            assert!(request.commit.is_commit());
            [&request.title, &request.author, &request.branch].into_iter().for_each(|text| is_line(text));
            let environment = host.preview_environment(request.number);
            assert!(environment.parse::<EnvironmentName>().is_ok(), "{environment}");
        }
        GitEvent::Installation(_) | GitEvent::Ping | GitEvent::Nothing { .. } => {}
    }
}

// The host and the event's name are the first line, the body is the rest.
fuzz_target!(|data: &[u8]| {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else { return };
    let (Ok(head), body) = (std::str::from_utf8(&data[..end]), &data[end + 1..]) else { return };
    type Parse = fn(&str, &[u8]) -> Result<HostEvent, PayloadError>;
    let (host, parse, name): (_, Parse, _) = match head.split_once(' ') {
        Some(("github", name)) => (GitHost::GitHub, github::parse, name),
        Some(("gitlab", name)) => (GitHost::GitLab, gitlab::parse, name),
        _ => return,
    };
    match parse(name, body) {
        Ok(event) => check(host, &event),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
