//! What the gateway signed itself, on behalf of a participant without envelopes.

use super::{Bench, Judgement, Lookup, Refusal, judged};
use crate::crypto::Certificate;
use crate::domain::{Fault, FaultCode};
use crate::envelope::{self, Envelope, Unverified, Verified};

/// Judges what the gateway composed and signed with its own key on behalf of a participant without envelopes, and only that.
pub(in crate::gateway) fn judge_on_behalf(
    bytes: &[u8],
    own: &Certificate,
    bench: &Bench<'_>,
    lookup: &dyn Lookup,
) -> Result<Judgement, Box<Refusal>> {
    judged(bytes, bench, lookup, |unverified| verify(unverified, own, bench))
}

/// Verifies by the gateway's own certificate what it composed a moment ago. `Via` names the gateway, as nothing from outside may, and
/// the sender must be one that has no envelopes of its own.
fn verify<'a>(
    unverified: Unverified<'a>,
    own: &Certificate,
    bench: &Bench<'_>,
) -> Result<Verified<Envelope<'a>>, Fault> {
    let header = unverified.claimed_header();
    let is_ours = header.via.as_ref().is_some_and(|via| via.gateway == *bench.gateway) && header.derived_from.is_none();
    let sender = bench.snapshot.participant(&header.sender);
    if !is_ours || sender.is_none_or(|p| p.framing.plain().is_none()) {
        let detail = "Header/Sender: nobody signs on behalf of this participant (framing = \"plain\" is not there)";
        return Err(Fault::new(FaultCode::SenderUnknown, detail));
    }
    let not_now = |f: Fault| Fault::new(FaultCode::NotNow, format!("the gateway's own signature: {f}"));
    envelope::verify(unverified, std::slice::from_ref(own), bench.now).map_err(not_now)
}
