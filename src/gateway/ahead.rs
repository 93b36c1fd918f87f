//! What goes out, made while the message is accepted: the document is read and its body at hand, and dispatch needs to read, compose and
//! store nothing before it hands over.

use crate::crypto::sha256;
use crate::domain::{Header, Participant, Timestamp, Via};
use crate::envelope::{BodyDraft, Draft, sign_canonical};
use crate::store::Outgoing;
use crate::xml::{self, Node};

use super::Gateway;
use super::judge::Bench;

/// The canonical body of a message that goes to its one recipient as its sender wrote it: in the sender's version, whole, and in the canonical
/// form. `None`: something is left to do, and the first attempt does it.
pub(super) fn forwarded(
    body: Node<'_>,
    header: &Header,
    (sender, recipient): (&Participant, &Participant),
    bench: &Bench<'_>,
) -> Option<Vec<u8>> {
    if sender.id == recipient.id || recipient.adapter.is_some() {
        return None;
    }
    let regulation = bench.snapshot.regulation(&sender.regulation).ok()?;
    if regulation.own_part(&header.message_type, sender, recipient).is_some() {
        return None;
    }
    let version = bench.snapshot.version_for(&header.message_type, recipient).ok()?;
    (version == header.message_type).then(|| xml::canonical_bytes(body, None))
}

impl Gateway {
    /// What goes out of a message that was accepted at `now` as these bytes. `None`: it cannot be made; the first attempt tells why.
    pub(super) fn ahead(&self, header: &Header, body: Vec<u8>, bytes: &[u8], now: Timestamp) -> Option<Outgoing> {
        let signer = self.inner.signer.as_ref();
        if !signer.certificate().is_valid_at(now) {
            return None;
        }
        let via = Via { gateway: self.id().clone(), accepted_at: now, digest: sha256(bytes) };
        let header = Header { via: Some(via), ..header.clone() };
        let sealed = sign_canonical(&Draft { header, body: BodyDraft::Xml(body) }, signer).ok()?;
        let certificate = signer.certificate().thumbprint();
        Some(Outgoing { signed: sealed.bytes, digest: sealed.digest, certificate })
    }
}
