//! Start commands of images, rewritten for a process of this machine.

use std::path::Path;

/// Directory of the application in images that MikroCloud assembles.
const ROOT: &str = "/app";

/// Start command of an image, rewritten for a process of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LocalCommand {
    pub command: Vec<String>,
    /// Working directory within the application.
    pub directory: String,
    /// Directories within the application whose programs come before the machine's.
    pub path: Vec<String>,
    pub env: Vec<(String, String)>,
}

/// Rewrites a command: the port becomes `$PORT`, files of `/app` are named from the working directory, and programs of the base image
/// are those of this machine. `PORT` and `HOST` are left out: the edge sets them.
pub(super) fn localize(command: &[String], directory: &str, env: &[(String, String)], port: u16) -> LocalCommand {
    let within = directory.strip_prefix(ROOT).unwrap_or_default().trim_matches('/').to_owned();
    let up = "../".repeat(within.split('/').filter(|part| !part.is_empty()).count());
    let mut rewritten: Vec<String> = command.iter().map(|part| with_port(&local_path(part, &up), port)).collect();
    if let Some(program) = rewritten.first_mut() {
        *program = local_program(program);
    }
    let mut local = LocalCommand { command: rewritten, directory: within, path: Vec::new(), env: Vec::new() };
    for (name, value) in env {
        match name.as_str() {
            "PORT" | "HOST" => {}
            "PATH" => local.path = value.split(':').filter_map(|entry| entry.strip_prefix("/app/")).map(str::to_owned).collect(),
            _ => {
                let value = value.split(':').map(|part| local_path(part, &up)).collect::<Vec<_>>().join(":");
                local.env.push((name.clone(), value));
            }
        }
    }
    local
}

fn local_path(part: &str, up: &str) -> String {
    match part.strip_prefix("/app/") {
        Some(rest) => format!("./{up}{rest}"),
        None if part == ROOT => format!("./{up}"),
        None => part.to_owned(),
    }
}

/// The program of this machine: one of the base image is looked for by its name.
fn local_program(program: &str) -> String {
    let path = Path::new(program);
    let is_absent = path.is_absolute() && !path.exists();
    let name = path.file_name().and_then(|name| name.to_str()).filter(|_| is_absent);
    name.unwrap_or(program).to_owned()
}

/// Replaces the port where it stands as a number of its own.
fn with_port(text: &str, port: u16) -> String {
    let number = port.to_string();
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(&number) {
        let (before, after) = (&rest[..at], &rest[at + number.len()..]);
        let is_number = !before.ends_with(|letter: char| letter.is_ascii_alphanumeric())
            && !after.starts_with(|letter: char| letter.is_ascii_alphanumeric());
        result.push_str(before);
        result.push_str(if is_number { "$PORT" } else { &number });
        rest = after;
    }
    result + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(parts: &[&str]) -> Vec<String> {
        parts.iter().map(|part| (*part).to_owned()).collect()
    }

    #[test]
    fn a_command_of_an_image_runs_on_this_machine() {
        let env = [("PATH", "/app/.venv/bin:/usr/bin"), ("PORT", "8080"), ("HOST", "0.0.0.0"), ("PYTHONPATH", "/app/lib:/app")];
        let env: Vec<_> = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let command = texts(&["/usr/no/such/node", "/app/server.js", "--port=8080", "0.0.0.0:8080", "18080", "x8080"]);
        let local = localize(&command, "/app/web", &env, 8080);
        assert_eq!(local.command, ["node", "./../server.js", "--port=$PORT", "0.0.0.0:$PORT", "18080", "x8080"]);
        assert_eq!(local.directory, "web");
        assert_eq!(local.path, [".venv/bin"]);
        assert_eq!(local.env, [("PYTHONPATH".to_owned(), "./../lib:./../".to_owned())]);
    }
}
