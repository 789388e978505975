//! Sources that cannot be had: each says what is wrong and what to do.

use testkit::wait_until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::harness::{House, PATIENCE};
use crate::support::processes;

/// A Git server that lets nobody in.
async fn locked_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    port
}

#[tokio::test]
async fn repositories_that_cannot_be_fetched_say_why() {
    let house = House::start().await;
    let shop = house.repository("shop");
    let commit = shop.commit("main", &[("index.html", "open")]);
    let empty = house.repository("empty");
    let bare = house.repository("bare");
    bare.commit("main", &[]);
    let odd = house.repository("odd");
    odd.commit("main", &[("notes.bin", "nothing that anybody knows")]);
    let locked = format!("http://127.0.0.1:{}/team/shop.git", locked_server().await);
    let unknown = format!("file://{}/nowhere", house.scratch("none").display());
    let other_commit = commit.chars().rev().collect::<String>();
    let (url, empty, bare, odd) = (shop.url(), empty.url(), bare.url(), odd.url());
    let table = [
        (unknown.as_str(), None, "SOURCE_NOT_FOUND", "nowhere"),
        (&url, Some("no-such-branch"), "REFERENCE_NOT_FOUND", "no-such-branch"),
        (&url, Some(other_commit.as_str()), "REFERENCE_NOT_FOUND", &other_commit),
        (&empty, None, "SOURCE_EMPTY", "push a commit"),
        (&bare, None, "SOURCE_EMPTY", "push a commit"),
        (&odd, None, "NOTHING_DETECTED", "mikrocloud.toml"),
        (&locked, None, "SOURCE_DENIED", "needs credentials"),
        ("http://127.0.0.1:1/x.git", None, "SOURCE_UNREACHABLE", "check the host name"),
    ];
    for (repository, reference, code, part) in table {
        let options: Vec<&str> = ["-p", "shop"].into_iter().chain(reference.into_iter().flat_map(|r| ["--ref", r])).collect();
        let failure = house.deploy_in_vain(repository, &options).await;
        assert!(failure.0 == code && failure.1.contains(part), "{repository}: {failure:?}");
    }
    house.deploy(&url, &[]).await;
    assert_eq!(house.body("shop").await, "open");
}

/// A Git server that takes requests and never answers.
async fn silent_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            open.push(stream);
        }
    });
    port
}

#[tokio::test]
async fn a_fetch_that_hangs_can_be_cancelled_and_leaves_no_process_after_a_crash() {
    let mut house = House::start().await;
    let url = format!("http://127.0.0.1:{}/slow.git", silent_server().await);
    let fetching = async |house: &House, id: &str| {
        house.logged(id, "Fetching").await;
        wait_until(PATIENCE, "git to run", async || processes::all_of(&house.data()).iter().any(|p| p.command.contains("git")))
            .await;
    };
    let id = house.deploy_detached(&url, &[]).await;
    fetching(&house, &id).await;
    house.json(&["cancel", &id]).await;
    wait_until(PATIENCE, "git to be gone", async || processes::all_of(&house.data()).is_empty()).await;
    let id = house.deploy_detached(&url, &[]).await;
    fetching(&house, &id).await;
    let before = processes::all_of(&house.data());
    house.crash_and_restart().await;
    // It fetches again; what fetched for the one that was killed is gone.
    fetching(&house, &id).await;
    wait_until(PATIENCE, "the orphans to be gone", async || !processes::all_of(&house.data()).iter().any(|p| before.contains(p)))
        .await;
    house.json(&["cancel", &id]).await;
    wait_until(PATIENCE, "git to be gone", async || processes::all_of(&house.data()).is_empty()).await;
}

#[tokio::test]
async fn addresses_and_references_that_are_none_are_refused_at_once() {
    let house = House::start().await;
    house.json(&["projects", "create", "shop"]).await;
    let table = [
        ("https://user:password@example.org/x.git", "main", "INVALID_REPOSITORY", "credential"),
        ("ext::sh -c date@x:y", "main", "INVALID_REPOSITORY", "https://"),
        ("ftp://example.org/x.git", "main", "INVALID_REPOSITORY", "https://"),
        ("https://example.org/x.git", "--upload-pack=date", "INVALID_REFERENCE", "branch"),
        ("https://example.org/x.git", "a b", "INVALID_REFERENCE", "branch"),
    ];
    for (repository, reference, code, part) in table {
        let failure = house.deploy_in_vain(repository, &["-p", "shop", &format!("--ref={reference}")]).await;
        assert!(failure.0 == code && failure.1.contains(part), "{repository} {reference}: {failure:?}");
    }
}

#[tokio::test]
async fn directories_that_cannot_be_deployed_say_why() {
    let house = House::start().await;
    let empty = house.project("empty", &[]);
    let ignored = house.project("ignored", &[(".mikrocloudignore", "*\n"), ("index.html", "x")]);
    let link = house.project("link", &[("index.html", "x")]);
    std::os::unix::fs::symlink("/etc/passwd", link.join("passwd")).unwrap();
    let table = [
        (empty, "SOURCE_EMPTY", ".gitignore"),
        (ignored, "SOURCE_EMPTY", ".mikrocloudignore"),
        (link, "SOURCE_LINK", "passwd"),
        (house.scratch("none").join("such"), "SOURCE", "such"),
    ];
    for (directory, code, part) in table {
        let failure = house.deploy_in_vain(&directory, &["-p", "site"]).await;
        assert!(failure.0 == code && failure.1.contains(part), "{}: {failure:?}", directory.display());
    }
    let ran = house.cli(&["deploy", "--ref", "main", house.scratch("plain").to_str().unwrap(), "--json"]).await;
    assert_eq!((ran.exit, ran.error().0.as_str()), (2, "USAGE"), "{ran:?}");
}
