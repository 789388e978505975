use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::*;

/// A repository on this machine, made with Git alone.
pub(super) struct Origin {
    directory: TempDir,
}

impl Origin {
    pub(super) fn new() -> Self {
        let origin = Self { directory: tempfile::tempdir().unwrap() };
        origin.git(&["init", "--quiet", "--initial-branch=main"]);
        origin
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.current_dir(self.path()).args(["-c", "protocol.file.allow=always"]).args(arguments);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "Ada").env(format!("GIT_{who}_EMAIL"), "ada@example.org");
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Commits these files and returns the commit's id.
    pub(super) fn commit(&self, files: &[(&str, &str)]) -> String {
        for (name, text) in files {
            fs::write(self.path().join(name), text).unwrap();
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "change", "--allow-empty"]);
        self.git(&["rev-parse", "HEAD"])
    }

    async fn fetch(&self, reference: Option<&str>, target: &Path) -> Result<Fetched, SourceError> {
        fetch(self.path().to_str().unwrap(), reference, target).await
    }
}

async fn fetch(repository: &str, reference: Option<&str>, target: &Path) -> Result<Fetched, SourceError> {
    let reference = reference.map(|reference| reference.parse().unwrap());
    let options = GitOptions::default();
    fetch_git(&repository.parse().unwrap(), reference.as_ref(), target, &options, CancellationToken::new()).await
}

fn index(target: &TempDir) -> String {
    fs::read_to_string(target.path().join("index.html")).unwrap()
}

#[tokio::test]
async fn a_branch_a_tag_and_a_commit_are_fetched_without_history() {
    let origin = Origin::new();
    let first = origin.commit(&[("index.html", "one")]);
    origin.git(&["tag", "--annotate", "v1", "--message", "v1"]);
    origin.git(&["switch", "--quiet", "--create", "feature/two"]);
    let second = origin.commit(&[("index.html", "two")]);
    origin.git(&["switch", "--quiet", "main"]);
    let third = origin.commit(&[("index.html", "three")]);
    let table = [
        (None, &third, "three"),
        (Some("main"), &third, "three"),
        (Some("feature/two"), &second, "two"),
        (Some("v1"), &first, "one"),
        (Some(first.as_str()), &first, "one"),
        (Some(&second[..9]), &second, "two"),
    ];
    for (reference, commit, text) in table {
        let target = tempfile::tempdir().unwrap();
        let fetched = origin.fetch(reference, target.path()).await.unwrap();
        assert_eq!((&fetched.commit, index(&target).as_str()), (commit, text), "{reference:?}");
        assert!(!target.path().join(".git").exists());
    }
}

#[tokio::test]
async fn a_reference_means_the_same_commit_before_and_when_it_is_fetched() {
    for leaves_out in ["true", "false"] {
        let origin = Origin::new();
        origin.git(&["config", "uploadpack.allowFilter", leaves_out]);
        let first = origin.commit(&[("index.html", "one")]);
        origin.git(&["tag", "--annotate", "v1", "--message", "v1"]);
        origin.git(&["switch", "--quiet", "--create", "feature/two"]);
        let second = origin.commit(&[("index.html", "two")]);
        origin.git(&["switch", "--quiet", "main"]);
        let third = origin.commit(&[("index.html", "three")]);
        let repository = origin.path().to_str().unwrap().parse().unwrap();
        let resolve = async |reference: Option<&str>| {
            let scratch = tempfile::tempdir().unwrap();
            let reference = reference.map(|reference| reference.parse().unwrap());
            let options = GitOptions::default();
            resolve_git(&repository, reference.as_ref(), scratch.path(), &options, CancellationToken::new()).await
        };
        let table = [
            (None, &third),
            (Some("main"), &third),
            (Some("feature/two"), &second),
            (Some("v1"), &first),
            (Some(first.as_str()), &first),
            (Some(&second[..9]), &second),
        ];
        for (reference, commit) in table {
            assert_eq!(&resolve(reference).await.unwrap(), commit, "{reference:?}");
        }
        assert_eq!(resolve(Some("nope")).await.unwrap_err().code(), "REFERENCE_NOT_FOUND");
        // A branch that moves on takes nothing from what was found.
        let target = tempfile::tempdir().unwrap();
        origin.commit(&[("index.html", "four")]);
        assert_eq!(origin.fetch(Some(&third), target.path()).await.unwrap().commit, third);
        assert_eq!(index(&target), "three");
    }
}

