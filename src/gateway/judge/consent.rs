//! What goes with the citizen's consent only.

use std::collections::BTreeSet;

use super::{Bench, Parties};
use crate::deadline::cases::ConsentState;
use crate::deadline::{ExchangeBasis, Start};
use crate::domain::{DataClass, Fault, FaultCode, Header};
use crate::xml::Node;

/// The classes of personal data that a message carries to its recipient on a consent alone; `None`: the law carries it, or there is
/// nothing personal in it.
///
/// # Errors
/// `consent-missing` when the case knows that the consent was refused or withdrawn, or has run out.
pub(super) fn check_consent(
    body: Node<'_>,
    header: &Header,
    parties: &Parties<'_>,
    bench: &Bench<'_>,
) -> Result<Option<BTreeSet<DataClass>>, Fault> {
    let (sender, recipient) = (parties.sender, parties.recipient);
    if sender.id == recipient.id {
        return Ok(None);
    }
    let regulation = bench.snapshot.regulation(&sender.regulation)?;
    let territory = parties.case.map(|case| &case.territory);
    let exchange = regulation.exchange(&header.message_type, sender, recipient, territory);
    let Some(exchange) = exchange.filter(|e| e.basis == ExchangeBasis::Consent) else { return Ok(None) };
    let classes = bench.snapshot.catalogue.data_classes(&header.message_type, body);
    if classes.is_empty() {
        return Ok(None);
    }
    let today = Start::Instant(bench.business_now).local_date(regulation.zone);
    let facts = parties.case.map(|case| &case.facts);
    let ended = classes.iter().find_map(|class| {
        let said = facts?.consent_ended(recipient.id.as_str(), *class, today)?;
        Some((*class, said.state))
    });
    let Some((class, state)) = ended else { return Ok(Some(classes)) };
    let what = match state {
        ConsentState::Given => "has run out",
        ConsentState::Refused => "was refused",
        ConsentState::Withdrawn => "was withdrawn",
    };
    let written = exchange.source.as_ref().map(|source| regulation.written(source));
    let (document, paragraph) = written.unwrap_or_default();
    let detail = format!(
        "Header/CaseId: the consent to pass personal data of the class {} to `{}` {what}, and by regulation `{}` ({document}, {paragraph}) \
         a `{}` goes there with a consent only; once a `consent` is given anew, send this with a new id",
        class.as_str(),
        recipient.id,
        regulation.id,
        header.message_type.name,
    );
    Err(Fault::new(FaultCode::ConsentMissing, detail))
}
