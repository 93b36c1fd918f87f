//! What can go wrong with the store.

/// Why the store did not do what was asked. `Display` never shows a value that was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached now; nothing was written. The store reconnects by itself at a later call.
    #[error("the database cannot be reached: {0}")]
    Away(String),
    /// The connection was lost while committing: the work may or may not be there. Ask again with the same ids.
    #[error("the connection was lost while committing; the outcome is not known")]
    Unknown,
    /// Too many writers wait ([`super::StoreOptions::queue_jobs_max`]).
    #[error("the store's queue is full")]
    Full,
    /// The disk has no room; nothing was written.
    #[error("the database has no room left: {0}")]
    NoSpace(String),
    /// The database refused these rows, and only these; the same call fails again.
    #[error("the database refused the rows: {0}")]
    Refused(String),
    /// What is stored cannot be read: the place, never the value.
    #[error("a stored value cannot be read: {0}")]
    Corrupt(String),
    /// Somebody else appended a configuration revision first; its number.
    #[error("the revision was not appended: the latest is number {latest}")]
    RevisionConflict {
        /// The latest number of that kind.
        latest: i64,
    },
    /// The URL is of neither engine, or names no file.
    #[error("the database URL is not usable: {0}")]
    Url(String),
    /// A migration failed, or the schema is newer than this build.
    #[error("the database schema could not be brought up to date: {0}")]
    Migration(String),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// Why a batch failed: what decides whether to try again, by halves or not at all.
#[derive(Debug)]
pub(super) enum Failure {
    /// The connection is gone and nothing was committed.
    Connection(String),
    /// The connection went while committing.
    Unknown,
    /// A deadlock, a serialization failure or a busy file: the same batch may pass.
    Transient(String),
    /// No room.
    NoSpace(String),
    /// The rows themselves.
    Rows(String),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let shown = shown(&error);
        let sqlx::Error::Database(database) = &error else {
            let rows = matches!(
                error,
                sqlx::Error::Encode(_)
                    | sqlx::Error::Decode(_)
                    | sqlx::Error::ColumnDecode { .. }
                    | sqlx::Error::ColumnNotFound(_)
                    | sqlx::Error::RowNotFound
                    | sqlx::Error::TypeNotFound { .. }
                    | sqlx::Error::AnyDriverError(_)
            );
            return if rows { Self::Rows(shown) } else { Self::Connection(shown) };
        };
        let code = database.code().unwrap_or_default();
        match (code.as_ref(), code.parse::<i64>().map(|c| c & 0xff)) {
            // SQLite's primary codes are small numbers: busy, locked; full; input/output, not openable, not a database.
            // PostgreSQL's have five characters, and all that are numbers only have another form than SQLite's.
            (c, Ok(5 | 6)) if c.len() < 5 => Self::Transient(shown),
            (c, Ok(13)) if c.len() < 5 => Self::NoSpace(shown),
            (c, Ok(10 | 14 | 26)) if c.len() < 5 => Self::Connection(shown),
            ("40001" | "40P01" | "55P03", _) => Self::Transient(shown),
            ("53100", _) => Self::NoSpace(shown),
            (c, _) if c.starts_with("08") || c.starts_with("57P") || c.starts_with("53") => Self::Connection(shown),
            (_, _) => Self::Rows(shown),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Rows(error.to_string())
    }
}

/// The error without values: a database's own message names constraints and codes, not contents.
fn shown(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(d) => format!("{} (code {})", d.message(), d.code().unwrap_or_default()),
        None => error.to_string(),
    }
}

/// The caller's error for a failed read.
pub(super) fn reading(error: sqlx::Error) -> StoreError {
    if matches!(error, sqlx::Error::PoolClosed) {
        return StoreError::Closed;
    }
    match Failure::from(error) {
        Failure::Rows(why) => StoreError::Refused(why),
        Failure::Connection(why) | Failure::Transient(why) | Failure::NoSpace(why) => StoreError::Away(why),
        Failure::Unknown => StoreError::Unknown,
    }
}
