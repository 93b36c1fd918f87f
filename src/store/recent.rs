//! The latest journal entries of one kind, for the page.

use super::{JournalRow, Store, StoreError};

impl Store {
    /// The latest journal entries of one kind, newest first.
    ///
    /// # Errors
    /// When the database is away or a stored value cannot be read.
    pub async fn recent_journal(&self, kind: &str, limit: u32) -> Result<Vec<JournalRow>, StoreError> {
        todo!("{kind} {limit}")
    }
}
