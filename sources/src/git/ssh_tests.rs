//! Over ssh, against a server of the test's own.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::tests::Origin;
use super::*;

const SSHD: &str = "/usr/sbin/sshd";
const PATIENCE: Duration = Duration::from_secs(20);

/// A running `sshd` that lets one key in, and the directory with its keys. Dropped, it is killed.
struct Sshd {
    directory: TempDir,
    child: Child,
    port: u16,
}

impl Sshd {
    /// `None` where it is not installed.
    fn start() -> Option<Self> {
        if !Path::new(SSHD).exists() {
            eprintln!("sshd is not installed: Git over ssh is not tested. On Debian: apt-get install openssh-server");
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "sshd is not installed");
            return None;
        }
        if rustix::process::geteuid().is_root() {
            // Where root's sshd keeps its unprivileged half; the packaged service makes it at its start.
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let directory = tempfile::tempdir().unwrap();
        for name in ["host", "user", "stranger"] {
            let mut keygen = Command::new("ssh-keygen");
            run(keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(directory.path().join(name)));
        }
        fs::copy(directory.path().join("user.pub"), directory.path().join("authorized_keys")).unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let child = spawn(directory.path(), port);
        Some(Self { directory, child, port })
    }

    fn file(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// The server's address of a repository of this machine.
    fn url(&self, path: &Path) -> String {
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        format!("ssh://{}@127.0.0.1:{}{}", String::from_utf8(user).unwrap().trim(), self.port, path.display())
    }

    /// Fetches with one of the keys, as an operator names it, whatever the user of this test has in `~/.ssh`.
    async fn fetch(&self, url: &str, key: &str, more: &str) -> Result<(Fetched, TempDir), SourceError> {
        let known = self.file("known_hosts");
        let key = self.file(key);
        let ssh = format!("ssh -F /dev/null -oIdentitiesOnly=yes -oUserKnownHostsFile={known} -i {key} {more}");
        let options = GitOptions { ssh: Some(ssh), ..GitOptions::default() };
        fetch(url, options).await
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "waits for a condition with a deadline, outside of any runtime")]
fn spawn(directory: &Path, port: u16) -> Child {
    let file = |name: &str| directory.join(name).display().to_string();
    let config = format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\nStrictModes no\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n",
        file("host"),
        file("authorized_keys")
    );
    fs::write(directory.join("sshd_config"), config).unwrap();
    let log = fs::File::create(directory.join("log")).unwrap();
    let mut command = Command::new(SSHD);
    command.args(["-D", "-e", "-f", &file("sshd_config")]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    let mut child = command.spawn().unwrap();
    let started = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        let ended = child.try_wait().unwrap();
        let log = fs::read_to_string(directory.join("log")).unwrap();
        assert!(ended.is_none() && started.elapsed() < PATIENCE, "sshd did not start ({ended:?}): {log}");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

async fn fetch(url: &str, options: GitOptions) -> Result<(Fetched, TempDir), SourceError> {
    let target = tempfile::tempdir().unwrap();
    let fetched = fetch_git(&url.parse().unwrap(), None, target.path(), &options, CancellationToken::new()).await?;
    Ok((fetched, target))
}

#[tokio::test]
async fn a_repository_behind_ssh_is_fetched_with_a_key_that_the_server_takes() {
    let Some(sshd) = Sshd::start() else { return };
    let origin = Origin::new();
    let commit = origin.commit(&[("index.html", "over ssh")]);
    let url = sshd.url(origin.path());
    // The host was never seen: it is accepted, and known from then on.
    for _ in 0..2 {
        let (fetched, files) = sshd.fetch(&url, "user", "").await.unwrap();
        assert_eq!(fetched.commit, commit);
        assert_eq!(fs::read_to_string(files.path().join("index.html")).unwrap(), "over ssh");
    }
    assert!(fs::read_to_string(sshd.file("known_hosts")).unwrap().contains("127.0.0.1"));
}

#[tokio::test]
async fn a_key_in_the_agent_is_used() {
    let Some(sshd) = Sshd::start() else { return };
    let origin = Origin::new();
    let commit = origin.commit(&[("index.html", "by an agent")]);
    let socket = sshd.file("agent");
    let mut agent = Command::new("ssh-agent").args(["-D", "-a", &socket]).stdout(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    while !Path::new(&socket).exists() {
        assert!(started.elapsed() < PATIENCE, "the agent did not start");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let added = Command::new("ssh-add").args(["-q", &sshd.file("user")]).env("SSH_AUTH_SOCK", &socket).output().unwrap();
    let ssh = format!("ssh -F /dev/null -oUserKnownHostsFile={} -oIdentityFile=none", sshd.file("known_hosts"));
    let options = GitOptions { ssh: Some(ssh), env: vec![("SSH_AUTH_SOCK".to_owned(), socket)], ..GitOptions::default() };
    let fetched = fetch(&sshd.url(origin.path()), options).await;
    agent.kill().and_then(|()| agent.wait()).unwrap();
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    assert_eq!(fetched.unwrap().0.commit, commit);
}

#[tokio::test]
async fn what_goes_wrong_over_ssh_has_a_code_and_a_remedy() {
    let Some(sshd) = Sshd::start() else { return };
    let origin = Origin::new();
    origin.commit(&[("index.html", "over ssh")]);
    let url = sshd.url(origin.path());
    let absent = sshd.url(Path::new("/no/such/repository"));
    let strict = "-oStrictHostKeyChecking=yes";
    let closed = format!("ssh://127.0.0.1:{}/x", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
    let table = [
        (&url, "user", strict, "SOURCE_HOST_KEY", "known_hosts"),
        (&url, "stranger", "", "SOURCE_DENIED", "deploy key"),
        (&absent, "user", "", "SOURCE_NOT_FOUND", "check the address"),
        (&closed, "user", "", "SOURCE_UNREACHABLE", "does not answer"),
    ];
    for (url, key, more, code, remedy) in table {
        let error = sshd.fetch(url, key, more).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(remedy), "{error}");
    }
    let other = fs::read_to_string(sshd.file("stranger.pub")).unwrap();
    fs::write(sshd.file("known_hosts"), format!("[127.0.0.1]:{} {other}", sshd.port)).unwrap();
    let error = sshd.fetch(&url, "user", "").await.unwrap_err();
    assert_eq!(error.code(), "SOURCE_HOST_KEY", "another key than the known one: {error}");
}
