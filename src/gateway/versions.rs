//! In which version of a message type a participant gets a message, and the conversion to it.
//!
//! What a message opens and settles, what is cut out of it and which personal data it holds is judged on the version that was sent;
//! the conversion comes last, before an adapter.

use std::collections::BTreeSet;

use crate::adapter::{AdapterError, AdapterSet, ConversionSet, Converted, Direction, HeaderView};
use crate::deadline::{Finding, Regulation, Severity};
use crate::domain::{Fault, FaultCode, Header, MessageType, ParkReason, Participant};
use crate::schema::Catalogue;
use crate::xml::{self, Node};

use super::Snapshot;

/// The versions of a type that a participant takes; empty where nothing can be said, because its adapter does not know the type.
///
/// What its file says (`versions`) goes first, and of an adapter what it has templates for. Of a participant that says nothing and has no
/// adapter it is the oldest version that there is a schema for. So what it gets does not change when others begin to send a newer
/// version, and whoever has built its system for a newer one says so.
fn taken(participant: &Participant, name: &str, catalogue: &Catalogue, adapters: &AdapterSet) -> BTreeSet<u32> {
    let said = participant.versions.get(name);
    let adapter = participant.adapter.as_deref().and_then(|adapter| adapters.get(adapter));
    if let Some(adapter) = adapter.filter(|adapter| !adapter.is_canonical()) {
        let carried = adapter.message_types().filter(|t| t.name == name && adapter.carries(t, Direction::ToPartner));
        return carried.map(|t| t.version).filter(|v| said.is_none_or(|said| said.contains(v))).collect();
    }
    match said {
        Some(said) => said.clone(),
        None => catalogue.types().filter(|t| t.name == name).map(|t| t.version).min().into_iter().collect(),
    }
}

/// Why a body does not go in the version that its recipient takes.
#[derive(Debug)]
pub(super) struct NotConverted {
    /// The version that the recipient takes, where one could be chosen.
    version: Option<u32>,
    recipient: String,
    sent: MessageType,
    error: AdapterError,
}

impl Snapshot {
    /// The type with the version in which a recipient gets a message of this type.
    ///
    /// # Errors
    /// When it takes other versions and no conversion leads to any of them.
    pub(super) fn version_for(
        &self,
        sent: &MessageType,
        recipient: &Participant,
    ) -> Result<MessageType, Box<NotConverted>> {
        let taken = taken(recipient, &sent.name, &self.catalogue, self.adapters());
        if taken.is_empty() || sent.technical().is_some() {
            return Ok(sent.clone());
        }
        self.conversions.choose(sent, &taken).map_err(|error| not_converted(None, recipient, sent, error))
    }

    /// A canonical body in the version that the recipient takes; `None`: it goes as it was sent.
    ///
    /// # Errors
    /// When no conversion leads there, or this body cannot be converted.
    pub(super) fn converted(
        &self,
        body: &dyn Fn() -> Vec<u8>,
        header: &Header,
        recipient: &Participant,
    ) -> Result<Option<Converted>, Box<NotConverted>> {
        let sent = &header.message_type;
        let to = self.version_for(sent, recipient)?;
        if to == *sent {
            return Ok(None);
        }
        let converted = self.conversions.convert(&body(), (sent, &to), &HeaderView::from(header), &self.catalogue);
        converted.map(Some).map_err(|error| not_converted(Some(to.version), recipient, sent, error))
    }
}

fn not_converted(
    version: Option<u32>,
    recipient: &Participant,
    sent: &MessageType,
    error: AdapterError,
) -> Box<NotConverted> {
    Box::new(NotConverted { version, recipient: recipient.id.to_string(), sent: sent.clone(), error })
}

