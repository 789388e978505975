//! The master key: from the environment, or from a file made at first start.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use services::MasterKey;

use crate::data_directory::{DATABASE, default_directory};
use crate::failure::Failure;
use crate::installation::InstallationChoice;

const VARIABLE: &str = "MIKROCLOUD_MASTER_KEY";
const FILE: &str = "master.key";
const SHAPE: &str = "64 hexadecimal digits (`openssl rand -hex 32` makes some)";

/// The master key that the environment or a file gives to a process of the scaled-out form.
pub fn given_master_key(file: Option<&Path>) -> Result<MasterKey, Failure> {
    if let Some(key) = given(file)? {
        return Ok(key);
    }
    let message = format!("no master key is given: set {VARIABLE} or MIKROCLOUD_MASTER_KEY_FILE, the same for every process");
    Err(Failure::failed("MASTER_KEY", message))
}

/// The master key of an installation that is there already or is to be restored: from the environment, a file, or its data directory.
pub fn existing_master_key(file: Option<&Path>, directory: &Path) -> Result<MasterKey, Failure> {
    if let Some(key) = given(file)? {
        return Ok(key);
    }
    let path = directory.join(FILE);
    if !path.exists() {
        let message = format!(
            "the master key is not in {}: put it there, give its file with --master-key-file FILE, or set {VARIABLE}",
            path.display()
        );
        return Err(Failure::failed("MASTER_KEY", message));
    }
    from_file(&path)
}

/// Keeps the key of a restored database beside it, unless one is there.
pub fn keep_master_key(directory: &Path, key: &MasterKey) -> Result<(), Failure> {
    let path = directory.join(FILE);
    if path.exists() { Ok(()) } else { write(&path, key) }
}

/// Refuses a key that is not the one a data directory already has.
pub fn check_master_key(directory: &Path, key: &MasterKey) -> Result<(), Failure> {
    let path = directory.join(FILE);
    if path.exists() && from_file(&path)?.to_hex() != key.to_hex() {
        let message = format!("{} is another key than the one given: move it away, or give the same", path.display());
        return Err(Failure::failed("MASTER_KEY", message));
    }
    Ok(())
}

/// The master key of an installation that is there already, and the file that holds it, if one does.
pub fn held_master_key(installation: &InstallationChoice) -> Result<(MasterKey, Option<PathBuf>), Failure> {
    if let Some(key) = from_environment()? {
        return Ok((key, None));
    }
    let file = match (&installation.master_key_file, &installation.database_url) {
        (Some(file), _) => file.clone(),
        (None, Some(_)) => return Ok((given_master_key(None)?, None)),
        (None, None) => installation.data.directory.clone().map_or_else(default_directory, Ok)?.join(FILE),
    };
    Ok((from_file(&file)?, Some(file)))
}

/// Puts a new key into the place of an old one, or into a file that is not there yet. The file stays its owner's.
pub fn replace_master_key(path: &Path, old: &MasterKey, new: &MasterKey) -> Result<(), String> {
    if path.exists() {
        let held = from_file(path).map_err(|failure| failure.message)?.to_hex();
        if held == new.to_hex() {
            return Ok(());
        }
        if held != old.to_hex() {
            return Err(format!("{} holds another key: name a file that is not there yet with --new-key-file", path.display()));
        }
    }
    write(path, new).map_err(|failure| failure.message)
}

fn given(file: Option<&Path>) -> Result<Option<MasterKey>, Failure> {
    match from_environment()? {
        Some(key) => Ok(Some(key)),
        None => file.map(from_file).transpose(),
    }
}

fn from_file(path: &Path) -> Result<MasterKey, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::failed("MASTER_KEY", format!("the master key {} cannot be read: {error}", path.display())))?;
    MasterKey::from_hex(&text).ok_or_else(|| Failure::failed("MASTER_KEY", format!("{} holds no key: {SHAPE}", path.display())))
}

fn from_environment() -> Result<Option<MasterKey>, Failure> {
    let Ok(text) = std::env::var(VARIABLE) else { return Ok(None) };
    match MasterKey::from_hex(&text) {
        Some(key) => Ok(Some(key)),
        None => Err(Failure::failed("MASTER_KEY", format!("{VARIABLE} is no key: set it to {SHAPE}"))),
    }
}

/// The master key of a data directory.
pub fn master_key(directory: &Path) -> Result<MasterKey, Failure> {
    if let Some(key) = from_environment()? {
        return Ok(key);
    }
    let path = directory.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) => MasterKey::from_hex(&text).ok_or_else(|| {
            Failure::failed(
                "MASTER_KEY",
                format!("{} holds no key: restore it from a backup, secrets cannot be read without it", path.display()),
            )
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !directory.join(DATABASE).exists() => create(&path),
        Err(error) => {
            let message = format!("the master key {} cannot be read ({error}): restore it, or set {VARIABLE}", path.display());
            Err(Failure::failed("MASTER_KEY", message))
        }
    }
}

fn create(path: &Path) -> Result<MasterKey, Failure> {
    let key = MasterKey::generate();
    write(path, &key)?;
    Ok(key)
}

fn write(path: &Path, key: &MasterKey) -> Result<(), Failure> {
    let written = (|| {
        // Beside and then renamed: a half-written key would lock its owner out.
        let beside = path.with_extension("new");
        let mut file = File::options().create(true).write(true).truncate(true).mode(0o600).open(&beside)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        if let Ok(present) = fs::metadata(path) {
            fchown(&file, Some(present.uid()), Some(present.gid()))?;
        }
        writeln!(file, "{}", key.to_hex().expose())?;
        file.sync_all()?;
        fs::rename(beside, path)?;
        File::open(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))?.sync_all()
    })();
    written
        .map_err(|error| Failure::failed("MASTER_KEY", format!("the master key {} cannot be written: {error}", path.display())))
}
