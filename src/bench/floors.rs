//! What no gateway can do without: the cryptography of a message, reading and canonicalising it, one durable commit.

use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::BenchError;
use crate::crypto::{Certificate, FileSigner, Signer as _, sha256};
use crate::xml::{self, Limits};

/// How long each of them is repeated.
const ROUND: Duration = Duration::from_millis(150);
/// What a `SignedInfo` of our policy comes to, in bytes.
const SIGNED_INFO_BYTES: usize = 640;
/// How many commits are made.
const COMMITS: u32 = 40;

/// Means of this machine at this hour, in microseconds: of a processor, but for the commit.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Floors {
    /// Digest of the envelope and one raw signature.
    pub(super) sign_us: f64,
    /// Digest of the envelope and one raw verification.
    pub(super) verify_us: f64,
    /// Parsing the envelope and writing its canonical form.
    pub(super) canonical_us: f64,
    /// One write of a page to the disk, flushed; whatever shares it pays a part.
    pub(super) commit_us: f64,
}

/// Nanoseconds for which this thread has had a processor; `None` where the system does not tell. What the gateway uses is counted alike,
/// so that a machine with other work on it makes neither look slower than the other.
fn processor_nanos() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

fn mean(mut work: impl FnMut()) -> f64 {
    work();
    let (began, before, mut runs) = (Instant::now(), processor_nanos(), 0_u32);
    while began.elapsed() < ROUND {
        work();
        runs = runs.saturating_add(1);
    }
    let used = before.zip(processor_nanos()).map(|(before, after)| after.saturating_sub(before) as f64 / 1e3);
    used.unwrap_or_else(|| began.elapsed().as_secs_f64() * 1e6) / f64::from(runs.max(1))
}

/// Measures them for an envelope, in a folder of the disk that the database uses.
pub(super) fn measure(
    signer: &FileSigner,
    certificate: &Certificate,
    envelope: &[u8],
    folder: &Path,
) -> Result<Floors, BenchError> {
    let info = vec![b'x'; SIGNED_INFO_BYTES];
    let signature = signer.sign(&info).map_err(|e| BenchError::defect(&e))?;
    let algorithm = signer.algorithm();
    let sign_us = mean(|| {
        black_box(sha256(black_box(envelope)));
        drop(black_box(signer.sign(black_box(&info))));
    });
    let verify_us = mean(|| {
        black_box(sha256(black_box(envelope)));
        drop(black_box(certificate.verify(algorithm, black_box(&info), &signature)));
    });
    let limits = Limits::stored();
    let canonical_us = mean(|| {
        if let Ok(document) = xml::read(black_box(envelope), &limits) {
            drop(black_box(xml::canonical_bytes(document.root(), None)));
        }
    });
    Ok(Floors { sign_us, verify_us, canonical_us, commit_us: commit(folder).map_err(|e| BenchError::defect(&e))? })
}

fn commit(folder: &Path) -> std::io::Result<f64> {
    let mut file = tempfile::tempfile_in(folder)?;
    let page = [0_u8; 4096];
    let began = Instant::now();
    for _ in 0..COMMITS {
        file.write_all(&page)?;
        file.sync_data()?;
    }
    Ok(began.elapsed().as_secs_f64() * 1e6 / f64::from(COMMITS))
}
