//! The directory that holds the state of the embedded form.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The database's file.
pub const DATABASE: &str = "mikrocloud.db";
const LOCK: &str = "lock";

/// A data directory that this process alone uses, until dropped.
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

/// The platform's data directory for MikroCloud.
pub fn default_directory() -> Result<PathBuf, Failure> {
    directories::ProjectDirs::from("", "", "mikrocloud")
        .map(|directories| directories.data_dir().to_owned())
        .ok_or_else(|| Failure::usage("this user has no home directory: say where to keep the state with --data DIR"))
}

impl DataDir {
    /// Makes the directory if need be, private to its user, and locks it.
    pub fn open(path: Option<PathBuf>) -> Result<Self, Failure> {
        let path = path.map_or_else(default_directory, Ok)?;
        let refused = |what: &str, error: &std::io::Error| {
            let remedy = match error.kind() {
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                    "give this user the right to write there, or choose another with --data DIR"
                }
                ErrorKind::StorageFull => "free some space on that disk, or choose another with --data DIR",
                _ => "choose another with --data DIR",
            };
            let message = format!("the data directory {} cannot be used: {what}: {error}. Remedy: {remedy}", path.display());
            Failure::failed("DATA_DIRECTORY", message)
        };
        fs::create_dir_all(&path).map_err(|error| refused("it cannot be made", &error))?;
        make_private(&path).map_err(|error| refused("its mode cannot be set", &error))?;
        let mut lock = File::options().create(true).truncate(false).read(true).write(true).open(path.join(LOCK));
        let lock = lock.as_mut().map_err(|error| refused("its lock file cannot be opened", error))?;
        if fs4::FileExt::try_lock(lock).is_err() {
            let mut holder = String::new();
            let _ = lock.read_to_string(&mut holder);
            let message = format!(
                "the data directory {} is in use by another mikrocloud (process {}): stop that one, or choose another with --data DIR",
                path.display(),
                holder.trim()
            );
            return Err(Failure::failed("DATA_DIRECTORY_IN_USE", message));
        }
        let written = lock.set_len(0).and_then(|()| lock.rewind()).and_then(|()| write!(lock, "{}", std::process::id()));
        written.map_err(|error| refused("it cannot be written to", &error))?;
        let lock = lock.try_clone().map_err(|error| refused("its lock file cannot be kept", &error))?;
        Ok(Self { path, _lock: lock })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses to begin a new installation in the place of one whose database is away: it would know nothing of the files that are here.
    pub fn check_database(&self) -> Result<(), Failure> {
        let is_there = fs::metadata(self.path.join(DATABASE)).is_ok_and(|file| file.len() > 0);
        let has = |directory: &str, is_kept: fn(&str) -> bool| {
            let entries = fs::read_dir(self.path.join(directory)).into_iter().flatten().flatten();
            entries.into_iter().any(|entry| entry.file_name().to_str().is_some_and(is_kept))
        };
        // Artifacts are in directories of two digits, beside one for what is on its way.
        let is_used = has("artifacts", |name| name.len() == 2) || has("objects", |name| !name.starts_with('.'));
        if is_there || !is_used {
            return Ok(());
        }
        let message = format!(
            "{} holds artifacts or objects of an installation, and its database {DATABASE} is absent or empty: bring that back (is its disk \
             mounted?), restore it with `mikrocloud restore`, or, to begin anew, move artifacts, objects and master.key away",
            self.path.display()
        );
        Err(Failure::failed("DATABASE_MISSING", message))
    }

    /// Names this installation among all on the machine, the same after every restart: by it the processes that a killed MikroCloud
    /// left are found.
    pub fn instance(&self) -> String {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let canonical = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        let mut hasher = DefaultHasher::new();
        canonical.hash(&mut hasher);
        format!("mikrocloud-{:016x}", hasher.finish())
    }
}

#[cfg(unix)]
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_installation_is_begun_beside_the_files_of_one_whose_database_is_away() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDir::open(Some(directory.path().to_owned())).unwrap();
        let begins = || data.check_database().is_ok();
        assert!(begins(), "an empty directory");
        let make = |name: &str| fs::create_dir_all(directory.path().join(name)).unwrap();
        make("artifacts/tmp");
        make("objects");
        assert!(begins(), "a start that came to nothing");
        make("artifacts/ab");
        let refused = data.check_database().unwrap_err();
        assert!(refused.code == "DATABASE_MISSING" && refused.message.contains("mikrocloud restore"), "{}", refused.message);
        fs::write(directory.path().join(DATABASE), "").unwrap();
        assert!(!begins(), "an empty file");
        fs::write(directory.path().join(DATABASE), "SQLite format 3").unwrap();
        assert!(begins());
        fs::remove_file(directory.path().join(DATABASE)).unwrap();
        fs::remove_dir_all(directory.path().join("artifacts")).unwrap();
        make("objects/uploads");
        assert!(!begins(), "uploads");
    }
}
