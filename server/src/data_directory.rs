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
