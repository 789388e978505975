use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

use super::*;

fn tree(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

fn packed(directory: &Path) -> Result<Vec<u8>, ArchiveError> {
    let mut bytes = Vec::new();
    pack(directory, &mut bytes, &PackLimits::default())?;
    Ok(bytes)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An archive of entries that the `tar` crate would refuse to write.
struct Hostile(Builder<Vec<u8>>);

impl Hostile {
    fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    fn with(mut self, kind: EntryType, name: &str, link: &str, content: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o777);
        header.set_size(content.len() as u64);
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        self.0.append(&header, content).unwrap();
        self
    }

    fn file(self, name: &str) -> Self {
        self.with(EntryType::Regular, name, "", b"x")
    }

    fn link(self, name: &str, target: &str) -> Self {
        self.with(EntryType::Symlink, name, target, b"")
    }

    fn bytes(self) -> Vec<u8> {
        gzip(&self.0.into_inner().unwrap())
    }
}

/// Unpacks and checks that nothing appears beside the target.
fn unpacked(archive: &[u8], limits: &UnpackLimits) -> Result<UnpackSummary, ArchiveError> {
    let outer = tempfile::tempdir().unwrap();
    let result = unpack(archive, &outer.path().join("a/target"), limits);
    let names = |path: &Path| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!((names(outer.path()), names(&outer.path().join("a"))), (vec!["a".into()], vec!["target".into()]));
    result
}

fn refused(archive: &[u8]) -> &'static str {
    unpacked(archive, &UnpackLimits::default()).unwrap_err().code()
}

#[test]
fn what_is_packed_is_what_is_unpacked() {
    let long = format!("{}/{}.txt", "d".repeat(120), "f".repeat(120));
    let source = tree(&[("index.html", "<h1>"), ("bin/run", "#!/bin/sh"), ("ünï/c.txt", "ü"), (&long, "long"), ("empty", "")]);
    fs::set_permissions(source.path().join("bin/run"), fs::Permissions::from_mode(0o4777)).unwrap();
    symlink("../index.html", source.path().join("bin/link")).unwrap();
    symlink(&long, source.path().join("long-link")).unwrap();
    let target = tempfile::tempdir().unwrap();
    let archive = packed(source.path()).unwrap();
    let summary = unpack(&archive[..], target.path(), &UnpackLimits::default()).unwrap();
    assert_eq!(summary, UnpackSummary { files: 7, bytes: 19 });
    assert_eq!(fs::read_to_string(target.path().join(&long)).unwrap(), "long");
    assert_eq!(fs::read_link(target.path().join("long-link")).unwrap(), Path::new(&long));
    assert_eq!(fs::read_to_string(target.path().join("bin/link")).unwrap(), "<h1>");
    let mode = |name: &str| target.path().join(name).metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("bin/run") & 0o4100, mode("index.html") & 0o100), (0o100, 0));
    assert_eq!(packed(target.path()).unwrap(), archive);
}

#[test]
fn a_directory_may_be_named_by_a_link() {
    let (source, other) = (tree(&[("a/b", "1")]), tree(&[]));
    symlink(source.path(), other.path().join("link")).unwrap();
    assert_eq!(packed(&other.path().join("link")).unwrap(), packed(source.path()).unwrap());
}

#[test]
fn ignored_files_and_the_repository_stay_behind() {
    let source = tree(&[
        (".gitignore", "dist\n*.log\n!keep.log\n"),
        (".mikrocloudignore", "*.mp4\n"),
        (".env.example", "A="),
        (".git/config", "secret"),
        ("sub/.git", "gitdir: x"),
        ("dist/a.js", ""),
        ("b.log", ""),
        ("keep.log", ""),
        ("film.mp4", ""),
        ("sub/.gitignore", "c.txt"),
        ("sub/c.txt", ""),
        ("sub/d.txt", ""),
    ]);
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&packed(source.path()).unwrap()[..]).take_all());
    let names: Vec<String> =
        archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
    assert_eq!(names, [".env.example", ".gitignore", ".mikrocloudignore", "keep.log", "sub/.gitignore", "sub/d.txt"]);
}

trait TakeAll {
    fn take_all(self) -> std::io::Cursor<Vec<u8>>;
}

impl<R: std::io::Read> TakeAll for R {
    fn take_all(mut self) -> std::io::Cursor<Vec<u8>> {
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes).unwrap();
        std::io::Cursor::new(bytes)
    }
}

