//! `mikrocloud doctor`: what is wrong on this machine, and how to put it right.

use std::net::SocketAddr;
use std::path::Path;

use domain::engine::ContainerEngine;
use serde_json::json;

use crate::arguments::DoctorOptions;
use crate::client::api::Api;
use crate::client::credentials::Credentials;
use crate::client::output;
use server::Failure;
use server::{DATABASE, default_directory};

/// Disk space below which builds are refused, MiB; the doctor warns at twice that.
const DISK_FLOOR_MIB: u64 = 1024;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Fine,
    /// Something works less well.
    Note,
    /// Something does not work.
    Broken,
}

struct Finding {
    verdict: Verdict,
    about: &'static str,
    text: String,
}

impl Finding {
    fn new(verdict: Verdict, about: &'static str, text: impl Into<String>) -> Self {
        Self { verdict, about, text: text.into() }
    }
}

/// Checks everything and fails when something is broken.
pub async fn run(options: DoctorOptions) -> Result<(), Failure> {
    let directory = options.data.directory.clone().map_or_else(default_directory, Ok)?;
    let mut findings = vec![data_directory(&directory), disk(&directory), database(&directory).await];
    findings.push(server(&server_address(options.listen)).await);
    findings.push(credential().await);
    findings.extend(programs());
    findings.push(container_engine().await);
    let broken = findings.iter().filter(|finding| finding.verdict == Verdict::Broken).count();
    show(&findings, options.output.json);
    if broken > 0 {
        let mut failure = Failure::failed("BROKEN", format!("{broken} of {} checks found something broken", findings.len()));
        failure.printed = options.output.json;
        return Err(failure);
    }
    Ok(())
}

fn show(findings: &[Finding], as_json: bool) {
    let word = |verdict| match verdict {
        Verdict::Fine => "ok",
        Verdict::Note => "note",
        Verdict::Broken => "broken",
    };
    if as_json {
        let checks: Vec<_> =
            findings.iter().map(|f| json!({"check": f.about, "verdict": word(f.verdict), "message": f.text})).collect();
        output::json(&json!({"checks": checks}));
        return;
    }
    let rows = findings.iter().map(|f| vec![word(f.verdict).to_owned(), f.about.to_owned(), f.text.clone()]).collect();
    output::table(&["", "CHECK", "FOUND"], rows, "");
}

fn data_directory(directory: &Path) -> Finding {
    // The nearest ancestor that exists decides whether the directory could be made.
    let existing = directory.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    let writable = rustix::fs::access(existing, rustix::fs::Access::WRITE_OK).is_ok();
    let shown = directory.display();
    match (writable, directory.exists()) {
        (true, true) => Finding::new(Verdict::Fine, "data directory", format!("{shown}")),
        (true, false) => Finding::new(Verdict::Fine, "data directory", format!("{shown} (made at the first start)")),
        (false, _) => {
            let text = format!("{shown} cannot be written to: give this user the right, or choose another with --data DIR");
            Finding::new(Verdict::Broken, "data directory", text)
        }
    }
}

fn disk(directory: &Path) -> Finding {
    let existing = directory.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    let Ok(disk) = rustix::fs::statvfs(existing) else {
        return Finding::new(Verdict::Note, "disk", "the free space cannot be read");
    };
    let free_mib = disk.f_bavail * disk.f_frsize / (1024 * 1024);
    if free_mib < DISK_FLOOR_MIB {
        let text = format!("{free_mib} MiB free: builds need more, free some space or choose another disk with --data DIR");
        return Finding::new(Verdict::Broken, "disk", text);
    }
    Finding::new(Verdict::Fine, "disk", format!("{free_mib} MiB free"))
}

async fn database(directory: &Path) -> Finding {
    let path = directory.join(DATABASE);
    if !path.exists() {
        return Finding::new(Verdict::Fine, "database", "none yet (made at the first start)");
    }
    match server::check_database(&path).await {
        Ok(()) => Finding::new(Verdict::Fine, "database", format!("{}", path.display())),
        Err(problem) => Finding::new(Verdict::Broken, "database", problem),
    }
}

