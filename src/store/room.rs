//! Whether there is room: after the disk was full a node tries now and then, and takes messages again once it may write.

use std::sync::atomic::Ordering;

use super::error::Failure;
use super::rows::Rows;
use super::sql::{Tx, Val};
use super::writer::Write;
use super::{Store, StoreError};

/// How much must fit before the disk is held to have room again. More than most messages, and it does not compress.
const ROOM_BYTES: usize = 256 * 1024;

impl Store {
    /// Whether something that was to be written found no room, and none has been found since.
    pub fn is_full(&self) -> bool {
        self.inner.full.load(Ordering::Acquire)
    }

    /// Writes something and takes it out again, where the disk was full; a success ends that state. Small things may find a place on a full
    /// disk, so that one of them proves nothing.
    ///
    /// # Errors
    /// [`StoreError::NoSpace`] while there is none, and as of any writing.
    pub async fn look_for_room(&self) -> Result<(), StoreError> {
        if !self.is_full() {
            return Ok(());
        }
        self.task(Fill).await?;
        self.inner.full.store(false, Ordering::Release);
        self.task(Empty).await
    }
}

/// Bytes that no engine makes smaller.
fn filler() -> Vec<u8> {
    let (mut state, mut bytes) = (1_u64, Vec::with_capacity(ROOM_BYTES));
    while bytes.len() < ROOM_BYTES {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend(state.to_be_bytes().into_iter().take(4));
    }
    bytes
}

#[derive(Debug)]
struct Fill;

impl Write for Fill {
    type Out = ();

    async fn run(&self, tx: &mut Tx<'_>, _rows: &mut Rows<'_>) -> Result<(), Failure> {
        let sql =
            "INSERT INTO room (id, filler) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET filler = excluded.filler";
        tx.one(sql, vec![1.into(), Val::Owned(filler())]).await?;
        Ok(())
    }
}

#[derive(Debug)]
struct Empty;

impl Write for Empty {
    type Out = ();

    async fn run(&self, tx: &mut Tx<'_>, _rows: &mut Rows<'_>) -> Result<(), Failure> {
        tx.one("DELETE FROM room WHERE id = $1", vec![1.into()]).await?;
        Ok(())
    }
}
