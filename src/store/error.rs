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
