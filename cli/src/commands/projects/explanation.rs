//! A build plan in words: what was found, why, and what would be run.

use domain::build::{BuildPlan, BuildStep};
use domain::workload::WorkloadSpec;
use serde_json::json;

use crate::arguments::Output;
use crate::client::output;

/// Prints the plan.
pub fn print(plan: &BuildPlan, output: Output) {
    if output.json {
        output::json(&json!({
            "framework": plan.framework,
            "reason": plan.reason,
            "notes": plan.notes,
            "steps": plan.steps.iter().map(|step| json!({"command": step.command, "directory": step.directory})).collect::<Vec<_>>(),
            "image": plan.image.as_ref().map(|image| &image.file),
            "output": plan.output,
            "outputIsGuess": plan.is_guess,
            "kind": plan.workload.kind(),
            "start": match &plan.workload {
                WorkloadSpec::Server(server) => json!(server.command),
                _ => json!(null),
            },
        }));
        return;
    }
    println!("{}", text(plan));
}

fn text(plan: &BuildPlan) -> String {
    let mut lines = vec![format!("Detected {}: {}", plan.framework, plan.reason)];
    lines.extend(plan.notes.iter().map(|note| format!("Note:    {note}")));
    if let Some(image) = &plan.image {
        lines.push(format!("Build:   the container engine builds {}", image.file));
    } else if plan.steps.is_empty() {
        lines.push("Build:   nothing to run".to_owned());
    }
    lines.extend(plan.steps.iter().map(|step| format!("Build:   $ {}", shown(step))));
    let place = if plan.output.is_empty() { "the whole directory".to_owned() } else { format!("{}/", plan.output) };
    lines.push(match &plan.workload {
        WorkloadSpec::Static(_) if plan.is_guess => {
            format!("Result:  a site, in {place} or where else the build leaves its pages")
        }
        WorkloadSpec::Static(_) => format!("Result:  a site, in {place}"),
        WorkloadSpec::Server(server) if server.image.is_some() => "Result:  a container of that image".to_owned(),
        WorkloadSpec::Server(server) => format!("Start:   $ {}{}", within(&server.directory), server.command.join(" ")),
        WorkloadSpec::Functions(set) => format!("Result:  {} functions", set.functions.len()),
    });
    lines.extend(
        plan.alternatives
            .iter()
            .map(|other| format!("Or:      a {}, if the build leaves {}", other.workload.kind(), other.evidence)),
    );
    lines.join("\n")
}

fn shown(step: &BuildStep) -> String {
    format!("{}{}", within(&step.directory), step.command.join(" "))
}

fn within(directory: &str) -> String {
    if directory.is_empty() { String::new() } else { format!("(in {directory}) ") }
}
