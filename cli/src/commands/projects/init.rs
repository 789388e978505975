//! `mikrocloud init`: a project file for a directory.

use domain::manifest::FILE_NAME;
use domain::workload::WorkloadSpec;
use serde_json::json;

use super::explanation;
use super::target::{plan_of, project_name};
use crate::arguments::InitOptions;
use crate::client::output;
use server::Failure;

/// Writes `mikrocloud.toml`, and says what would be built.
pub async fn init(options: &InitOptions) -> Result<(), Failure> {
    let path = options.path.join(FILE_NAME);
    if path.exists() {
        return Err(Failure::failed("EXISTS", format!("{} exists already: edit it, or remove it first", path.display())));
    }
    let name = project_name(options.name.as_deref(), &options.path)?;
    name.parse::<domain::name::ProjectName>().map_err(|error| Failure::failed("INVALID_NAME", error.to_string()))?;
    let (_, plan) = plan_of(&options.path, None).await?;
    let kind = match plan.workload {
        WorkloadSpec::Static(_) => "static",
        WorkloadSpec::Server(_) => "container",
        WorkloadSpec::Functions(_) => "function",
    };
    let text = format!(
        "[project]\nname = \"{name}\"\n# Detected: {} ({}).\nkind = \"{kind}\"\n",
        plan.framework,
        plan.reason.replace('\n', " ")
    );
    std::fs::write(&path, text).map_err(|error| Failure::failed("DISK", format!("{}: {error}", path.display())))?;
    if options.output.json {
        output::json(&json!({"file": path, "project": name, "kind": kind, "framework": plan.framework, "reason": plan.reason}));
    } else {
        println!("Wrote {}.", path.display());
        explanation::print(&plan, options.output);
        println!("Next: mikrocloud deploy {}", options.path.display());
    }
    Ok(())
}
