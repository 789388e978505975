//! Servers written in Rust.

use toml::{Table, Value};

use super::{DetectError, Project, plan};
use crate::build::BuildPlan;

/// A package with a binary. `cargo install` puts the binary beside the project's files, wherever Cargo's own target directory is.
pub(super) fn detect(project: &Project<'_>) -> Result<Option<BuildPlan>, DetectError> {
    let Some(text) = project.tree.read("Cargo.toml") else { return Ok(None) };
    let manifest: Table = text.parse().map_err(|error: toml::de::Error| {
        DetectError::new("SOURCE_INVALID", format!("Cargo.toml cannot be read: {}", error.message()))
    })?;
    let Some(binary) = binary(&manifest) else {
        return Err(DetectError::new(
            "START_UNKNOWN",
            "there is Cargo.toml without a package, a workspace: say in mikrocloud.toml which package is built and started, for example \
             [build] command = \"cargo install --path server --root .mikrocloud\" and [container] command = \".mikrocloud/bin/server\"",
        ));
    };
    let mut words = vec!["cargo", "install", "--path", ".", "--root", ".mikrocloud", "--no-track", "--force", "--bin", &binary];
    if project.tree.exists("Cargo.lock") {
        words.push("--locked");
    }
    let start = format!(".mikrocloud/bin/{binary}");
    Ok(Some(plan::server(
        "Rust",
        format!("there is Cargo.toml with the binary `{binary}`"),
        vec![plan::step(words)],
        vec![start],
    )))
}

/// The default binary's name, else the first one's, else the package's.
fn binary(manifest: &Table) -> Option<String> {
    let package = manifest.get("package")?;
    let name = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let first = manifest.get("bin").and_then(|bins| bins.get(0)).and_then(|bin| name(bin, "name"));
    let binary = name(package, "default-run").or(first).or_else(|| name(package, "name"))?;
    // Cargo's own rule for names; nothing else may become an argument.
    binary.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_').then_some(binary).filter(|name| !name.starts_with('-'))
}