/// The address of the server that commands talk to, unless one to listen on is named.
fn server_address(listen: Option<SocketAddr>) -> String {
    let url = || std::env::var("MIKROCLOUD_URL").ok().filter(|url| !url.is_empty());
    listen.map(|listen| format!("http://{listen}")).or_else(url).unwrap_or_else(|| "http://127.0.0.1:8080".to_owned())
}

async fn server(address: &str) -> Finding {
    let address = address.trim_end_matches('/');
    let client = reqwest::Client::builder().timeout(std::time::Duration::from_secs(3)).build();
    let answer = match client {
        Ok(client) => client.get(format!("{address}/healthz")).send().await,
        Err(error) => return Finding::new(Verdict::Broken, "server", format!("no HTTP client: {error}")),
    };
    let remedy = "stop it, or name another address with --listen or MIKROCLOUD_URL";
    match answer {
        Ok(response) => {
            let ours = response.text().await.is_ok_and(|body| body == "ok\n");
            if ours {
                return Finding::new(Verdict::Fine, "server", format!("a MikroCloud answers at {address}"));
            }
            Finding::new(Verdict::Broken, "server", format!("another program answers at {address}: {remedy}"))
        }
        Err(error) if error.is_connect() => {
            Finding::new(Verdict::Note, "server", format!("none at {address}: start one with `mikrocloud up`"))
        }
        Err(_) => Finding::new(Verdict::Broken, "server", format!("what listens at {address} does not answer: {remedy}")),
    }
}

async fn credential() -> Finding {
    let Ok(credentials) = Credentials::load() else {
        return Finding::new(
            Verdict::Note,
            "credential",
            "not signed in: `mikrocloud up` signs its own user in, `mikrocloud login` others",
        );
    };
    let url = credentials.url.clone();
    let me = match Api::with(credentials) {
        Ok(api) => api.run("{ me { role } }", json!({})).await,
        Err(failure) => Err(failure),
    };
    match me {
        Ok(_) => Finding::new(Verdict::Fine, "credential", format!("signed in to {url}")),
        Err(failure) if failure.exit == 4 => Finding::new(Verdict::Broken, "credential", failure.message),
        Err(failure) => Finding::new(Verdict::Note, "credential", failure.message),
    }
}

async fn container_engine() -> Finding {
    let about = "container engine";
    match server::container_engine().await {
        ContainerEngine::Answers { name } => Finding::new(Verdict::Fine, about, name),
        ContainerEngine::Silent { client, reason } => {
            let text =
                format!("`{client}` is installed, but its engine does not answer ({reason}): start it to deploy Dockerfiles");
            Finding::new(Verdict::Note, about, text)
        }
        ContainerEngine::Missing => {
            Finding::new(Verdict::Note, about, "not found: needed for projects with a Dockerfile only: install Docker or Podman")
        }
    }
}

/// Programs that builds and deployments need, with their purpose.
const PROGRAMS: [(&str, Verdict, &str); 5] = [
    ("git", Verdict::Broken, "needed to deploy repositories: install git"),
    ("node", Verdict::Note, "needed for Node sites, servers and functions: install Node.js 20 or newer"),
    ("npm", Verdict::Note, "needed to build Node projects: install npm"),
    ("python3", Verdict::Note, "needed for Python servers and functions: install Python 3.9 or newer with pip"),
    ("cargo", Verdict::Note, "needed to build Rust servers only"),
];

fn programs() -> impl Iterator<Item = Finding> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories: Vec<_> = std::env::split_paths(&path).collect();
    PROGRAMS.into_iter().map(move |(name, verdict, need)| match directories.iter().map(|d| d.join(name)).find(|p| p.is_file()) {
        Some(found) => Finding::new(Verdict::Fine, name, format!("{}", found.display())),
        None => Finding::new(verdict, name, format!("not found: {need}")),
    })
}
