//! The same tests over every kind of object store: a directory, and private stand-ins for S3, Azure Blob Storage and Google Cloud Storage.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use artifacts::{ArtifactLimits, ArtifactStore, Artifacts, ObjectError, Objects, Prepared, Stored};
use domain::id::ObjectId;
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use tempfile::TempDir;
use testkit::{ObjectServer, ObjectVendor, Proxy, wait_until};
use tokio::task::JoinHandle;

const LIMITS: ArtifactLimits = ArtifactLimits { bytes: 1 << 30, files: 100 };

/// An object store of a test's own.
struct Place {
    directory: TempDir,
    server: Option<ObjectServer>,
    objects: Objects,
}

impl Place {
    fn directory() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let objects = Objects::in_directory(&directory.path().join("objects")).unwrap();
        Self { directory, server: None, objects }
    }

    fn server(vendor: ObjectVendor) -> Option<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = ObjectServer::start(vendor)?;
        let objects = Objects::at_with(&server.address().parse().unwrap(), &server.env()).unwrap();
        Some(Self { directory: tempfile::tempdir().unwrap(), server: Some(server), objects })
    }

    fn machine(&self, name: &str) -> Artifacts {
        Artifacts::shared(ArtifactStore::open(self.directory.path().join(name)).unwrap(), self.objects.clone())
    }

    /// A file of random bytes, which no compression makes smaller.
    fn file(&self, name: &str, mib: usize) -> std::path::PathBuf {
        let path = self.directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = BufWriter::new(std::fs::File::create(&path).unwrap());
        let mut random = SmallRng::seed_from_u64(7);
        let mut block = vec![0; 1 << 20];
        for _ in 0..mib {
            random.fill(&mut block[..]);
            file.write_all(&block).unwrap();
        }
        file.into_inner().unwrap();
        path
    }

    /// An artifact with a file of so many MiB.
    async fn keep(&self, machine: &Artifacts, mib: usize, object: Option<ObjectId>) -> Stored {
        let tree = self.directory.path().join(format!("tree{mib}"));
        self.file(&format!("tree{mib}/data"), mib);
        machine.keep(Prepared::of(&tree, &LIMITS).await.unwrap(), object).await.unwrap()
    }

    async fn names(&self, below: &str) -> Vec<String> {
        let mut names: Vec<_> = self.objects.list(below).await.unwrap().into_iter().map(|(name, _)| name).collect();
        names.sort();
        names
    }
}

fn same(one: &Path, two: &Path) -> bool {
    std::fs::read(one).unwrap() == std::fs::read(two).unwrap()
}

async fn objects_are_put_read_listed_and_removed(place: Place) {
    let objects = &place.objects;
    objects.check(false).await.unwrap();
    objects.check(true).await.unwrap();
    let (file, back) = (place.file("file", 1), place.directory.path().join("back"));
    assert_eq!(place.names("uploads").await, Vec::<String>::new());
    for name in ["uploads/one", "uploads/deep/two", "other/three"] {
        assert!(!objects.exists(name).await.unwrap());
        objects.put(name, &file).await.unwrap();
        assert!(objects.exists(name).await.unwrap());
    }
    assert_eq!(place.names("uploads").await, ["uploads/deep/two", "uploads/one"]);
    let (_, changed_at) = objects.list("uploads").await.unwrap().remove(0);
    let age = SystemTime::now().duration_since(changed_at).unwrap_or_default();
    assert!(age < Duration::from_hours(1), "{age:?}");
    objects.get("uploads/deep/two", &back).await.unwrap();
    assert!(same(&file, &back));
    assert_eq!(objects.get_range("uploads/one", 1000..1010).await.unwrap(), std::fs::read(&file).unwrap()[1000..1010]);
    std::fs::write(&file, "changed").unwrap();
    objects.put("uploads/one", &file).await.unwrap();
    objects.get("uploads/one", &back).await.unwrap();
    assert!(same(&file, &back), "another put replaces it");
    std::fs::write(&file, "").unwrap();
    objects.put("uploads/empty", &file).await.unwrap();
    for _ in 0..2 {
        objects.remove("uploads/one").await.unwrap();
    }
    assert!(!objects.exists("uploads/one").await.unwrap());
    assert!(matches!(objects.get("uploads/one", &back).await, Err(ObjectError::Missing)));
    assert!(matches!(objects.get_range("uploads/one", 0..1).await, Err(ObjectError::Missing)));
    assert_eq!(place.names("other").await, ["other/three"]);
}

/// The most memory that this process has held, MiB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
}

async fn a_large_artifact_is_streamed_in_bounded_memory(place: Place) {
    let mib = 110;
    let (here, there) = (place.machine("here"), place.machine("there"));
    let before = peak_memory();
    let digest = place.keep(&here, mib, None).await.digest;
    let fetched = there.fetch(&digest).await.unwrap();
    let grown = peak_memory() - before;
    assert!(grown < 90, "{grown} MiB for an artifact of {mib} MiB");
    assert_eq!(fetched.join("data").metadata().unwrap().len(), (mib as u64) << 20);
    assert!(there.is_there(&digest).await.unwrap());
    assert_eq!(here.list().await.unwrap().len(), 1);
}

