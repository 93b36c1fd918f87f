//! Who may send what to whom, and how much of it the recipient gets.

use super::{Bench, Parties};
use crate::deadline::OwnPart;
use crate::deadline::obligations::CaseView;
use crate::domain::{DataClass, Fault, FaultCode, Header, Participant};
use crate::xml::{self, Node};

pub(super) fn check_sender<'s>(header: &Header, bench: &Bench<'s>) -> Result<&'s Participant, Fault> {
    let sender = bench.snapshot.participant(&header.sender);
    sender.ok_or_else(|| Fault::new(FaultCode::SenderUnknown, "Header/Sender"))
}

/// How a message to the gateway itself is parted.
pub(super) fn check_fan_out<'s>(
    header: &Header,
    sender: &Participant,
    bench: &Bench<'s>,
) -> Result<&'s OwnPart, Fault> {
    check_type(header, bench)?;
    let regulation = bench.snapshot.regulation(&sender.regulation)?;
    let Some(own) = regulation.fan_out(&header.message_type, sender) else {
        let detail = format!(
            "regulation `{}` does not part a `{}` of `{}` among several: name its recipient",
            regulation.id, header.message_type.name, sender.id
        );
        return Err(Fault::new(FaultCode::RouteForbidden, detail));
    };
    if header.attachments.is_empty() {
        return Ok(own);
    }
    let detail = "Header/Attachments: a message to several carries none, for they would go to all; send it to each";
    Err(Fault::new(FaultCode::AttachmentInvalid, detail))
}

pub(super) fn check_recipient<'s>(
    header: &Header,
    sender: &Participant,
    case: Option<&CaseView>,
    bench: &Bench<'s>,
) -> Result<&'s Participant, Fault> {
    let Some(recipient) = bench.snapshot.participant(&header.recipient) else {
        return Err(Fault::new(FaultCode::RecipientUnknown, "Header/Recipient: no participant has this id"));
    };
    check_type(header, bench)?;
    let regulation = bench.snapshot.regulation(&sender.regulation)?;
    let territory = case.map(|c| &c.territory);
    if !regulation.allows(&header.message_type, sender, recipient, territory) {
        let detail = format!(
            "regulation `{}` has no exchange of `{}` from a role of `{}` to a role of `{}`",
            sender.regulation, header.message_type.name, sender.id, recipient.id
        );
        return Err(Fault::new(FaultCode::RouteForbidden, detail));
    }
    Ok(recipient)
}

fn check_type(header: &Header, bench: &Bench<'_>) -> Result<(), Fault> {
    if bench.snapshot.catalogue.knows(&header.message_type) {
        return Ok(());
    }
    let detail = format!("Header/Type and Version: no schema for {}", header.message_type);
    Err(Fault::new(FaultCode::TypeUnknown, detail))
}

/// Where the regulation says that a recipient gets only its own part of a document, there must be one.
pub(super) fn check_own_part(
    body: Node<'_>,
    header: &Header,
    parties: &Parties<'_>,
    bench: &Bench<'_>,
) -> Result<(), Fault> {
    let (sender, recipient) = (parties.sender, parties.recipient);
    let regulation = bench.snapshot.regulation(&sender.regulation)?;
    let Some(own) = regulation.own_part(&header.message_type, sender, recipient) else { return Ok(()) };
    if own.parts(body, &recipient.id).own > 0 {
        return Ok(());
    }
    let (each, by, id) = (&own.each, &own.by, &recipient.id);
    let detail = format!(
        "Body/{each}: no `{by}` names `{id}`; by the regulation `{}` a participant gets its own part only",
        regulation.id
    );
    Err(Fault::new(FaultCode::RouteForbidden, detail))
}

/// What a recipient gets holds only the classes of personal data that may go to it.
pub(super) fn check_data_classes(
    body: Node<'_>,
    header: &Header,
    parties: &Parties<'_>,
    bench: &Bench<'_>,
) -> Result<(), Fault> {
    let (sender, recipient) = (parties.sender, parties.recipient);
    let Some(allowed) = &recipient.data_classes else { return Ok(()) };
    let kind = &header.message_type;
    let catalogue = &bench.snapshot.catalogue;
    let held = match bench.snapshot.regulation(&sender.regulation)?.own_part(kind, sender, recipient) {
        None => catalogue.data_classes(kind, body),
        Some(own) => {
            let whole = xml::canonical_bytes(body, None);
            let document = xml::read(&whole, bench.limits)?;
            let left = own.parts(document.root(), &recipient.id).without_others(&whole);
            catalogue.data_classes(kind, xml::read(&left, bench.limits)?.root())
        }
    };
    let words = |classes: &mut dyn Iterator<Item = &DataClass>| {
        classes.map(|class| class.as_str()).collect::<Vec<_>>().join(", ")
    };
    let not_allowed = words(&mut held.difference(allowed));
    if not_allowed.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "Body: it holds personal data of the class {not_allowed}; to `{}` may go {} only (data_classes)",
        recipient.id,
        words(&mut allowed.iter())
    );
    Err(Fault::new(FaultCode::RouteForbidden, detail))
}