#[tokio::test]
async fn submodules_come_along() {
    let library = Origin::new();
    library.commit(&[("library.js", "export {}")]);
    let origin = Origin::new();
    origin.git(&["submodule", "--quiet", "add", library.path().to_str().unwrap(), "library"]);
    origin.commit(&[("index.html", "one")]);
    let target = tempfile::tempdir().unwrap();
    origin.fetch(None, target.path()).await.unwrap();
    assert_eq!(fs::read_to_string(target.path().join("library/library.js")).unwrap(), "export {}");
    assert!(!target.path().join("library/.git").exists());
}

#[tokio::test]
async fn what_is_not_there_has_a_code_and_a_name() {
    let origin = Origin::new();
    origin.commit(&[("index.html", "one")]);
    let target = tempfile::tempdir().unwrap();
    let place = |error: &SourceError| error.to_string().replace(origin.path().to_str().unwrap(), "/srv/shop");
    for reference in ["no-such-branch", "0123456789012345678901234567890123456789", "abcdef12"] {
        let target = tempfile::tempdir().unwrap();
        let error = origin.fetch(Some(reference), target.path()).await.unwrap_err();
        assert_eq!(error.code(), "REFERENCE_NOT_FOUND", "{reference}: {error}");
        assert!(error.to_string().contains(reference));
    }
    let error = origin.fetch(Some("nope"), target.path()).await.unwrap_err();
    insta::assert_snapshot!(place(&error), @"/srv/shop has no branch, tag or commit `nope`: check its name, and that it was pushed");
    let error = fetch("/no/such/repository", None, target.path()).await.unwrap_err();
    assert_eq!(error.code(), "SOURCE_NOT_FOUND");
    let plain = tempfile::tempdir().unwrap();
    let target = tempfile::tempdir().unwrap();
    let error = fetch(plain.path().to_str().unwrap(), None, target.path()).await.unwrap_err();
    assert_eq!(error.code(), "SOURCE_NOT_FOUND", "{error}");
}

#[tokio::test]
async fn nothing_to_build_is_said() {
    let target = tempfile::tempdir().unwrap();
    let origin = Origin::new();
    assert_eq!(origin.fetch(None, target.path()).await.unwrap_err().code(), "SOURCE_EMPTY");
    let target = tempfile::tempdir().unwrap();
    origin.commit(&[]);
    assert_eq!(origin.fetch(None, target.path()).await.unwrap_err().code(), "SOURCE_EMPTY");
}

#[tokio::test]
async fn large_file_storage_is_refused_by_attribute_and_by_pointer() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
    for (name, text) in [(".gitattributes", "*.png filter=lfs diff=lfs merge=lfs -text\n"), ("film.mp4", pointer)] {
        let origin = Origin::new();
        origin.commit(&[("index.html", "one"), (name, text)]);
        let target = tempfile::tempdir().unwrap();
        let error = origin.fetch(None, target.path()).await.unwrap_err();
        assert_eq!(error.code(), "SOURCE_LFS");
        assert!(error.to_string().contains(name), "{error}");
    }
}

/// A server that takes connections and never says a word.
async fn silent_server() -> (tokio::net::TcpListener, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/shop.git", listener.local_addr().unwrap());
    (listener, address)
}

#[tokio::test]
async fn a_server_that_never_answers_ends_by_timeout_or_cancel() {
    let (listener, address) = silent_server().await;
    let target = tempfile::tempdir().unwrap();
    let repository = address.parse().unwrap();
    let options = GitOptions { timeout: Duration::from_secs(1), ..GitOptions::default() };
    let error = fetch_git(&repository, None, target.path(), &options, CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.code(), "SOURCE_TIMEOUT");

    let target = tempfile::tempdir().unwrap();
    let stop = CancellationToken::new();
    let fetching = tokio::spawn({
        let (target, stop) = (target.path().to_owned(), stop.clone());
        async move { fetch_git(&repository, None, &target, &GitOptions::default(), stop).await }
    });
    // The first fetch's connection, then the second's.
    let mut first = listener.accept().await.unwrap().0;
    let mut second = listener.accept().await.unwrap().0;
    stop.cancel();
    assert_eq!(fetching.await.unwrap().unwrap_err().code(), "SOURCE_CANCELLED");
    for connection in [&mut first, &mut second] {
        let mut rest = Vec::new();
        // Ends only when the program at the other end is gone.
        let ended = tokio::time::timeout(Duration::from_secs(20), tokio::io::AsyncReadExt::read_to_end(connection, &mut rest));
        ended.await.unwrap().unwrap();
    }
}

