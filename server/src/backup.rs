//! `mikrocloud backup` and `mikrocloud restore`.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::ProgressBar;
use serde_json::{Map, Value, json};
use services::backup::{self, BackupError, Head, Sums};
use services::{MasterKey, Sealer};
use store::Store;
use tempfile::NamedTempFile;

use crate::data_directory::{DATABASE, DataDir, default_directory};
use crate::failure::Failure;
use crate::installation::InstallationChoice;
use crate::master_key::{check_master_key, existing_master_key, given_master_key, keep_master_key};

/// After how many rows the line on a terminal changes.
const PROGRESS_EVERY: u64 = 1000;

/// `mikrocloud backup`
#[derive(Debug, Args)]
pub struct BackupOptions {
    /// The file to write; one that is there is replaced once the new one is complete
    pub(crate) file: PathBuf,
    /// Write nothing: restore the file into a temporary database and compare
    #[arg(long)]
    pub(crate) verify: bool,
    #[command(flatten)]
    pub(crate) installation: InstallationChoice,
}

/// `mikrocloud restore`
#[derive(Debug, Args)]
pub struct RestoreOptions {
    /// The backup
    pub(crate) file: PathBuf,
    /// Replace what the database holds
    #[arg(long)]
    pub(crate) replace: bool,
    #[command(flatten)]
    pub(crate) installation: InstallationChoice,
}

/// Writes a backup, or verifies one.
pub async fn backup(options: BackupOptions, as_json: bool) -> Result<(), Failure> {
    let key = key_of(&options.installation)?;
    let (head, sums) = if options.verify {
        verify(&options.file, key).await?
    } else {
        let store = open(&options.installation, 1).await?;
        let written = write(&options.file, &store, &Sealer::new(key)).await;
        store.close().await;
        written?
    };
    let done = if options.verify { "Restored into a temporary database and compared" } else { "Backed up" };
    show(done, &options.file, &head, &sums, as_json);
    if !options.verify && !as_json {
        println!(
            "Artifacts and archived logs are not in it: copy `artifacts/` and `objects/` of the data directory, or the bucket of \
             MIKROCLOUD_OBJECTS, as well."
        );
        println!("It opens only with the master key: keep that in another place.");
    }
    Ok(())
}

/// Restores a backup.
pub async fn restore(options: RestoreOptions, as_json: bool) -> Result<(), Failure> {
    let key = key_of(&options.installation)?;
    let (head, sums) = match &options.installation.database_url {
        Some(url) => {
            let store = Store::postgres(url.expose(), 1).await.map_err(|error| unusable(&error))?;
            load(&options.file, &store, key, options.replace).await?
        }
        None => into_directory(&options, key).await?,
    };
    show("Restored", &options.file, &head, &sums, as_json);
    Ok(())
}

/// Restores into a data directory, which nobody else uses meanwhile.
async fn into_directory(options: &RestoreOptions, key: MasterKey) -> Result<(Head, Sums), Failure> {
    let data = DataDir::open(options.installation.data.directory.clone())?;
    check_master_key(data.path(), &key)?;
    let path = data.path().join(DATABASE);
    let new = !path.exists();
    let store = Store::sqlite(&path).await.map_err(|error| unusable(&error))?;
    let loaded = load(&options.file, &store, key.clone(), options.replace).await;
    if loaded.is_ok() {
        keep_master_key(data.path(), &key)?;
    } else if new {
        // An empty database would be taken for an installation that lost its key.
        for end in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(data.path().join(format!("{DATABASE}{end}")));
        }
    }
    loaded
}

/// Writes beside the file and then renames: whoever finds the file finds all of it.
async fn write(path: &Path, store: &Store, sealer: &Sealer) -> Result<(Head, Sums), Failure> {
    let failed = |error: std::io::Error| failure(path, &BackupError::Io(error));
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let file = NamedTempFile::new_in(&directory).map_err(failed)?;
    let progress = Progress::new();
    let written = backup::write(store, sealer, BufWriter::new(file.as_file()), |rows| progress.at(rows)).await;
    let written = written.map_err(|error| failure(path, &error))?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    File::open(&directory).and_then(|directory| directory.sync_all()).map_err(failed)?;
    Ok(written)
}

async fn verify(path: &Path, key: MasterKey) -> Result<(Head, Sums), Failure> {
    let directory = tempfile::tempdir().map_err(|error| failure(path, &BackupError::Io(error)))?;
    let store = Store::sqlite(&directory.path().join(DATABASE)).await.map_err(|error| unusable(&error))?;
    load(path, &store, key, false).await
}

/// Restores into this database and closes it.
async fn load(path: &Path, store: &Store, key: MasterKey, replace: bool) -> Result<(Head, Sums), Failure> {
    let file = File::open(path).map_err(|error| failure(path, &BackupError::Io(error)))?;
    let progress = Progress::new();
    let restored = backup::restore(store, &Sealer::new(key), file, replace, |rows| progress.at(rows)).await;
    store.close().await;
    let restored = restored.map_err(|error| failure(path, &error))?;
    Ok((restored.head, restored.sums))
}

fn key_of(installation: &InstallationChoice) -> Result<MasterKey, Failure> {
    let file = installation.master_key_file.as_deref();
    if installation.database_url.is_some() {
        return given_master_key(file);
    }
    let directory = installation.data.directory.clone().map_or_else(default_directory, Ok)?;
    existing_master_key(file, &directory)
}

/// The database of an installation, which is there.
pub async fn open(installation: &InstallationChoice, connections: u32) -> Result<Store, Failure> {
    let opened = if let Some(url) = &installation.database_url {
        Store::postgres(url.expose(), connections).await
    } else {
        let directory = installation.data.directory.clone().map_or_else(default_directory, Ok)?;
        let path = directory.join(DATABASE);
        if !path.exists() {
            let message = format!("there is no MikroCloud in {}: say where its state is with --data DIR", directory.display());
            return Err(Failure::failed("NOT_SET_UP", message));
        }
        Store::sqlite(&path).await
    };
    opened.map_err(|error| unusable(&error))
}

pub fn unusable(error: &store::StoreError) -> Failure {
    Failure::failed("DATABASE", format!("the database cannot be used: {}", jobs::handler::chain(error)))
}

fn failure(path: &Path, error: &BackupError) -> Failure {
    Failure::failed(error.code(), format!("{}: {}", path.display(), jobs::handler::chain(error)))
}

fn show(done: &str, path: &Path, head: &Head, sums: &Sums, as_json: bool) {
    if as_json {
        let tables: Map<String, Value> = sums.tables().map(|(table, sum)| (table.to_owned(), json!(sum.rows))).collect();
        let file = path.display().to_string();
        println!(
            "{}",
            json!({"file": file, "takenAt": head.taken_at, "schema": head.schema, "program": head.program, "tables": tables})
        );
    } else {
        println!(
            "{done}: {} rows of {} tables, as of {}, schema {}, in {}",
            sums.rows(),
            sums.tables().count(),
            head.taken_at,
            head.schema,
            path.display()
        );
    }
}

/// A line that counts rows, on a terminal.
struct Progress(ProgressBar);

impl Progress {
    fn new() -> Self {
        Self(ProgressBar::new_spinner())
    }

    fn at(&self, rows: u64) {
        if rows.is_multiple_of(PROGRESS_EVERY) {
            self.0.tick();
            self.0.set_message(format!("{rows} rows"));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
