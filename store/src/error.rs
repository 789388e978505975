use sqlx::error::ErrorKind;

/// Reason for which the store could not carry out a request.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database was migrated by a newer MikroCloud.
    #[error("the database has the schema of a newer MikroCloud: start that version, or restore a backup made with this one")]
    NewerSchema,
    /// Something with the same unique value exists.
    #[error("it exists already")]
    Exists,
    /// The row was not in the state that the change expects.
    #[error("it was changed by somebody else")]
    Changed,
    /// The job's lease is another worker's now; the write was refused.
    #[error("the lease of this job is lost")]
    LeaseLost,
    /// There is no room left for the database.
    #[error("the disk of the database is full")]
    DiskFull,
    /// The database did not do what was asked.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the schema could not be migrated")]
    Migrate(#[source] sqlx::migrate::MigrateError),
}

/// Codes with which databases report a full disk: SQLite's `SQLITE_FULL` and `SQLITE_IOERR_SHMSIZE`, PostgreSQL's `disk_full`.
const DISK_FULL: [&str; 3] = ["13", "4874", "53100"];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let Some(said) = error.as_database_error() else { return Self::Database(error) };
        match (said.kind(), said.code().as_deref()) {
            (ErrorKind::UniqueViolation, _) => Self::Exists,
            (_, Some(code)) if DISK_FULL.contains(&code) => Self::DiskFull,
            _ => Self::Database(error),
        }
    }
}

impl StoreError {
    /// Returns true if the database could not be reached, or is only just starting: it may be available later.
    pub fn is_connection_lost(&self) -> bool {
        let Self::Database(error) = self else { return false };
        match error {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => true,
            // The server starts, stops, or has no room (PostgreSQL, appendix A: class 57P and 53300).
            sqlx::Error::Database(error) => {
                error.code().is_some_and(|code| ["57P01", "57P02", "57P03", "53300"].contains(&code.as_ref()))
            }
            _ => false,
        }
    }

    /// Returns true if a retry can succeed.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Database(_) | Self::DiskFull | Self::Changed)
    }
}

/// A result of the store.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Turns "no row was changed" into an error.
pub fn expect_one(affected: u64, error: StoreError) -> Result<()> {
    if affected == 1 { Ok(()) } else { Err(error) }
}
