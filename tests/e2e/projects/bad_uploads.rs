//! Archives that want out of their directory, or too much of the machine.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tar::{EntryType, Header};

use crate::support::harness::House;

/// A tar entry whose name is written as it is: a library would refuse to.
fn entry(name: &str, kind: EntryType, link: &str, content: &[u8], declared_size: u64) -> Vec<u8> {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(declared_size);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().div_ceil(512) * 512, 0);
    bytes
}

fn file(name: &str, content: &str) -> Vec<u8> {
    entry(name, EntryType::Regular, "", content.as_bytes(), content.len() as u64)
}

fn archive(parts: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    parts.into_iter().for_each(|part| gzip.write_all(&part).unwrap());
    gzip.write_all(&[0; 1024]).unwrap();
    gzip.finish().unwrap()
}

impl House {
    async fn upload(&self, body: Vec<u8>) -> Value {
        let request = self.http.post(self.url("/api/v1/uploads")).bearer_auth(self.token()).body(body);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// Uploads and deploys an archive; code and message of its failure.
    async fn deploy_archive(&self, project: &Value, body: Vec<u8>) -> (String, String) {
        let uploaded = self.upload(body).await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if uploaded["digest"].is_null() {
            return (text(&uploaded["reason"]), text(&uploaded["detail"]));
        }
        let input = json!({"projectId": project, "upload": uploaded["digest"]});
        let made = self.mutate("triggerDeployment", "TriggerDeploymentInput", input, "deployment { id }").await;
        let id = text(&made["deployment"]["id"]);
        assert_eq!(self.ended(&id).await, "FAILED");
        let failure = self.deployment(&id, "failure { code message }").await["failure"].take();
        (text(&failure["code"]), text(&failure["message"]))
    }
}

#[tokio::test]
async fn archives_that_reach_out_of_their_directory_are_refused() {
    let house = House::start().await;
    let project = house.json(&["projects", "create", "site"]).await["id"].clone();
    let index = || file("index.html", "x");
    let link = |name: &str, to: &str| entry(name, EntryType::Symlink, to, b"", 0);
    let table = [
        ("../evil", vec![index(), file("../evil", "x")], "ARCHIVE_UNSAFE"),
        ("a/../../evil", vec![index(), file("a/../../evil", "x")], "ARCHIVE_UNSAFE"),
        ("/tmp/evil", vec![index(), file("/tmp/evil", "x")], "ARCHIVE_UNSAFE"),
        ("out", vec![index(), link("out", "../../../../etc/passwd")], "SOURCE_LINK"),
        ("out", vec![index(), link("out", "/etc"), file("out/evil", "x")], "SOURCE_LINK"),
        ("hard", vec![index(), entry("hard", EntryType::Link, "/etc/passwd", b"", 0)], "ARCHIVE_UNSAFE"),
        ("null", vec![index(), entry("null", EntryType::Char, "", b"", 0)], "ARCHIVE_UNSAFE"),
        ("index.html", vec![index(), index()], "ARCHIVE_UNSAFE"),
    ];
    for (named, parts, code) in table {
        let failure = house.deploy_archive(&project, archive(parts)).await;
        assert!(failure.0 == code && failure.1.contains(named), "{named}: {failure:?}");
    }
    let evil = walk(house.data().parent().unwrap()).into_iter().find(|path| path.ends_with("evil"));
    assert_eq!(evil, None);
    assert_eq!(house.get("site", "/").await.status, 404);
}

fn walk(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap());
    entries.flat_map(|entry| if entry.file_type().unwrap().is_dir() { walk(&entry.path()) } else { vec![entry.path()] }).collect()
}

// Too many files: the tests of `sources` have it with a small limit. The real one costs a minute of file system here.
#[tokio::test]
async fn archives_that_are_none_or_want_too_much_are_refused() {
    let house = House::start().await;
    let project = house.json(&["projects", "create", "site"]).await["id"].clone();
    let whole = archive([file("index.html", "x")]);
    // Says that it holds a terabyte, and would be believed by whoever makes room first.
    let boast = archive([entry("big", EntryType::Regular, "", b"x", 1 << 40)]);
    // Three gigabytes of zeros that are three megabytes on their way, in members that follow one another.
    let zeros = {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&vec![0; 64 << 20]).unwrap();
        gzip.finish().unwrap()
    };
    let head = {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&entry("zeros", EntryType::Regular, "", b"", 3 << 30)).unwrap();
        gzip.finish().unwrap()
    };
    let bomb: Vec<u8> = std::iter::once(head).chain(std::iter::repeat_n(zeros, 48)).flatten().collect();
    let table = [
        ("no gzip", b"hello".to_vec(), "ARCHIVE_INVALID"),
        ("cut off", whole[..whole.len() / 2].to_vec(), "ARCHIVE_INVALID"),
        ("empty", Vec::new(), "UPLOAD_EMPTY"),
        ("a boast", boast, "SOURCE_TOO_LARGE"),
        ("a bomb", bomb, "SOURCE_TOO_LARGE"),
    ];
    for (name, body, code) in table {
        let failure = house.deploy_archive(&project, body).await;
        assert!(failure.0 == code && !failure.1.is_empty(), "{name}: {failure:?}");
    }
    house.deploy(house.site("site", "none the worse"), &[]).await;
    assert_eq!(house.body("site").await, "none the worse");
}

#[tokio::test]
async fn an_upload_needs_a_credential_and_is_known_by_its_digest_alone() {
    let house = House::start().await;
    let refused = house.http.post(house.url("/api/v1/uploads")).body("x").send().await.unwrap();
    assert_eq!(refused.status(), 401);
    let project = house.json(&["projects", "create", "site"]).await["id"].clone();
    for digest in ["", "../../etc/passwd", &"0".repeat(64)] {
        let input = json!({"projectId": project, "upload": digest});
        let made = house.mutate("triggerDeployment", "TriggerDeploymentInput", input, "deployment { id }").await;
        assert_eq!(made["userErrors"][0]["code"], "UNKNOWN_UPLOAD", "{digest}: {made}");
    }
}
