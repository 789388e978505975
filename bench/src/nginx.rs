//! A private nginx.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::process::Running;

/// nginx over a directory, one worker per core, without an access log.
pub struct Nginx {
    url: String,
    _process: Running,
    _directory: TempDir,
}

impl Nginx {
    /// Starts it on a free port.
    pub async fn start(root: &Path) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let file = directory.path().join("nginx.conf");
        std::fs::write(&file, configuration(directory.path(), root, port)?)?;
        let program = if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" };
        let mut command = Command::new(program);
        command.arg("-e").arg(directory.path().join("error.log")).arg("-p").arg(directory.path()).arg("-c").arg(&file);
        let child =
            command.stdin(Stdio::null()).spawn().context("nginx is the baseline; on Debian: apt-get install nginx-light")?;
        let process = Running::new(child);
        let deadline = Instant::now() + Duration::from_secs(10);
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            ensure!(Instant::now() < deadline, "nginx does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(Self { url: format!("http://127.0.0.1:{port}"), _process: process, _directory: directory })
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }
}

fn configuration(directory: &Path, root: &Path, port: u16) -> Result<String> {
    let workers = available_parallelism()?;
    // Started by root, its workers would change to a user who cannot read the files.
    let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
    let (directory, root) = (directory.display(), root.display());
    Ok(format!(
        "daemon off; worker_processes {workers}; pid {directory}/pid; {user}
        events {{ worker_connections 1024; }}
        http {{
            types {{ text/html html; application/octet-stream bin; }}
            access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
            client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
            uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
            server {{ listen 127.0.0.1:{port}; root {root}; index index.html; }}
        }}
        "
    ))
}
