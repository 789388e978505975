//! `_redirects`: a visitor's path chooses no other host, and files that are not to be seen are not shown.
#![no_main]

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;

use clouds_local::edge::fuzzing::{Outcome, RuledSite};
use http::Uri;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use url::Url;

struct Fixture {
    site: RuledSite,
    root: PathBuf,
    _directory: TempDir,
}

fn fixture() -> Fixture {
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path().join("root");
    for file in ["index.html", "404.html", "about.html", "a/index.html", ".env", "_redirects", "_headers", "mikrocloud.toml"] {
        let file = root.join(file);
        fs::create_dir_all(file.parent().expect("it has one")).expect("a directory");
        fs::write(file, "").expect("a file");
    }
    let site = RuledSite::new(&root, &directory.path().join("cache")).expect("a site");
    Fixture { site, root: root.canonicalize().expect("it is there"), _directory: directory }
}

thread_local! { static FIXTURE: RefCell<Fixture> = RefCell::new(fixture()); }

/// The hosts that the rules name as targets.
fn hosts(rules: &str) -> impl Iterator<Item = String> {
    rules.split_whitespace().filter_map(|word| Url::parse(word).ok()?.host_str().map(str::to_owned))
}

// The request's address is the first line, the rules are the rest.
fuzz_target!(|text: &str| {
    let Some((address, rules)) = text.split_once('\n') else { return };
    let Ok(uri) = address.parse::<Uri>() else { return };
    if uri.authority().is_some() {
        return;
    }
    FIXTURE.with_borrow_mut(|fixture| {
        fixture.site.set_redirects(rules);
        match fixture.site.answer(&uri) {
            Outcome::Redirect(status, location) => {
                assert!(status.is_redirection());
                let here = Url::parse("https://site.example/some/where").expect("an address");
                // What no browser can read it goes nowhere with.
                let Ok(there) = here.join(&location) else { return };
                let host = there.host_str().unwrap_or_default();
                assert!(matches!(there.scheme(), "http" | "https"), "{location}");
                assert!(host == "site.example" || hosts(rules).any(|named| named == host), "{address} goes to {location}");
            }
            Outcome::File(file) => {
                let name = file.strip_prefix(&fixture.root).expect("files are the site's").to_string_lossy().into_owned();
                assert!(["index.html", "404.html", "about.html", "a/index.html"].contains(&name.as_str()), "{name}");
            }
            Outcome::Nothing(status) => assert!(status.is_client_error()),
        }
    });
});
