//! A message for several: who gets a part of it, and who is only told.

use super::{Bench, Lookup, Parties, check_recipient, check_what_goes, effects, follow};
use crate::deadline::OwnPart;
use crate::deadline::cases::{Amendment, Flag};
use crate::deadline::obligations::{CaseView, Effects};
use crate::domain::{Fault, Header, MessageType, Participant, ParticipantId};
use crate::gateway::fan_out::{self, Amended, Part};
use crate::xml::{self, Node};

/// What a message for several leads to.
#[derive(Debug, Default)]
pub(super) struct Parted {
    /// What goes to whom.
    pub(super) parts: Vec<Part>,
    /// What it leads to itself, where no part carries that.
    pub(super) effects: Effects,
    /// Whom it concerns, where it amends what is in force.
    pub(super) amended: Option<Amended>,
}

/// The parts of a message for those whom it names, each judged as if it had come alone, one after the other. Of an amended programme only
/// those get one whose own measures are others now, or whom the last version did not reach; who has none any more is told so.
pub(super) fn parts(
    own: &OwnPart,
    body: Node<'_>,
    header: &Header,
    (sender, case): (&Participant, Option<&CaseView>),
    bench: &Bench<'_>,
    lookup: &dyn Lookup,
) -> Result<Parted, Fault> {
    let in_force = case.and_then(|case| case.facts.programme.as_ref());
    let in_force = in_force.filter(|_| header.message_type.name == PROGRAMME && !header.test);
    let amendment = in_force.and_then(|programme| programme.amended_by(body, bench.business_now));
    let mut known = case.cloned();
    let (mut parted, mut untouched) = (Parted::default(), Vec::new());
    let named = fan_out::recipients(own, body, &sender.id, bench)?;
    let others = |a: &Amendment| a.removed.iter().any(|id| *id != sender.id.as_str());
    if named.is_empty() && !amendment.as_ref().is_some_and(others) {
        return Err(fan_out::nobody_named(own));
    }
    for recipient in &named {
        let is_untouched = |a: &Amendment| own.concerns(recipient) && a.untouched.contains(recipient.id.as_str());
        if amendment.as_ref().is_some_and(is_untouched)
            && let Some(case) = case
            && lookup.has_latest(case.id, PROGRAMME, &recipient.id)?
        {
            untouched.push(recipient.id.to_string());
            continue;
        }
        let header = Header { recipient: recipient.id.clone(), ..header.clone() };
        check_recipient(&header, sender, known.as_ref(), bench)?;
        let parties = Parties { sender, recipient, case: known.as_ref() };
        let (effects, left) = follow(body, &header, &parties, bench, lookup)?;
        if let Some(after) = &effects.case {
            let (territory, kind, facts) = (after.territory.clone(), after.kind.clone(), after.facts.clone());
            known = Some(CaseView { id: after.id, territory, kind, facts });
        }
        // Who is named and gets the whole all the same holds a role of those who do.
        let body = left.unwrap_or_else(|| xml::canonical_bytes(body, None));
        parted.parts.push(Part { recipient: recipient.id.clone(), message_type: header.message_type, body, effects });
    }
    let Some(amendment) = amendment else { return Ok(parted) };
    if parted.parts.is_empty() {
        // The programme is another one all the same, be it the sender's alone.
        let recipient = named.first().copied().unwrap_or(sender);
        let header = Header { recipient: recipient.id.clone(), ..header.clone() };
        let parties = Parties { sender, recipient, case };
        parted.effects = effects(body, &header, &parties, bench)?;
    }
    let mut amended = Amended {
        version: amendment.version,
        parts: parted.parts.iter().map(|part| part.recipient.to_string()).collect(),
        untouched,
        ..Amended::default()
    };
    for id in amendment.removed.iter().filter(|id| **id != sender.id.as_str()) {
        match told(id, header, (sender, case), amendment.version, bench) {
            Ok(part) => {
                amended.told.push(id.clone());
                parted.parts.push(part);
            }
            Err(fault) => {
                parted.effects.flags.push(untold(id, &fault));
                amended.untold.push(id.clone());
            }
        }
    }
    parted.amended = Some(amended);
    Ok(parted)
}

const PROGRAMME: &str = "programme";

/// A note to one who has no measures any more. A part without measures would be no programme, and without a word it would go on with
/// what is not planned any longer.
fn told(
    id: &str,
    header: &Header,
    (sender, case): (&Participant, Option<&CaseView>),
    version: u32,
    bench: &Bench<'_>,
) -> Result<Part, Fault> {
    let not_now = |what: String| Fault::new(crate::domain::FaultCode::RecipientUnknown, what);
    let message_type = MessageType::new("note", 1).map_err(|e| not_now(e.to_string()))?;
    let recipient = ParticipantId::parse(id).map_err(|e| not_now(e.to_string()))?;
    let header = Header { recipient, message_type, ..header.clone() };
    let recipient = check_recipient(&header, sender, case, bench)?;
    let body = fan_out::no_measures_left(&header.message_type, version).map_err(|e| not_now(e.to_string()))?;
    bench
        .snapshot
        .catalogue
        .validate(&header.message_type, &body)
        .map_err(|violations| not_now(violations.first().map(ToString::to_string).unwrap_or_default()))?;
    let parties = Parties { sender, recipient, case };
    check_what_goes(xml::read(&body, bench.limits)?.root(), &header, &parties, bench)?;
    let (recipient, message_type) = (header.recipient, header.message_type);
    Ok(Part { recipient, message_type, body, effects: Effects::default() })
}

fn untold(id: &str, fault: &Fault) -> Flag {
    Flag {
        code: "amendment-untold".to_owned(),
        ru: format!(
            "у `{id}` больше нет мероприятий программы, и шлюз не может ему это сообщить; сообщите сами ({})",
            fault.code
        ),
        en: format!(
            "`{id}` has no measures of the programme any more, and the gateway cannot tell it; tell it yourself ({fault})"
        ),
    }
}