async fn what_was_changed_in_the_store_is_refused(place: Place) {
    let (here, there) = (place.machine("here"), place.machine("there"));
    let (digest, other) = (place.keep(&here, 1, None).await.digest, place.keep(&here, 2, None).await.digest);
    let names = place.names("artifacts").await;
    let name = |digest: &domain::artifact::Digest| names.iter().find(|name| name.contains(digest.as_str())).unwrap();
    let file = place.directory.path().join("object");
    // A whole archive, but of something else.
    place.objects.get(name(&other), &file).await.unwrap();
    place.objects.put(name(&digest), &file).await.unwrap();
    assert_eq!(there.fetch(&digest).await.unwrap_err().code(), "ARTIFACT_DAMAGED");
    // Cut off.
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    place.objects.put(name(&digest), &file).await.unwrap();
    assert_eq!(there.fetch(&digest).await.unwrap_err().code(), "ARTIFACT_DAMAGED");
    // Content that came back is in an object of its own, whatever became of the first.
    let again = ObjectId::new();
    place.keep(&here, 1, Some(again)).await;
    here.remove(&digest, None).await.unwrap();
    assert!(there.fetch(&digest).await.unwrap().join("data").is_file());
    here.remove(&digest, Some(again)).await.unwrap();
    assert!(!here.is_there(&digest).await.unwrap() && here.is_there(&other).await.unwrap());
}

macro_rules! on_every_store {
    ($($test:ident)*) => {$(
        mod $test {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn in_a_directory() {
                super::$test(Place::directory()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_s3() {
                if let Some(place) = Place::server(ObjectVendor::Amazon) { super::$test(place).await; }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_azure() {
                if let Some(place) = Place::server(ObjectVendor::Azure) { super::$test(place).await; }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_google() {
                if let Some(place) = Place::server(ObjectVendor::Google) { super::$test(place).await; }
            }
        }
    )*};
}

on_every_store! {
    objects_are_put_read_listed_and_removed
    a_large_artifact_is_streamed_in_bounded_memory
    what_was_changed_in_the_store_is_refused
}

async fn refusal(address: &str, env: &[(&'static str, String)]) -> String {
    let objects = Objects::at_with(&address.parse().unwrap(), env).unwrap();
    let error = objects.check(true).await.unwrap_err();
    assert!(error.is_refusal(), "waiting does not help: {error:?}");
    error.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_bucket_and_wrong_credentials_are_told_with_what_to_check() {
    for (vendor, variable) in [
        (ObjectVendor::Amazon, Some("AWS_SECRET_ACCESS_KEY")),
        (ObjectVendor::Azure, Some("AZURE_STORAGE_ACCOUNT_KEY")),
        (ObjectVendor::Google, None),
    ] {
        let Some(Place { server: Some(server), .. }) = Place::server(vendor) else { continue };
        let said = refusal(&server.address_of("missing-bucket"), &server.env()).await;
        assert!(said.contains("is there"), "{vendor:?}: {said}");
        if let Some(variable) = variable {
            let said = refusal(&server.address(), &server.env_with_wrong_credentials()).await;
            assert!(said.contains(variable), "{vendor:?}: {said}");
        }
    }
}

/// An upload that has begun.
struct Upload(JoinHandle<Result<(), ObjectError>>);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_away_in_the_middle_is_an_error_in_time_and_leaves_nothing() {
    for vendor in [ObjectVendor::Amazon, ObjectVendor::Azure] {
        let Some(mut place) = Place::server(vendor) else { continue };
        let mut server = place.server.take().unwrap();
        let proxy = Proxy::to(server.port()).await;
        let address = server.address().parse().unwrap();
        let file = place.file("large", 60);
        let back = place.directory.path().join("back");
        // Connections of its own each time, by which it is seen that an upload has begun.
        let putting = async |name: &'static str| {
            let (objects, file) = (Objects::at_with(&address, &server.env_at(proxy.port())).unwrap(), file.clone());
            let before = proxy.taken();
            let putting = tokio::spawn(async move { objects.put(name, &file).await });
            wait_until(Duration::from_mins(1), "the upload to begin", async || proxy.taken() > before).await;
            Upload(putting)
        };
        // A cut connection is made again.
        let cut = putting("large").await;
        proxy.cut();
        cut.0.await.unwrap().unwrap();
        // A server that is gone is not waited for for ever.
        let left = putting("another").await;
        server.kill();
        let error = tokio::time::timeout(Duration::from_mins(2), left.0).await.unwrap().unwrap().unwrap_err();
        assert_eq!(error.to_string(), "the object could not be written");
        let error = place.objects.get("large", &back).await.unwrap_err();
        assert!(matches!(error, ObjectError::Failed("read", _)) && !error.is_refusal(), "{error:?}");
    }
}
