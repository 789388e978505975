//! Projects that tests write themselves.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::harness::House;

/// A repository that tests commit to, beside a bare one that MikroCloud fetches from.
pub struct Repository {
    work: PathBuf,
    bare: PathBuf,
}

impl House {
    /// Writes a project directory with these files.
    pub fn project(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let directory = self.scratch(name);
        write(&directory, files);
        directory
    }

    /// A site of one page.
    pub fn site(&self, name: &str, text: &str) -> PathBuf {
        self.project(name, &[("index.html", text)])
    }

    /// A server of Node that runs this code.
    pub fn node(&self, name: &str, code: &str) -> PathBuf {
        self.project(name, &[("package.json", r#"{"scripts": {"start": "node server.js"}}"#), ("server.js", code)])
    }

    /// A project whose build runs this program of Node and whose result is `out/`.
    pub fn build(&self, name: &str, code: &str) -> PathBuf {
        let manifest = "[project]\nkind = \"static\"\n[build]\ncommand = \"node build.cjs\"\noutput = \"out\"\n";
        self.project(name, &[("mikrocloud.toml", manifest), ("build.cjs", code)])
    }

    /// An empty repository.
    pub fn repository(&self, name: &str) -> Repository {
        let repository = Repository { work: self.scratch(name), bare: self.scratch(&format!("{name}.git")) };
        git(&repository.bare, &["init", "--quiet", "--bare", "--initial-branch=main"]);
        git(&repository.work, &["init", "--quiet", "--initial-branch=main"]);
        let bare = repository.bare.to_str().unwrap();
        git(&repository.work, &["remote", "add", "origin", bare]);
        repository
    }
}

impl Repository {
    /// Its address.
    pub fn url(&self) -> String {
        format!("file://{}", self.bare.display())
    }

    /// Commits these files on a branch, pushes, and returns the commit.
    pub fn commit(&self, branch: &str, files: &[(&str, &str)]) -> String {
        git(&self.work, &["checkout", "--quiet", "-B", branch]);
        write(&self.work, files);
        git(&self.work, &["add", "--all"]);
        git(&self.work, &["commit", "--quiet", "--allow-empty", "--message", "a change"]);
        git(&self.work, &["push", "--quiet", "--force", "origin", branch]);
        git(&self.work, &["rev-parse", "HEAD"])
    }

    /// Keeps a commit under a name that is no branch, as hosts keep those of pull requests.
    pub fn keep(&self, commit: &str, name: &str) {
        git(&self.work, &["push", "--quiet", "--force", "origin", &format!("{commit}:{name}")]);
    }

    /// Tags the present commit and pushes the tag.
    pub fn tag(&self, name: &str) {
        git(&self.work, &["tag", "--annotate", "--message", name, name]);
        git(&self.work, &["push", "--quiet", "origin", name]);
    }
}

/// Code of a Node server that answers with an expression over `request`; it says `listening` and ends on SIGTERM.
pub fn answering(expression: &str) -> String {
    format!(
        "const server = require('node:http').createServer((request, response) => response.end(String({expression})));\n\
         server.listen(process.env.PORT, '127.0.0.1', () => console.log('listening'));\n\
         process.on('SIGTERM', () => server.close());\n"
    )
}

fn write(directory: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = directory.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

fn git(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(directory).args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Test").env(format!("GIT_{role}_EMAIL"), "test@example.org");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
