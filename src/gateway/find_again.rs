//! Messages of before the index: they are looked at once more, in batches, and a run goes on where the last one ended.

use crate::crypto::CryptoError;
use crate::envelope::{self, Body};
use crate::search::{Finds, finds};
use crate::store::{Store, StoreError, Unfound};
use crate::xml::{self, Limits};

/// Messages of one batch: their bytes are in memory at once.
const BATCH: u32 = 100;

/// What one batch came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FoundAgain {
    /// Messages looked at; 0: there are no more.
    pub seen: u64,
    /// Of them those that are found by something now.
    pub found: u64,
    /// Of them those whose stored body could not be read.
    pub unread: u64,
}

/// Why a batch was not done.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The library.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Looks at the next messages again. Harmless to repeat, and beside nodes that run.
///
/// # Errors
/// When the database is away, or the library refuses.
pub async fn find_again(store: &Store) -> Result<FoundAgain, FindError> {
    let batch = store.to_find_again(BATCH).await?;
    let Some(last) = batch.last().map(|message| message.record_id) else { return Ok(FoundAgain::default()) };
    let mut done = FoundAgain::default();
    let mut all = Vec::new();
    for message in batch {
        done.seen = done.seen.saturating_add(1);
        if message.message_type.technical().is_some() {
            continue;
        }
        let Some(finds) = of(&message) else {
            done.unread = done.unread.saturating_add(1);
            continue;
        };
        if finds != Finds::default() {
            done.found = done.found.saturating_add(1);
            all.push((message.record_id, store.search_key().marks(finds)?));
        }
    }
    store.find_again(all, last).await?;
    Ok(done)
}

/// What a stored message is found by; `None`: its body cannot be read.
fn of(message: &Unfound) -> Option<Finds> {
    if let Some(canonical) = &message.content.canonical {
        return Some(finds(xml::read(canonical, &Limits::stored()).ok()?.root()));
    }
    let document = xml::read(&message.content.bytes, &Limits::stored()).ok()?;
    match envelope::read(&document).ok()?.claimed_body() {
        Body::Xml(node) => Some(finds(*node)),
        Body::Payload { .. } => None,
    }
}
