//! Taking a signature off again.

use crate::domain::Fault;
use crate::xml::{self, Limits};

use super::read::read;

/// The envelope without its signature, byte for byte as [`compose`](super::compose) wrote it and [`sign_composed`](super::sign_composed) took
/// it: what the gateway signs anew when its certificate has ended.
///
/// # Errors
/// When the bytes are no signed envelope.
pub fn without_signature(signed: &[u8]) -> Result<Vec<u8>, Fault> {
    let document = xml::read(signed, &Limits { bytes_max: usize::MAX, ..Limits::default() })?;
    let range = read(&document)?.signature.range();
    let (head, tail) = (signed.get(..range.start).unwrap_or_default(), signed.get(range.end..).unwrap_or_default());
    Ok([head, tail].concat())
}
