//! Where work of the processor is done: small pieces at once, large ones in a thread of their own.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Up to so many bytes of envelope reading, verifying and signing take less than waking another thread and being woken by it costs the
/// whole; beyond that others would wait for the async thread.
pub(super) const AT_ONCE_BYTES_MAX: usize = 64 * 1024;

/// The work ended in a panic, which is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a defect of the gateway stopped the work; the log tells more")]
pub(super) struct Panicked;

/// Does work on so many bytes. `is_quick`: nothing in it waits, for a token or a template's loops.
///
/// # Errors
/// When the work panics.
pub(super) async fn done<T: Send + 'static>(
    bytes: usize,
    is_quick: bool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Panicked> {
    if is_quick && bytes <= AT_ONCE_BYTES_MAX {
        return catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked);
    }
    tokio::task::spawn_blocking(work).await.map_err(|_| Panicked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_wherever_it_happens() {
        let here = std::thread::current().id();
        for (bytes, is_quick, is_here) in [(1, true, true), (1, false, false), (AT_ONCE_BYTES_MAX + 1, true, false)] {
            let done_by = done(bytes, is_quick, move || std::thread::current().id()).await.unwrap();
            assert_eq!(done_by == here, is_here);
            assert_eq!(done(bytes, is_quick, || panic!("on purpose")).await.unwrap_err(), Panicked);
        }
    }
}
