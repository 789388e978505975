//! Traces of the machine that an artifact was built on: the runtime it needs, its version, and the processor.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use walkdir::WalkDir;

use crate::Architecture;

/// Files that are looked at for traces.
const MOST_FILES: usize = 50_000;

/// Runtime that a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// Node.js.
    Node,
    /// Python.
    Python,
    /// PHP.
    Php,
    /// Ruby.
    Ruby,
    /// Java.
    Java,
    /// A program that brings all it needs.
    Other,
}

/// Traces in an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Runtime that the command needs.
    pub runtime: Runtime,
    /// Version of it that the files fit, such as `22` of Node.js and `3.11` of Python.
    pub version: Option<String>,
    /// Processor that its programs are for; that of this machine if it has none.
    pub architecture: Architecture,
}

impl Evidence {
    /// Looks at the files of an artifact and the command that starts it. Blocks.
    pub fn find(directory: &Path, command: &[String]) -> io::Result<Self> {
        let mut found = Self { runtime: runtime_of(directory, command), version: None, architecture: here() };
        if found.runtime == Runtime::Node {
            found.version = node_version(directory);
        }
        let mut is_native = false;
        for entry in WalkDir::new(directory).follow_links(false).into_iter().take(MOST_FILES) {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy();
            if found.runtime == Runtime::Python && found.version.is_none() {
                found.version = python_version(&name);
            }
            let is_program = name.ends_with(".so") || name.ends_with(".node") || !name.contains('.') || name.contains(".so.");
            if !is_native
                && entry.file_type().is_file()
                && is_program
                && let Some(architecture) = architecture_of(entry.path())
            {
                (found.architecture, is_native) = (architecture, true);
            }
        }
        Ok(found)
    }
}

/// Processor of this machine.
fn here() -> Architecture {
    if cfg!(target_arch = "aarch64") { Architecture::Arm64 } else { Architecture::Amd64 }
}

fn runtime_of(directory: &Path, command: &[String]) -> Runtime {
    // `env NAME=value program`: what is started stands behind.
    let words = command.iter().map(String::as_str);
    let mut words = words.skip_while(|word| *word == "env" || (word.contains('=') && !word.starts_with('-')));
    let Some(program) = words.next() else { return Runtime::Other };
    if matches!(program, "sh" | "bash" | "/bin/sh" | "/bin/bash") {
        let line: Vec<String> = words.last().unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        let line: Vec<_> = line.into_iter().skip_while(|word| word == "exec").collect();
        return if line.is_empty() { Runtime::Other } else { runtime_of(directory, &line) };
    }
    if program.contains("node_modules/") {
        return Runtime::Node;
    }
    match program.rsplit('/').next().unwrap_or(program) {
        "node" | "npm" | "npx" | "yarn" | "pnpm" => Runtime::Node,
        "php" => Runtime::Php,
        "ruby" | "bundle" | "puma" | "rackup" | "rails" => Runtime::Ruby,
        "java" => Runtime::Java,
        name if name.starts_with("python") => Runtime::Python,
        "gunicorn" | "uvicorn" | "hypercorn" | "daphne" | "flask" | "streamlit" | "waitress-serve" => Runtime::Python,
        // A script says itself what runs it.
        _ => interpreter(&directory.join(program)).unwrap_or(Runtime::Other),
    }
}

/// Runtime of the first line of a script.
fn interpreter(path: &Path) -> Option<Runtime> {
    let mut start = [0; 64];
    let length = File::open(path).ok()?.read(&mut start).ok()?;
    let line = String::from_utf8_lossy(&start[..length]);
    let line = line.strip_prefix("#!")?.lines().next()?.to_owned();
    let table = [("node", Runtime::Node), ("python", Runtime::Python), ("php", Runtime::Php), ("ruby", Runtime::Ruby)];
    table.into_iter().find(|(name, _)| line.contains(name)).map(|(_, runtime)| runtime)
}

/// The major version in `.node-version`, `.nvmrc` or the lowest that `engines.node` of package.json names.
fn node_version(directory: &Path) -> Option<String> {
    let read = |name: &str| std::fs::read_to_string(directory.join(name)).ok();
    let package = || {
        let package: serde_json::Value = serde_json::from_str(&read("package.json")?).ok()?;
        package["engines"]["node"].as_str().map(str::to_owned)
    };
    let text = read(".node-version").or_else(|| read(".nvmrc")).or_else(package)?;
    let digits: String = text.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    // Images of versions that are no longer kept up have no fixes.
    digits.parse::<u32>().ok().filter(|major| *major >= 20).map(|major| major.to_string())
}

/// The version in the name of a compiled module, such as `_x.cpython-311-x86_64-linux-gnu.so`, or of `python3.11`.
fn python_version(name: &str) -> Option<String> {
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    if let Some((_, rest)) = name.split_once(".cpython-3") {
        let minor = digits(rest);
        return (!minor.is_empty()).then(|| format!("3.{minor}"));
    }
    let minor = digits(name.strip_prefix("python3.")?);
    (!minor.is_empty() && name.len() == "python3.".len() + minor.len()).then(|| format!("3.{minor}"))
}

/// Processor of a program or library, by its ELF header (System V ABI, chapter 4: `e_machine` at byte 18).
fn architecture_of(path: &Path) -> Option<Architecture> {
    let mut header = [0; 20];
    File::open(path).ok()?.read_exact(&mut header).ok()?;
    if &header[..4] != b"\x7fELF" {
        return None;
    }
    match u16::from_le_bytes([header[18], header[19]]) {
        62 => Some(Architecture::Amd64),
        183 => Some(Architecture::Arm64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(files: &[(&str, &[u8])], command: &str) -> Evidence {
        let directory = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        Evidence::find(directory.path(), &command.split(' ').map(str::to_owned).collect::<Vec<_>>()).unwrap()
    }

    fn elf(machine: u8) -> Vec<u8> {
        let mut header = vec![0; 64];
        header[..4].copy_from_slice(b"\x7fELF");
        header[18] = machine;
        header
    }

    #[test]
    fn commands_say_what_they_need() {
        let table = [
            ("node server.js", Runtime::Node),
            ("node_modules/.bin/next start", Runtime::Node),
            ("env A=b python3 app.py", Runtime::Python),
            ("sh -c exec", Runtime::Other),
            ("php -S 0.0.0.0:8080", Runtime::Php),
            ("./server", Runtime::Other),
            ("bin/start", Runtime::Python),
        ];
        for (command, runtime) in table {
            let script: &[u8] = b"#!/usr/bin/env python3\n";
            assert_eq!(find(&[("bin/start", script)], command).runtime, runtime, "{command}");
        }
    }

    #[test]
    fn files_say_which_version_and_processor() {
        let arm = elf(183);
        let files: [(&str, &[u8]); 1] = [(".mikrocloud/python/x/_y.cpython-313-aarch64-linux-gnu.so", &arm)];
        let found = find(&files, "python3 -m gunicorn");
        assert_eq!((found.version.as_deref(), found.architecture), (Some("3.13"), Architecture::Arm64));
        let found = find(&[("package.json", br#"{"engines": {"node": ">=24"}}"#)], "node x.js");
        assert_eq!(found.version.as_deref(), Some("24"));
        assert_eq!(find(&[(".nvmrc", b"v18")], "node x.js").version, None);
        assert_eq!(find(&[("server", &elf(62))], "./server").architecture, Architecture::Amd64);
    }
}
