//! The tools that read what is in `deploy/`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Output of a tool.
pub struct Said {
    pub well: bool,
    pub out: String,
    pub err: String,
}

/// The checkout.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A file of the checkout.
pub fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Directory of the tools that check `deploy/`, as `tools/install-test-tools` made it. `None` where they are not installed, which is said.
pub fn installed() -> Option<PathBuf> {
    let tools = std::env::var_os("MIKROCLOUD_TEST_TOOLS").map(PathBuf::from);
    let tools = tools.or_else(|| Some(std::env::home_dir()?.join(".cache/mikrocloud/test-tools")));
    tools
        .map(|tools| tools.join("deploy"))
        .filter(|tools| tools.is_dir())
        .or_else(|| missing("Helm, hadolint and kubernetes-validate", "make deps-test"))
}

/// Says that a tool is missing; a failure under `CI=true`.
fn missing<T>(what: &str, remedy: &str) -> Option<T> {
    eprintln!("{what} cannot be found: a test is skipped. Remedy: {remedy}");
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{what} cannot be found");
    None
}

/// Runs a command in the checkout. `None` where its program is not installed.
pub fn run(command: &mut Command, package: &str, input: &str) -> Option<Said> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.current_dir(root()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        return missing(&name, &format!("apt-get install {package}, or make deps-test"));
    };
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // A tool that refuses its arguments does not read on, which is told by how it ends.
    let writing = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Some(Said { well: output.status.success(), out: text(output.stdout), err: text(output.stderr) })
}

/// Python with the packages that check `deploy/`.
pub fn python(tools: &Path) -> Command {
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", tools);
    command
}

/// The documents of a YAML text.
pub fn documents(tools: &Path, yaml: &str) -> Vec<Value> {
    let said = run(python(tools).arg("tests/deploy/to-json.py"), "python3", yaml).unwrap();
    assert!(said.well, "{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

/// A list of texts.
pub fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap_or_else(|| panic!("{value}")).to_owned()).collect()
}
