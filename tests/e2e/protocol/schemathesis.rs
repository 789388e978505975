//! The REST API does what its OpenAPI document says: schemathesis makes requests from the document, good ones and bad ones, and looks at
//! what is answered.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

use crate::support::harness::House;

/// Number of cases that each operation is tried with, beyond those that follow from the document itself.
const EXAMPLES: &str = "80";

/// Several times what it takes on two busy cores.
const PATIENCE: Duration = Duration::from_secs(280);

/// Number of answers of each kind that an operation gave.
fn answers(report: &str) -> Vec<(String, u64)> {
    let mut counts = std::collections::BTreeMap::new();
    for line in report.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let Some(recorder) = event["ScenarioFinished"]["recorder"]["interactions"].as_object() else { continue };
        for interaction in recorder.values() {
            if let Some(status) = interaction["response"]["status_code"].as_u64() {
                *counts.entry(status.to_string()).or_default() += 1;
            }
        }
    }
    counts.into_iter().collect()
}

fn configure(directory: &Path, seeds: &[(&str, &str)]) {
    let template = include_str!("schemathesis.toml").to_owned();
    let filled = seeds.iter().fold(template, |text, (name, id)| text.replace(name, id));
    std::fs::write(directory.join("schemathesis.toml"), filled).unwrap();
}

#[tokio::test]
async fn every_answer_is_one_that_the_document_tells_of() {
    let Some(packages) = testkit::test_tool("schemathesis") else { return };
    let house = House::start().await;
    let deployed =
        house.deploy(house.project("function", &[("functions/hello.js", "export default () => new Response('x')")]), &[]).await;
    let deployment = deployed["deployment"].as_str().unwrap();
    let project = house.rest_get(&format!("/deployments/{deployment}")).await["projectId"].as_str().unwrap().to_owned();
    let job = house.rest_get("/jobs?first=1").await["nodes"][0]["id"].as_str().unwrap().to_owned();
    let directory = house.scratch("schemathesis");
    configure(&directory, &[("<project>", &project), ("<deployment>", deployment), ("<job>", &job)]);
    let mut command = Command::new("python3");
    command.args([
        "-m",
        "schemathesis.cli",
        "run",
        &house.url("/api/v1/openapi.json"),
        "--seed",
        "1",
        "--max-examples",
        EXAMPLES,
    ]);
    command.args(["--no-color", "--report", "ndjson", "--report-ndjson-path", "report.ndjson"]);
    command.args(["--header", &format!("Authorization: Bearer {}", house.token())]);
    command.current_dir(&directory).env("PYTHONPATH", &packages).kill_on_drop(true).stdin(Stdio::null());
    let output = timeout(PATIENCE, command.output()).await.expect("it ends").expect("python3 is installed");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let counts = answers(&std::fs::read_to_string(directory.join("report.ndjson")).unwrap());
    println!("{counts:?}\n{}", said.lines().rev().take(12).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n"));
    let of = |class: char| counts.iter().filter(|(status, _)| status.starts_with(class)).map(|(_, count)| count).sum::<u64>();
    assert_eq!(of('5'), 0, "{counts:?}");
    // It got somewhere: what was asked for was done, too.
    assert!(of('2') > 100 && of('4') > 100, "{counts:?}");
    house.rest_get("/projects").await;
}
