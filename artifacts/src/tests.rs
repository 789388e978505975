use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use domain::id::ObjectId;
use tempfile::TempDir;

use crate::{ArtifactError, ArtifactLimits, ArtifactStore, Artifacts, Objects, Prepared, Stored};

const LIMITS: ArtifactLimits = ArtifactLimits { bytes: 1 << 20, files: 100 };

struct Bench {
    store: ArtifactStore,
    directory: TempDir,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { store: ArtifactStore::open(directory.path()).unwrap(), directory }
    }

    async fn put(&self, tree: &TempDir) -> Result<Stored, ArtifactError> {
        let stored = self.store.put(tree.path(), &LIMITS).await;
        assert_eq!(self.leftovers(), 0);
        stored
    }

    fn leftovers(&self) -> usize {
        fs::read_dir(self.directory.path().join("tmp")).unwrap().count()
    }
}

fn tree(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn the_same_content_has_the_same_digest_and_is_stored_once() {
    let bench = Bench::new();
    let (one, two) = (tree(&[("a", "1"), ("b/c", "2")]), tree(&[("b/c", "2"), ("a", "1")]));
    fs::set_permissions(two.path().join("a"), fs::Permissions::from_mode(0o4606)).unwrap();
    let stored = bench.put(&one).await.unwrap();
    assert_eq!((stored.bytes, stored.files), (2, 2));
    assert_eq!(bench.put(&two).await.unwrap(), stored);
    assert_eq!(bench.store.list().await.unwrap(), std::slice::from_ref(&stored.digest));
    assert!(bench.store.verify(&stored.digest).await.unwrap());
    let place = bench.store.path(&stored.digest).unwrap();
    assert_eq!(fs::read_to_string(place.join("b/c")).unwrap(), "2");
    assert!(one.path().join("a").exists());
}

#[tokio::test]
async fn every_difference_that_matters_changes_the_digest() {
    let bench = Bench::new();
    let executable = tree(&[("a", "1")]);
    fs::set_permissions(executable.path().join("a"), fs::Permissions::from_mode(0o755)).unwrap();
    let link = tree(&[]);
    symlink("1", link.path().join("a")).unwrap();
    let directory = tree(&[("a", "1")]);
    fs::create_dir(directory.path().join("empty")).unwrap();
    let trees = [
        tree(&[("a", "1")]),
        tree(&[("a", "2")]),
        tree(&[("b", "1")]),
        tree(&[("a", "1"), ("b", "")]),
        executable,
        link,
        directory,
    ];
    let mut digests = std::collections::HashSet::new();
    for tree in &trees {
        digests.insert(bench.put(tree).await.unwrap().digest);
    }
    assert_eq!(digests.len(), trees.len());
}

#[tokio::test]
async fn links_inside_stay_and_links_outside_are_named() {
    let bench = Bench::new();
    let good = tree(&[("node_modules/vite/bin/vite.js", "#!"), ("node_modules/.bin/.keep", "")]);
    symlink("../vite/bin/vite.js", good.path().join("node_modules/.bin/vite")).unwrap();
    let stored = bench.put(&good).await.unwrap();
    let link = bench.store.path(&stored.digest).unwrap().join("node_modules/.bin/vite");
    assert_eq!(fs::read_link(link).unwrap(), Path::new("../vite/bin/vite.js"));
    for target in ["/etc/passwd", "../x", "node_modules/../../x"] {
        let bad = tree(&[("a", "")]);
        symlink(target, bad.path().join("leak")).unwrap();
        let error = bench.put(&bad).await.unwrap_err();
        assert_eq!(error.code(), "OUTPUT_LINK");
        assert!(error.to_string().contains("`leak`"), "{error}");
    }
}

#[tokio::test]
async fn nothing_and_too_much_are_refused() {
    let bench = Bench::new();
    let empty = tree(&[]);
    fs::create_dir(empty.path().join("directory")).unwrap();
    assert_eq!(bench.put(&empty).await.unwrap_err().code(), "OUTPUT_EMPTY");
    let large = tree(&[("a", &"x".repeat((1 << 20) + 1))]);
    insta::assert_snapshot!(bench.put(&large).await.unwrap_err(), @"the output has more than 1 MiB: leave out what is not needed to run, or raise the limit");
    let many: Vec<String> = (0..101).map(|number| number.to_string()).collect();
    let many = tree(&many.iter().map(|name| (name.as_str(), "")).collect::<Vec<_>>());
    insta::assert_snapshot!(bench.put(&many).await.unwrap_err(), @"the output has more than 100 files and directories: leave out what is not needed to run, or raise the limit");
    let absent = bench.store.put(Path::new("/no/such/directory"), &LIMITS).await.unwrap_err();
    assert_eq!(absent.code(), "OUTPUT_UNREADABLE");
    assert_eq!(bench.store.list().await.unwrap(), []);
}

#[tokio::test]
async fn a_tree_that_is_taken_is_as_one_that_was_copied() {
    let bench = Bench::new();
    let cache = tree(&[("cached", "shared")]);
    let outer = tree(&[("out/bin/run", "#!"), ("out/b", "2")]);
    let out = outer.path().join("out");
    fs::hard_link(cache.path().join("cached"), out.join("module")).unwrap();
    fs::set_permissions(out.join("bin/run"), fs::Permissions::from_mode(0o4700)).unwrap();
    let copied = Bench::new().store.put(&out, &LIMITS).await.unwrap();
    let taken = bench.store.take(Prepared::of(&out, &LIMITS).await.unwrap()).await.unwrap();
    assert_eq!((&taken, bench.leftovers(), out.exists()), (&copied, 0, false));
    fs::write(cache.path().join("cached"), "changed later").unwrap();
    assert!(bench.store.verify(&taken.digest).await.unwrap());
    assert_eq!(mode(&bench.store.path(&taken.digest).unwrap().join("bin/run")), 0o755);
}

#[tokio::test]
async fn damage_is_seen_and_what_is_removed_is_gone() {
    let bench = Bench::new();
    let digest = bench.put(&tree(&[("a", "1")])).await.unwrap().digest;
    fs::write(bench.store.path(&digest).unwrap().join("a"), "2").unwrap();
    assert!(!bench.store.verify(&digest).await.unwrap());
    for _ in 0..2 {
        bench.store.remove(&digest).await.unwrap();
        assert_eq!((bench.store.path(&digest), bench.leftovers()), (None, 0));
    }
    assert!(!bench.store.verify(&digest).await.unwrap());
}

#[tokio::test]
async fn what_a_killed_process_left_is_swept_when_the_store_opens() {
    let bench = Bench::new();
    let digest = bench.put(&tree(&[("a", "1")])).await.unwrap().digest;
    fs::create_dir_all(bench.directory.path().join("tmp/half/tree")).unwrap();
    let store = ArtifactStore::open(bench.directory.path()).unwrap();
    assert_eq!(bench.leftovers(), 0);
    assert_eq!(store.list().await.unwrap(), [digest]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_may_store_the_same_at_once() {
    let bench = Bench::new();
    let files: Vec<(String, &str)> = (0..50).map(|number| (format!("f{number}"), "text")).collect();
    let tree = tree(&files.iter().map(|(name, text)| (name.as_str(), *text)).collect::<Vec<_>>());
    let tasks = (0..8).map(|_| {
        let (store, path) = (bench.store.clone(), tree.path().to_owned());
        tokio::spawn(async move { store.put(&path, &LIMITS).await.unwrap() })
    });
    let mut stored = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        stored.push(task.await.unwrap());
    }
    assert!(stored.iter().all(|other| *other == stored[0]));
    assert!(bench.store.verify(&stored[0].digest).await.unwrap());
    assert_eq!(bench.leftovers(), 0);
}

/// Two machines over one object store.
struct Machines {
    directory: TempDir,
    objects: Objects,
}

impl Machines {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let objects = Objects::in_directory(&directory.path().join("objects")).unwrap();
        Self { directory, objects }
    }

    fn machine(&self, name: &str) -> Artifacts {
        Artifacts::shared(ArtifactStore::open(self.directory.path().join(name)).unwrap(), self.objects.clone())
    }

    async fn keep(&self, machine: &Artifacts, tree: &TempDir) -> Stored {
        machine.keep(Prepared::of(tree.path(), &LIMITS).await.unwrap(), None).await.unwrap()
    }

    /// The one object there is.
    fn object(&self) -> std::path::PathBuf {
        let group = fs::read_dir(self.directory.path().join("objects/artifacts")).unwrap().next().unwrap().unwrap().path();
        fs::read_dir(group).unwrap().next().unwrap().unwrap().path()
    }
}

#[tokio::test]
async fn an_artifact_of_one_machine_is_the_same_on_another() {
    let machines = Machines::new();
    let (here, there) = (machines.machine("here"), machines.machine("there"));
    let tree = tree(&[("bin/run", "#!"), ("deep/er/ü", "text")]);
    fs::set_permissions(tree.path().join("bin/run"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("deep/er", tree.path().join("link")).unwrap();
    fs::create_dir(tree.path().join("empty")).unwrap();
    let digest = machines.keep(&here, &tree).await.digest;
    assert!(there.is_there(&digest).await.unwrap());
    let place = there.fetch(&digest).await.unwrap();
    assert_eq!(fs::read_to_string(place.join("link/ü")).unwrap(), "text");
    assert_eq!((mode(&place.join("bin/run")), place.join("empty").is_dir()), (0o755, true));
    // What the machine does not use goes, and comes again.
    there.forget_unused(|_| false).await.unwrap();
    assert!(!place.exists());
    assert_eq!(there.fetch(&digest).await.unwrap(), place);
    here.remove(&digest, None).await.unwrap();
    there.forget_unused(|_| false).await.unwrap();
    assert_eq!(there.fetch(&digest).await.unwrap_err().code(), "ARTIFACT_GONE");
}

#[tokio::test]
async fn a_damaged_object_is_never_used() {
    let machines = Machines::new();
    let (here, other) = (machines.machine("here"), machines.machine("other"));
    let digest = machines.keep(&here, &tree(&[("a", "1")])).await.digest;
    let good = fs::read(machines.object()).unwrap();
    machines.keep(&other, &tree(&[("a", "2")])).await;
    let archives = [good[..good.len() / 2].to_vec(), b"no archive".to_vec(), Vec::new()];
    for (number, archive) in archives.iter().enumerate() {
        let path = machines.directory.path().join(format!("objects/artifacts/{}/{digest}.tar.gz", &digest.as_str()[..2]));
        fs::write(&path, archive).unwrap();
        let machine = machines.machine(&format!("machine{number}"));
        assert_eq!(machine.fetch(&digest).await.unwrap_err().code(), "ARTIFACT_DAMAGED");
        assert_eq!(fs::read_dir(machines.directory.path().join(format!("machine{number}/tmp"))).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn objects_are_listed_with_their_age_and_removed() {
    let machines = Machines::new();
    let file = machines.directory.path().join("file");
    fs::write(&file, vec![7; 25 << 20]).unwrap();
    // More than one part.
    machines.objects.put("uploads/large", &file).await.unwrap();
    let listed = machines.objects.list("uploads").await.unwrap();
    assert!(listed.len() == 1 && listed[0].0 == "uploads/large" && listed[0].1.elapsed().unwrap().as_secs() < 3600, "{listed:?}");
    let back = machines.directory.path().join("back");
    machines.objects.get("uploads/large", &back).await.unwrap();
    assert!(fs::read(&back).unwrap() == fs::read(&file).unwrap());
    for _ in 0..2 {
        machines.objects.remove("uploads/large").await.unwrap();
    }
    assert!(!machines.objects.exists("uploads/large").await.unwrap());
    assert!(matches!(machines.objects.get("uploads/large", &back).await, Err(crate::ObjectError::Missing)));
    assert_eq!(machines.objects.list("nothing").await.unwrap(), []);
}

#[tokio::test]
async fn a_file_is_stored_to_its_end_though_nobody_waits_any_more() {
    let machines = Machines::new();
    let file = machines.directory.path().join("file");
    fs::write(&file, vec![7; 25 << 20]).unwrap();
    let mut storing = Box::pin(machines.objects.put("uploads/large", &file));
    assert!(futures::poll!(&mut storing).is_pending());
    drop(storing);
    let stored = async || machines.objects.exists("uploads/large").await.unwrap();
    testkit::wait_until(std::time::Duration::from_secs(20), "the object", stored).await;
}

#[tokio::test]
async fn content_that_comes_back_is_in_an_object_that_a_late_removal_does_not_reach() {
    let machines = Machines::new();
    let (here, there) = (machines.machine("here"), machines.machine("there"));
    let tree = tree(&[("a", "1")]);
    let digest = machines.keep(&here, &tree).await.digest;
    let again = ObjectId::new();
    let tree = self::tree(&[("a", "1")]);
    here.keep(Prepared::of(tree.path(), &LIMITS).await.unwrap(), Some(again)).await.unwrap();
    here.remove(&digest, None).await.unwrap();
    assert!(there.is_there(&digest).await.unwrap());
    assert_eq!(fs::read_to_string(there.fetch(&digest).await.unwrap().join("a")).unwrap(), "1");
    let kept: Vec<_> = here.list().await.unwrap().into_iter().map(|kept| (kept.digest, kept.object_id)).collect();
    assert_eq!(kept, [(digest.clone(), Some(again))]);
    here.remove(&digest, Some(again)).await.unwrap();
    assert!(!here.is_there(&digest).await.unwrap());
}
