//! Servers written in Rust.

use toml::{Table, Value};

use super::{DetectError, Project, Reading, Weight, node, plan};

/// Packages that answer requests.
const SERVERS: &[&str] = &[
    "axum",
    "actix-web",
    "rocket",
    "warp",
    "hyper",
    "tide",
    "poem",
    "salvo",
    "tonic",
    "tiny_http",
    "gotham",
    "ntex",
    "rouille",
    "loco-rs",
    "viz",
    "dropshot",
    "async-graphql",
    "leptos_axum",
    "tokio-tungstenite",
];

/// A package with a binary. `cargo install` puts the binary beside the project's files, wherever Cargo's own target directory is.
pub(super) fn detect(project: &Project<'_>) -> Result<Option<Reading>, DetectError> {
    let Some(text) = project.tree.read("Cargo.toml").filter(|_| project.may_serve()) else { return Ok(None) };
    let manifest: Table = text.parse().map_err(|error: toml::de::Error| {
        DetectError::new("SOURCE_INVALID", format!("Cargo.toml cannot be read: {}", error.message()))
    })?;
    let Some(binary) = binary(project, &manifest) else {
        let what =
            if manifest.contains_key("package") { "with a library and no binary" } else { "without a package, a workspace" };
        return Err(DetectError::new(
            "START_UNKNOWN",
            format!(
                "there is Cargo.toml {what}: say in mikrocloud.toml which package is built and started, for example [build] command = \
                 \"cargo install --path server --root .mikrocloud\" and [container] command = \".mikrocloud/bin/server\""
            ),
        ));
    };
    let mut words = vec!["cargo", "install", "--path", ".", "--root", ".mikrocloud", "--no-track", "--force"];
    if project.start.is_none() {
        words.extend(["--bin", &binary]);
    }
    if project.tree.exists("Cargo.lock") {
        words.push("--locked");
    }
    let mut steps = node::assets(project)?;
    steps.push(plan::step(words));
    let (reason, command) = match &project.start {
        Some(start) => (format!("there is Cargo.toml, and {} says how it starts", start.file), start.command.clone()),
        None => (format!("there is Cargo.toml with the binary `{binary}`"), vec![format!(".mikrocloud/bin/{binary}")]),
    };
    let answers = manifest
        .get("dependencies")
        .and_then(Value::as_table)
        .is_some_and(|listed| SERVERS.iter().any(|name| listed.contains_key(*name)));
    let weight = if answers || project.start.is_some() || project.kind.is_some() { Weight::Server } else { Weight::Script };
    let server = plan::with_path(plan::server("Rust", reason, steps, command), &[".mikrocloud/bin"]);
    Ok(Some(Reading::new(weight, server)))
}

/// The default binary's name, else the first one's, else the package's.
fn binary(project: &Project<'_>, manifest: &Table) -> Option<String> {
    let package = manifest.get("package")?;
    if !manifest.contains_key("bin") && !["src/main.rs", "src/bin"].iter().any(|path| project.tree.exists(path)) {
        return None;
    }
    let name = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let first = manifest.get("bin").and_then(|bins| bins.get(0)).and_then(|bin| name(bin, "name"));
    let binary = name(package, "default-run").or(first).or_else(|| name(package, "name"))?;
    // Cargo's own rule for names; nothing else may become an argument.
    binary.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_').then_some(binary).filter(|name| !name.starts_with('-'))
}
