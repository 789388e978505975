//! Requests against sites on disk.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use http::{HeaderMap, Method, Response, Uri};
use http_body_util::BodyExt as _;
use proptest::prelude::*;
use tempfile::TempDir;

use super::asset::MemoryBudget;
use super::compress::compress;
use super::copies::CopyStore;
use super::index::Index;
use super::site::Site;
use crate::edge::body::EdgeBody;

struct Fixture {
    site: Arc<Site>,
    files: TempDir,
}

type Headers<'h> = &'h [(&'static str, &'static str)];

struct Got {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A directory with these files.
pub(super) fn tree(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), files);
    directory
}

fn write(root: &Path, files: &[(&str, &str)]) {
    for (path, content) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

fn site(files: &[(&str, &str)]) -> Fixture {
    let directory = tree(&[("outside.txt", "outside")]);
    write(&directory.path().join("root"), files);
    open(directory)
}

/// The site in the directory `root`, compressed.
fn open(files: TempDir) -> Fixture {
    let root = files.path().join("root");
    let index = Index::load_or_build(&root, &files.path().join("index.json")).unwrap();
    let store = CopyStore::new(files.path().join("copies"), 1 << 30);
    let (site, tasks) =
        Site::new(&index, &root, &store, MemoryBudget::new(1 << 20), |path| path == "functions/secret.js").unwrap();
    let site = Arc::new(site);
    compress(&Arc::downgrade(&site), &tasks, &store, site.progress());
    Fixture { site, files }
}

async fn collect(response: Response<EdgeBody>) -> Got {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Got { status: parts.status.as_u16(), headers: parts.headers, body: String::from_utf8_lossy(&bytes).into_owned() }
}

async fn send(fixture: &Fixture, method: Method, path: &str, headers: &[(&'static str, &str)]) -> Got {
    let headers = headers.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect();
    collect(fixture.site.respond(&method, &path.parse::<Uri>().unwrap(), &headers).await).await
}

async fn get(fixture: &Fixture, path: &str) -> Got {
    send(fixture, Method::GET, path, &[]).await
}

fn usual() -> Fixture {
    site(&[
        ("index.html", "home"),
        ("about.html", "about"),
        ("docs/index.html", "docs"),
        ("docs/a b.html", "spaced"),
        ("both.html", "both page"),
        ("both/index.html", "both directory"),
        ("404.html", "root 404"),
        ("docs/404.html", "docs 404"),
        ("assets/app-B3k2a9Zq.js", "js"),
        ("functions/secret.js", "secret"),
        ("mikrocloud.toml", "manifest"),
        ("netlify.toml", ""),
        ("vercel.json", "{}"),
        (".env", "secret"),
        (".well-known/x.txt", "known"),
        ("empty.txt", ""),
    ])
}

#[tokio::test]
async fn the_table_of_paths() {
    let fixture = usual();
    let table = [
        ("/", 200, "home"),
        ("/index.html", 200, "home"),
        ("/?query=1", 200, "home"),
        ("/about", 200, "about"),
        ("/about.html", 200, "about"),
        ("/docs/", 200, "docs"),
        ("/docs/a%20b", 200, "spaced"),
        ("/both", 200, "both page"),
        ("/both/", 200, "both directory"),
        ("/empty.txt", 200, ""),
        ("/.well-known/x.txt", 200, "known"),
        ("/nothing", 404, "root 404"),
        ("/docs/nothing/deep", 404, "docs 404"),
        ("/.env", 404, "root 404"),
        ("/functions/secret.js", 404, "root 404"),
        ("/mikrocloud.toml", 404, "root 404"),
        ("/netlify.toml", 404, "root 404"),
        ("/vercel.json", 404, "root 404"),
        ("/../outside.txt", 404, "root 404"),
        ("/%2e%2e/outside.txt", 404, "root 404"),
        ("/docs/..%2f..%2foutside.txt", 404, "docs 404"),
        ("/docs/../index.html", 404, "docs 404"),
        ("//index.html", 404, "root 404"),
    ];
    for (path, status, body) in table {
        let got = get(&fixture, path).await;
        assert_eq!((got.status, got.body.as_str()), (status, body), "{path}");
    }
    assert_eq!(get(&fixture, "/%00").await.status, 400);
}

#[tokio::test]
async fn directories_and_pages_lead_to_their_one_address() {
    let fixture = usual();
    for (path, location) in [("/docs", "/docs/"), ("/docs?x=1", "/docs/?x=1"), ("/about/", "/about")] {
        let got = get(&fixture, path).await;
        assert_eq!((got.status, got.header("location")), (308, location), "{path}");
    }
}

#[tokio::test]
async fn only_get_and_head_are_answered_and_head_says_what_get_would() {
    let fixture = usual();
    let got = send(&fixture, Method::POST, "/", &[]).await;
    assert_eq!((got.status, got.header("allow")), (405, "GET, HEAD"));
    let head = send(&fixture, Method::HEAD, "/about", &[]).await;
    assert_eq!((head.status, head.header("content-length"), head.body.as_str()), (200, "5", ""));
}

#[tokio::test]
async fn caching_follows_the_name_and_the_content() {
    let fixture = usual();
    assert_eq!(get(&fixture, "/assets/app-B3k2a9Zq.js").await.header("cache-control"), "public, max-age=31536000, immutable");
    let page = get(&fixture, "/about").await;
    assert_eq!(page.header("cache-control"), "public, max-age=0, must-revalidate");
    let tag = page.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.len() == 34, "{tag}");
    for (tags, status) in
        [(tag.clone(), 304), (format!("W/{tag}"), 304), (format!("\"x\", {tag}"), 304), ("*".into(), 304), ("\"x\"".into(), 200)]
    {
        let got = send(&fixture, Method::GET, "/about", &[("if-none-match", &tags)]).await;
        assert_eq!(got.status, status, "{tags}");
        assert_eq!(got.header("etag"), tag);
    }
    // What is not there is not "not modified".
    assert_eq!(send(&fixture, Method::GET, "/none", &[("if-none-match", "*")]).await.status, 404);
}

#[tokio::test]
async fn parts_of_small_and_large_files() {
    let large: String = (0..300_000u32).map(|number| format!("{:05}", number % 100_000)).collect::<Vec<_>>().concat();
    let fixture = site(&[("small.txt", "0123456789"), ("large.bin", &large)]);
    let part = async |path, range: &str| send(&fixture, Method::GET, path, &[("range", range)]).await;
    let got = part("/small.txt", "bytes=2-4").await;
    assert_eq!((got.status, got.body.as_str(), got.header("content-range")), (206, "234", "bytes 2-4/10"));
    let got = part("/large.bin", "bytes=-10").await;
    assert_eq!((got.status, got.body.as_str(), got.header("content-length")), (206, "9999899999", "10"));
    let got = part("/large.bin", "bytes=100000-100004").await;
    assert_eq!((got.status, got.body.as_str()), (206, "20000"));
    let got = part("/small.txt", "bytes=99-").await;
    assert_eq!((got.status, got.header("content-range")), (416, "bytes */10"));
    assert_eq!(get(&fixture, "/large.bin").await.body, large);
}

#[tokio::test]
async fn compressed_copies_are_negotiated_and_tagged_apart() {
    let text = "hello world ".repeat(1000);
    let fixture = site(&[("a.txt", &text), ("b.txt", "short")]);
    let plain = get(&fixture, "/a.txt").await;
    assert_eq!((plain.header("vary"), plain.header("content-encoding"), plain.body.len()), ("accept-encoding", "", text.len()));
    let mut tags = vec![plain.header("etag").to_owned()];
    for (accept, coding) in [("gzip", "gzip"), ("gzip, br", "br")] {
        let got = send(&fixture, Method::GET, "/a.txt", &[("accept-encoding", accept)]).await;
        assert_eq!((got.header("content-encoding"), got.header("vary")), (coding, "accept-encoding"));
        let length: usize = got.header("content-length").parse().unwrap();
        assert!(length < text.len() / 10, "{length}");
        tags.push(got.header("etag").to_owned());
    }
    tags.dedup();
    assert_eq!(tags.len(), 3, "{tags:?}");
    let part = send(&fixture, Method::GET, "/a.txt", &[("accept-encoding", "br"), ("range", "bytes=0-4")]).await;
    assert_eq!((part.body.as_str(), part.header("content-encoding")), ("hello", ""));
    let short = send(&fixture, Method::GET, "/b.txt", &[("accept-encoding", "br")]).await;
    assert_eq!((short.body.as_str(), short.header("vary")), ("short", ""));
}

#[tokio::test]
async fn an_application_of_one_page_answers_who_asks_for_a_page() {
    let browser = ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
    let (any, json) = (("accept", "*/*"), ("accept", "application/json"));
    let (navigate, cors) = (("sec-fetch-mode", "navigate"), ("sec-fetch-mode", "cors"));
    let table: [(&str, Headers<'_>, bool); 15] = [
        ("/deep/route", &[browser], true),
        ("/users/john.doe", &[browser], true),
        ("/v/1.2.3", &[browser, navigate], true),
        ("/v/1.2.3", &[any, navigate], true),
        ("/missing.js", &[browser], true),
        ("/partial", &[("accept", "text/html"), cors], true),
        ("/deep/route", &[any], true),
        ("/deep/route", &[], true),
        ("/deep.dir/route", &[any], true),
        ("/missing.js", &[any], false),
        ("/missing.js", &[], false),
        ("/users/john.doe", &[any, cors], false),
        ("/deep/route", &[any, cors], false),
        ("/api/data", &[json], false),
        ("/deep/route", &[("accept", "image/avif,image/webp,image/*")], false),
    ];
    let home = site(&[("index.html", "app"), ("app.js", "js")]);
    let shell = site(&[("index.html", "home"), ("200.html", "app"), ("404.html", "none")]);
    for (path, headers, answered) in table {
        let got = send(&home, Method::GET, path, headers).await;
        assert_eq!((got.status, got.body == "app"), (if answered { 200 } else { 404 }, answered), "{path} {headers:?}");
        let got = send(&shell, Method::GET, path, headers).await;
        let expected = if answered { (200, "app") } else { (404, "none") };
        assert_eq!((got.status, got.body.as_str()), expected, "{path} {headers:?}");
    }
    let pages = site(&[("index.html", "home"), ("404.html", "none")]);
    assert_eq!(send(&pages, Method::GET, "/any", &[browser]).await.status, 404);
}

#[tokio::test]
async fn directories_behind_links_are_served() {
    let files = tree(&[
        ("root/index.html", "home"),
        ("root/docs/v2/index.html", "v2"),
        ("root/docs/v2/a.txt", "a"),
        ("root/functions/secret.js", "secret"),
    ]);
    std::os::unix::fs::symlink("v2", files.path().join("root/docs/latest")).unwrap();
    std::os::unix::fs::symlink("functions", files.path().join("root/shown")).unwrap();
    let fixture = open(files);
    for (path, status, body) in
        [("/docs/latest/", 200, "v2"), ("/docs/latest/a.txt", 200, "a"), ("/docs/latest", 308, ""), ("/shown/secret.js", 404, "")]
    {
        let got = get(&fixture, path).await;
        assert_eq!(got.status, status, "{path}");
        assert!(body.is_empty() || got.body == body, "{path}: {}", got.body);
    }
}

#[tokio::test]
async fn names_are_found_however_their_letters_are_composed() {
    let fixture = site(&[
        ("index.html", "home"),
        ("404.html", "none"),
        ("cafe\u{301}.html", "apart"),
        ("caf\u{e9}s/menu.txt", "composed"),
        ("UPPER.HTML", "upper"),
        ("Old/INDEX.HTML", "old"),
    ]);
    let table = [
        ("/caf%C3%A9", "apart"),
        ("/cafe%CC%81", "apart"),
        ("/caf%C3%A9.html", "apart"),
        ("/caf%C3%A9s/menu.txt", "composed"),
        ("/cafe%CC%81s/menu.txt", "composed"),
        ("/UPPER", "upper"),
        ("/UPPER.HTML", "upper"),
        ("/Old/", "old"),
        ("/upper", "none"),
    ];
    for (path, body) in table {
        assert_eq!(get(&fixture, path).await.body, body, "{path}");
    }
}

#[tokio::test]
async fn what_a_project_brings_compressed_is_sent_with_the_encoding_that_its_rules_say() {
    let text = "console.log('hello world'); ".repeat(200);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut gzip, text.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let rule = "/*.gz\n  Content-Type: text/javascript\n  Content-Encoding: gzip\n  X-Rule: 1\n";
    let files = tree(&[("root/index.html", "home"), ("root/_headers", rule), ("root/plain.js.gz", &text)]);
    fs::write(files.path().join("root/app.js.gz"), &gzip).unwrap();
    let fixture = open(files);
    for accept in ["br, gzip", "gzip", "identity"] {
        let got = send(&fixture, Method::GET, "/app.js.gz", &[("accept-encoding", accept)]).await;
        assert_eq!((got.header("content-encoding"), got.header("content-type")), ("gzip", "text/javascript"), "{accept}");
        assert_eq!((got.header("content-length"), got.header("vary")), (gzip.len().to_string().as_str(), ""));
    }
    let got = get(&fixture, "/plain.js.gz").await;
    assert_eq!((got.header("content-encoding"), got.header("x-rule"), got.header("content-type")), ("", "", "application/gzip"));
    assert_eq!(got.body, text);
}

#[tokio::test]
async fn a_file_that_is_not_compressed_yet_is_served_as_it_is() {
    let text = "hello world ".repeat(1000);
    let files = tree(&[("root/a.txt", &text)]);
    let root = files.path().join("root");
    let index = Index::load_or_build(&root, &files.path().join("index.json")).unwrap();
    let store = CopyStore::new(files.path().join("copies"), 1 << 30);
    let (site, tasks) = Site::new(&index, &root, &store, MemoryBudget::new(1 << 20), |_| false).unwrap();
    let fixture = Fixture { site: Arc::new(site), files };
    let asked = async || send(&fixture, Method::GET, "/a.txt", &[("accept-encoding", "br")]).await;
    let got = asked().await;
    assert_eq!((got.header("content-encoding"), got.header("vary"), got.body.len()), ("", "accept-encoding", text.len()));
    compress(&Arc::downgrade(&fixture.site), &tasks, &store, fixture.site.progress());
    assert_eq!(asked().await.header("content-encoding"), "br");
    // Another site with the same content finds the copy.
    let (_, tasks) =
        Site::new(&index, &fixture.files.path().join("root"), &store, MemoryBudget::new(1 << 20), |_| false).unwrap();
    assert_eq!(tasks.len(), 0);
}

#[test]
fn a_content_that_two_files_have_is_compressed_once_and_a_full_store_is_told() {
    let text = "hello world ".repeat(1000);
    let other = "hello there ".repeat(1000);
    let files = tree(&[("a.txt", &text), ("b.html", &text), ("c.txt", &other), ("d.png", &other), ("e.txt", "short")]);
    let index = Index::load_or_build(files.path(), &files.path().join(".index.json")).unwrap();
    let store = CopyStore::new(files.path().join(".copies"), 4096);
    let (site, tasks) = Site::new(&index, files.path(), &store, MemoryBudget::new(1 << 20), |_| false).unwrap();
    let site = Arc::new(site);
    assert_eq!(tasks.len(), 2);
    compress(&Arc::downgrade(&site), &tasks, &store, site.progress());
    let progress = site.progress().borrow().clone();
    assert_eq!((progress.files, progress.tasks, progress.done), (5, 2, 1));
    assert!(progress.is_over() && progress.problem.unwrap().contains("more than 0 MiB"));
}

#[tokio::test]
async fn redirects_give_way_to_files_unless_forced() {
    let fixture = site(&[
        (
            "_redirects",
            "/file /x 301\n/forced /y 302!\n/gone /late 410\n/rw/* /file.html 200\n/nf /file.html 404\n/old/:id /new/:id\nbad",
        ),
        ("_headers", "/*\n  X-Frame-Options: DENY\n/file\n  Cache-Control: no-store"),
        ("file.html", "file"),
        ("forced.html", "forced"),
    ]);
    assert_eq!(get(&fixture, "/file").await.body, "file");
    let got = get(&fixture, "/forced?a=1").await;
    assert_eq!((got.status, got.header("location")), (302, "/y?a=1"));
    assert_eq!(get(&fixture, "/gone").await.status, 410);
    let got = get(&fixture, "/rw/any/thing").await;
    assert_eq!((got.status, got.body.as_str()), (200, "file"));
    let got = get(&fixture, "/nf").await;
    assert_eq!((got.status, got.body.as_str()), (404, "file"));
    assert_eq!(get(&fixture, "/old/7").await.header("location"), "/new/7");
    let got = get(&fixture, "/file").await;
    assert_eq!((got.header("x-frame-options"), got.header("cache-control")), ("DENY", "no-store"));
    assert_eq!(get(&fixture, "/_redirects").await.status, 404);
    assert_eq!(get(&fixture, "/_headers").await.status, 404);
    for (path, location) in [("/old/a%2Fb%26c", "/new/a%2Fb%26c"), ("/old/%2B%40?q=%2B", "/new/%2B%40?q=%2B")] {
        assert_eq!(get(&fixture, path).await.header("location"), location);
    }
}

proptest! {
    #[test]
    fn no_path_panics_or_leaves_the_root(path in "/([a-z./%2eE5Cf\\\\]|%2e|%2f|\\.\\./|docs|index|outside\\.txt){0,12}", range in "bytes=[0-9-]{0,6}") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let fixture = usual();
        if let Ok(uri) = path.parse::<Uri>() {
            let headers = HeaderMap::from_iter([(http::header::RANGE, range.parse().unwrap())]);
            let got = runtime.block_on(async { collect(fixture.site.respond(&Method::GET, &uri, &headers).await).await });
            prop_assert!(!got.body.contains("outside") && !got.body.contains("secret"), "{}", path);
        }
    }

    #[test]
    fn no_rules_file_panics(redirects in "[/a-z:*!#% 0-9\n]{0,80}", headers in "[/a-z:*! \n\t]{0,80}") {
        let (rules, _) = super::redirects::Redirects::parse(&redirects);
        if let Some((rule, captures)) = rules.find(&super::path::MatchPath::new("/a/b").unwrap()) {
            let _ = (rule.location(&captures, Some("q")), rule.target(&captures));
        }
        super::header_rules::HeaderRules::parse(&headers).0.apply("/a/b", None, &mut HeaderMap::new());
    }
}
