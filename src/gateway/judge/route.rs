//! Who may send what to whom, and how much of it the recipient gets.

use super::{Bench, Parties};
use crate::deadline::OwnPart;
use crate::deadline::obligations::CaseView;
use crate::domain::{Fault, FaultCode, Header, Participant};
use crate::gateway::carriers::check_carried;
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

/// What of a body goes to the recipient: all of it (`None`), or its own part. There must be one, and what goes may hold only the classes
/// of personal data that everything on its way carries.
pub(super) fn check_what_goes(
    body: Node<'_>,
    header: &Header,
    parties: &Parties<'_>,
    bench: &Bench<'_>,
) -> Result<Option<Vec<u8>>, Fault> {
    let (sender, recipient) = (parties.sender, parties.recipient);
    let regulation = bench.snapshot.regulation(&sender.regulation)?;
    let Some(own) = regulation.own_part(&header.message_type, sender, recipient) else {
        check_data_classes(body, header, parties, bench)?;
        return Ok(None);
    };
    let Some(left) = own.cut(&xml::canonical_bytes(body, None), &recipient.id, bench.limits)? else {
        let (each, by, id) = (&own.each, &own.by, &recipient.id);
        let detail = format!(
            "Body/{each}: no `{by}` names `{id}`; by the regulation `{}` a participant gets its own part only",
            regulation.id
        );
        return Err(Fault::new(FaultCode::RouteForbidden, detail));
    };
    check_data_classes(xml::read(&left, bench.limits)?.root(), header, parties, bench)?;
    Ok(Some(left))
}

fn check_data_classes(body: Node<'_>, header: &Header, parties: &Parties<'_>, bench: &Bench<'_>) -> Result<(), Fault> {
    let (sender, recipient) = (parties.sender, parties.recipient);
    let held = bench.snapshot.catalogue.held(&header.message_type, body);
    let regulation = bench.snapshot.regulation(&sender.regulation)?;
    let territory = parties.case.map(|case| &case.territory);
    let exchange = regulation.exchange(&header.message_type, sender, recipient, territory);
    check_carried(&held, exchange, (sender, recipient), regulation, bench.snapshot.adapters())
}
