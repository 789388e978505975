//! Invariants of all deployments of a project, whatever happened to the processes.

use std::collections::BTreeSet;

use serde_json::Value;

/// Each ended for a reason, in steps that lead to one another; numbers have no gap.
pub fn check_deployments(all: &[Value]) {
    let mut project_numbers = BTreeSet::new();
    let mut count = 0;
    for deployment in all {
        let events = deployment["events"].as_array().unwrap();
        for (index, event) in (1_i64..).zip(events) {
            assert_eq!(event["number"], index, "{deployment}");
            project_numbers.insert(event["projectNumber"].as_i64().unwrap());
            count += 1;
        }
        assert_eq!(events.last().unwrap()["status"], deployment["status"], "{deployment}");
        let lives = events.iter().filter(|event| event["status"] == "LIVE").count();
        let status = deployment["status"].as_str().unwrap();
        assert_eq!(lives, usize::from(matches!(status, "LIVE" | "SUPERSEDED")), "{deployment}");
        let has_reason = deployment["failure"]["message"].as_str().is_some_and(|message| !message.is_empty());
        assert_eq!(has_reason, matches!(status, "FAILED" | "CANCELLED"), "{deployment}");
    }
    assert_eq!(project_numbers, (1..=count).collect(), "the project's numbers have no gap and no double");
}