/// A server that answers every request with this status.
async fn http_server(status: &'static str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (listener, address) = silent_server().await;
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let answer =
                format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nWWW-Authenticate: Basic\r\nConnection: close\r\n\r\n");
            let _ = connection.read(&mut [0; 4096]).await;
            let _ = connection.write_all(answer.as_bytes()).await;
        }
    });
    address
}

#[tokio::test]
async fn answers_of_a_server_become_codes() {
    let refused = {
        let (_listener, address) = silent_server().await;
        address
    };
    let table = [
        (http_server("404 Not Found").await, "SOURCE_NOT_FOUND"),
        (http_server("401 Unauthorized").await, "SOURCE_DENIED"),
        (http_server("403 Forbidden").await, "SOURCE_DENIED"),
        (refused, "SOURCE_UNREACHABLE"),
    ];
    for (address, code) in table {
        let target = tempfile::tempdir().unwrap();
        let address = address.replace("http://", "http://token@");
        let error = fetch(&address, None, target.path()).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(!error.to_string().contains("token@"), "{error}");
    }
}

#[tokio::test]
async fn a_stranger_cannot_name_our_files_as_a_submodule_nor_run_a_hook() {
    let secret = Origin::new();
    secret.commit(&[("secret", "secret")]);
    let options = GitOptions::default();
    let target = tempfile::tempdir().unwrap();
    let remote = "https://example.org/shop".parse().unwrap();
    let git = Git::new(&remote, target.path(), &options, CancellationToken::new()).await.unwrap();
    git.run(&["init", "--quiet"]).await.unwrap();
    let error = git.run(&["fetch", "--quiet", secret.path().to_str().unwrap(), "main"]).await.unwrap_err();
    assert!(error.to_string().contains("not allowed"), "{error}");
    assert_eq!(git.run(&["config", "core.hooksPath"]).await.unwrap().trim(), "/dev/null");
}

/// A server that leads every request on to another one, and what it was asked with.
async fn leading_server(to: &str) -> (String, tokio::task::JoinHandle<String>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (listener, address) = silent_server().await;
    let answer = format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let asked = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let length = connection.read(&mut head).await.unwrap();
        connection.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&head[..length]).into_owned()
    });
    (address, asked)
}

#[tokio::test]
async fn a_login_is_shown_to_its_server_and_to_nobody_it_leads_to() {
    let (other, elsewhere) = silent_server().await;
    let (address, asked) = leading_server(&elsewhere).await;
    let login = |server: &str| HttpLogin {
        server: url::Url::parse(server).unwrap().join("/").unwrap(),
        user: "x-access-token".to_owned(),
        password: "hunter\"2\\".into(),
    };
    let options = GitOptions { login: Some(login(&address)), ..GitOptions::default() };
    let target = tempfile::tempdir().unwrap();
    let repository = address.parse().unwrap();
    let error = fetch_git(&repository, None, target.path(), &options, CancellationToken::new()).await.unwrap_err();
    // base64 of x-access-token:hunter"2\
    assert!(asked.await.unwrap().contains("Authorization: Basic eC1hY2Nlc3MtdG9rZW46aHVudGVyIjJc"));
    assert!(!error.to_string().contains("hunter"), "{error}");
    let nobody = tokio::time::timeout(Duration::ZERO, other.accept());
    assert!(nobody.await.is_err(), "the other server was asked");

    let (address, asked) = leading_server(&elsewhere).await;
    let options = GitOptions { login: Some(login("https://github.com/")), ..GitOptions::default() };
    let (target, repository) = (tempfile::tempdir().unwrap(), address.parse().unwrap());
    let fetching = fetch_git(&repository, None, target.path(), &options, CancellationToken::new());
    tokio::select! {
        asked = asked => assert!(!asked.unwrap().contains("Authorization"), "another server's login was shown"),
        _ = fetching => panic!("it cannot have ended before it asked"),
    }
}