#[test]
fn what_cannot_be_packed_is_named() {
    let error = |source: &TempDir| packed(source.path()).unwrap_err();
    let link = tree(&[("a", "")]);
    symlink("/etc/passwd", link.path().join("leak")).unwrap();
    insta::assert_snapshot!(error(&link), @"the link `leak` leads out of the directory: replace it by the file itself, or exclude it in .mikrocloudignore");
    insta::assert_snapshot!(error(&tree(&[])), @"there is no file to upload: check the directory, .gitignore and .mikrocloudignore");
    let absent = pack(Path::new("/no/such/directory"), Vec::new(), &PackLimits::default()).unwrap_err();
    insta::assert_snapshot!(absent, @"`/no/such/directory` cannot be read (entity not found): change its permissions, or exclude it in .mikrocloudignore");
    let file = pack(&link.path().join("a"), Vec::new(), &PackLimits::default()).unwrap_err();
    assert!(file.to_string().contains("(not a directory)"), "{file}");
    let two = tree(&[("a", "1234"), ("b", "1234")]);
    let limited = |bytes, files| pack(two.path(), Vec::new(), &PackLimits { bytes, files }).map_err(|error| error.code());
    assert_eq!(limited(8, 2), Ok(PackSummary { files: 2, bytes: 8 }));
    assert_eq!(limited(7, 2), Err("SOURCE_TOO_LARGE"));
    assert_eq!(limited(8, 1), Err("SOURCE_TOO_MANY_FILES"));
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    for name in ["../evil", "/evil", "a/../../evil", "a/..", "..", "./../evil"] {
        assert_eq!(refused(&Hostile::new().file(name).bytes()), "ARCHIVE_UNSAFE", "{name}");
        assert_eq!(refused(&Hostile::new().with(EntryType::Directory, name, "", b"").bytes()), "ARCHIVE_UNSAFE", "{name}");
        let long = Hostile::new().with(EntryType::GNULongName, "x", "", name.as_bytes()).file("innocent").bytes();
        assert_eq!(refused(&long), "ARCHIVE_UNSAFE", "{name}");
        let record = format!(" path={name}\n");
        let record = format!("{}{record}", record.len() + 2);
        let pax = Hostile::new().with(EntryType::XHeader, "x", "", record.as_bytes()).file("innocent").bytes();
        assert_eq!(refused(&pax), "ARCHIVE_UNSAFE", "{name}");
    }
}

#[test]
fn links_that_lead_elsewhere_are_refused() {
    for target in ["/etc", "..", "../x", "a/../../x", "b/.."] {
        assert_eq!(refused(&Hostile::new().link("link", target).bytes()), "SOURCE_LINK", "{target}");
    }
    assert_eq!(refused(&Hostile::new().with(EntryType::Link, "hard", "/etc/passwd", b"").bytes()), "ARCHIVE_UNSAFE");
    assert_eq!(refused(&Hostile::new().link("a", "b").file("a/c").bytes()), "ARCHIVE_UNSAFE");
    assert_eq!(refused(&Hostile::new().file("b/x").link("a", "b").link("a/c", "x").bytes()), "ARCHIVE_UNSAFE");
    assert_eq!(refused(&Hostile::new().link("a", "b").link("a", "c").bytes()), "ARCHIVE_UNSAFE");
}

#[test]
fn devices_pipes_and_doubles_are_refused() {
    for kind in [EntryType::Fifo, EntryType::Char, EntryType::Block, EntryType::GNUSparse] {
        assert_eq!(refused(&Hostile::new().with(kind, "odd", "", b"").bytes()), "ARCHIVE_UNSAFE", "{kind:?}");
    }
    assert_eq!(refused(&Hostile::new().file("a").file("a").bytes()), "ARCHIVE_UNSAFE");
    assert_eq!(refused(&Hostile::new().file("a").file("a/b").bytes()), "ARCHIVE_UNSAFE");
    assert_eq!(refused(&Hostile::new().file("a/b").file("a").bytes()), "ARCHIVE_UNSAFE");
}

