//! Reasons for which a backup could not be written, or does not restore.

use std::io;

use store::StoreError;

/// Reason for which a backup could not be written, or does not restore.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something else, or a file of which the beginning is damaged.
    #[error("the file is no backup of MikroCloud, or its beginning is damaged: take another file")]
    NotABackup,
    /// A newer program wrote it.
    #[error("the backup was written by a newer MikroCloud: restore it with that version or a later one")]
    Newer,
    /// Sealed under another key.
    #[error(
        "the backup was made under another master key, or its beginning is damaged: give the master key of the installation it was made of"
    )]
    WrongKey,
    /// The key is not the database's.
    #[error(
        "the master key is not the one this database was sealed with: give the original key, a backup under another is of no use"
    )]
    OtherKey,
    /// The key is changing: half of the secrets would open with one key and half with the other.
    #[error(
        "the master key is being changed: back up when `mikrocloud keys rotate` has ended, or start it again if it was stopped"
    )]
    KeyChanging,
    /// Failure to determine if the key is being changed.
    #[error("whether the master key changes is not known")]
    Keys(#[from] services_core::ServiceError),
    /// Not as it was written.
    #[error(
        "the backup is damaged or cut short ({0}): nothing of it was restored; take another copy of it, or an earlier backup"
    )]
    Damaged(String),
    /// The database is somebody's.
    #[error("the database is in use: it has users. Restore into an empty one, or replace all that is in it with --replace")]
    InUse,
    /// Others work on the database.
    #[error("{0} other connections of MikroCloud to the database are open: stop every api, worker and edge first, then restore")]
    Connected(i64),
    /// There is nothing to back up.
    #[error("there is no MikroCloud in this database: check its address, or the data directory")]
    Absent,
    /// The database did not do what was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file could not be read or written.
    #[error("the file cannot be read or written: {0}")]
    Io(#[from] io::Error),
}

impl BackupError {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotABackup => "NOT_A_BACKUP",
            Self::Newer | Self::Store(StoreError::NewerSchema) => "NEWER_SCHEMA",
            Self::WrongKey | Self::OtherKey => "MASTER_KEY",
            Self::KeyChanging => "KEY_CHANGING",
            Self::Damaged(_) => "BACKUP_DAMAGED",
            Self::InUse => "DATABASE_IN_USE",
            Self::Connected(_) => "DATABASE_CONNECTED",
            Self::Absent => "NOT_SET_UP",
            Self::Store(_) | Self::Keys(_) => "DATABASE",
            Self::Io(_) => "BACKUP_FILE",
        }
    }

    /// Builds the error of a row or line that cannot be parsed.
    pub(super) fn damaged(what: impl std::fmt::Display) -> Self {
        Self::Damaged(what.to_string())
    }
}