impl NotConverted {
    /// For whom sent it: what is wrong, and what to do.
    pub(super) fn fault(&self) -> Fault {
        let (recipient, sent) = (&self.recipient, &self.sent);
        match self.version {
            None => Fault::new(
                FaultCode::VersionUnsupported,
                format!(
                    "Header/Version: `{recipient}` does not take version {} of `{}`: {}; send a version that it takes, or have the \
                     gateway's administrator add the conversion or correct `versions` of `{recipient}`",
                    sent.version, sent.name, self.error.reason
                ),
            ),
            Some(version) => Fault::new(
                FaultCode::TranslationFailed,
                format!(
                    "Body: `{recipient}` takes version {version} of `{}`, and this body cannot be converted to it: {}; send it \
                     without what is named, or in version {version}",
                    sent.name, self.error
                ),
            ),
        }
    }

    /// For the operator of a delivery that was accepted under another configuration.
    pub(super) fn stuck(&self) -> (ParkReason, String) {
        // Without a version none could be chosen; with one, this body cannot be converted to it.
        let reason = match self.version {
            None => ParkReason::VersionUnsupported,
            Some(_) => ParkReason::TranslationFailed,
        };
        (reason, format!("`{}`, {}: {}", self.recipient, self.sent, self.error))
    }
}

/// Refuses at the door what could not go out in the recipient's version.
pub(super) fn check(
    body: Node<'_>,
    own: Option<&Vec<u8>>,
    header: &Header,
    recipient: &Participant,
    snapshot: &Snapshot,
) -> Result<(), Fault> {
    if header.sender == recipient.id {
        return Ok(());
    }
    let bytes = || own.cloned().unwrap_or_else(|| xml::canonical_bytes(body, None));
    snapshot.converted(&bytes, header, recipient).map(drop).map_err(|why| why.fault())
}

/// What the check of a configuration says of a participant's versions: those that there are no schemas or templates for, and those that
/// the regulation lets others send and nothing converts.
pub(super) fn findings(
    participant: &Participant,
    regulation: &Regulation,
    catalogue: &Catalogue,
    adapters: &AdapterSet,
    conversions: &ConversionSet,
) -> Vec<Finding> {
    let file = format!("participants/{}.toml", participant.id);
    let finding = |severity, ru, en| Finding { severity, file: file.clone(), line: 0, column: 0, ru, en };
    let mut found = Vec::new();
    for (name, numbers) in &participant.versions {
        let own = taken(participant, name, catalogue, adapters);
        let known = |v: &u32| catalogue.knows(&MessageType { name: name.clone(), version: *v }) && own.contains(v);
        for version in numbers.iter().filter(|v| !known(v)) {
            found.push(finding(
                Severity::Error,
                format!("versions: для {name}/{version} нет схемы или шаблонов в адаптере; назовите версию, которая есть"),
                format!(
                    "versions: there is no schema for {name}/{version}, or the adapter has no templates for it; name a version \
                     that is there"
                ),
            ));
        }
    }
    let sent: BTreeSet<&str> = regulation
        .exchanges
        .iter()
        .filter(|e| e.to.iter().any(|role| participant.holds(role, None)))
        .map(|e| e.message.as_str())
        .collect();
    for name in sent {
        let own = taken(participant, name, catalogue, adapters);
        let lost: Vec<String> = catalogue
            .types()
            .filter(|t| t.name == name && !own.is_empty() && conversions.choose(t, &own).is_err())
            .map(|t| t.version.to_string())
            .collect();
        if lost.is_empty() {
            continue;
        }
        let taken = own.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
        let (id, lost) = (&participant.id, lost.join(", "));
        found.push(finding(
            Severity::Warning,
            format!(
                "участник `{id}` получает `{name}` версии {taken}, а перевода версии {lost} в неё нет: такие сообщения ему не \
                 принимаются (version-unsupported); добавьте conversions/{name}/… или назовите версию в versions"
            ),
            format!(
                "participant `{id}` takes version {taken} of `{name}`, and nothing converts version {lost} to it: such messages to \
                 it are refused (version-unsupported); add conversions/{name}/... or name the version in `versions`"
            ),
        ));
    }
    found
}