#[test]
fn bombs_end_at_their_limit() {
    let limits = UnpackLimits { bytes: 1 << 20, files: 100, path_len: 100 };
    let code = |archive: &[u8]| unpacked(archive, &limits).unwrap_err().code();
    let zeros = vec![0; 16 << 20];
    assert_eq!(code(&Hostile::new().with(EntryType::Regular, "a", "", &zeros).bytes()), "SOURCE_TOO_LARGE");
    // In records that are skipped, in long names, and behind the end.
    assert_eq!(code(&Hostile::new().with(EntryType::XGlobalHeader, "a", "", &zeros).bytes()), "SOURCE_TOO_LARGE");
    assert_eq!(code(&Hostile::new().with(EntryType::GNULongName, "a", "", &zeros).bytes()), "ARCHIVE_UNSAFE");
    assert_eq!(code(&gzip(&zeros)), "SOURCE_TOO_LARGE");
    let many = (0..101).fold(Hostile::new(), |archive, number| archive.file(&format!("f{number}")));
    assert_eq!(code(&many.bytes()), "SOURCE_TOO_MANY_FILES");
    let deep = (0..3).fold(Hostile::new(), |archive, number| archive.file(&format!("{number}/{}f", "a/".repeat(40))));
    assert_eq!(code(&deep.bytes()), "SOURCE_TOO_MANY_FILES");
    assert_eq!(code(&Hostile::new().with(EntryType::GNULongName, "a", "", &[b'a'; 101]).file("b").bytes()), "ARCHIVE_UNSAFE");
}

#[test]
fn a_lying_size_and_what_is_no_archive_are_refused() {
    assert_eq!(refused(b""), "ARCHIVE_INVALID");
    assert_eq!(refused(b"no archive at all"), "ARCHIVE_INVALID");
    assert_eq!(refused(&gzip(b"")), "SOURCE_EMPTY");
    assert_eq!(refused(&gzip(&[b'x'; 2000])), "ARCHIVE_INVALID");
    let whole = packed(tree(&[("a", &"text ".repeat(1000))]).path()).unwrap();
    for cut in [5, 12, whole.len() / 2, whole.len() - 4] {
        assert_eq!(refused(&whole[..cut]), "ARCHIVE_INVALID", "{cut} of {}", whole.len());
    }
    let mut header = Header::new_gnu();
    header.set_path("huge").unwrap();
    header.set_size(1 << 50);
    header.set_cksum();
    assert_eq!(refused(&gzip(header.as_bytes())), "SOURCE_TOO_LARGE");
}

#[test]
fn a_target_with_something_in_it_is_left_alone() {
    let target = tree(&[("mine", "mine")]);
    let error = unpack(&packed(target.path()).unwrap()[..], target.path(), &UnpackLimits::default()).unwrap_err();
    assert_eq!(error.code(), "ARCHIVE_IO");
}

fn kinds() -> impl Strategy<Value = EntryType> {
    use EntryType as E;
    let (often, rarely) = ([E::Regular, E::Symlink], [E::Directory, E::Link, E::GNULongName, E::GNULongLink, E::XHeader]);
    prop::sample::select([&often[..], &often, &rarely].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_archive_writes_outside(entries in prop::collection::vec((kinds(), "[ab./]{0,6}", "[ab./]{0,6}"), 0..12)) {
        let archive = entries.iter().fold(Hostile::new(), |archive, (kind, name, link)| {
            archive.with(*kind, name, link, if *kind == EntryType::Regular { b"x" } else { b"" })
        });
        let _ = unpacked(&archive.bytes(), &UnpackLimits::default());
    }

    #[test]
    fn no_link_that_was_unpacked_leads_outside(entries in prop::collection::vec((kinds(), "[ab/]{1,5}", "[ab./]{1,6}"), 0..12)) {
        let archive = entries.iter().fold(Hostile::new(), |archive, (kind, name, link)| archive.with(*kind, name, link, b""));
        let target = tempfile::tempdir().unwrap();
        let root = target.path().canonicalize().unwrap();
        let _ = unpack(&archive.bytes()[..], &root, &UnpackLimits::default());
        for entry in walkdir::WalkDir::new(&root).into_iter().filter_map(Result::ok) {
            if let Ok(real) = entry.path().canonicalize() {
                prop_assert!(real.starts_with(&root), "{} leads to {}", entry.path().display(), real.display());
            }
        }
    }

    #[test]
    fn damaged_archives_end_with_an_error_or_a_tree(position in 0_usize..4000, value in any::<u8>(), outer in any::<bool>()) {
        let mut raw = flate2::read::GzDecoder::new(&packed(tree(&[("a/b", "text"), ("c", "x")]).path()).unwrap()[..]).take_all().into_inner();
        let at = position % raw.len();
        raw[at] = value;
        let mut archive = gzip(&raw);
        if outer {
            let at = position % archive.len();
            archive[at] = value;
        }
        let _ = unpacked(&archive, &UnpackLimits::default());
    }
}
