//! Who may send what to whom, and on what ground.

use std::collections::BTreeSet;

use super::parse::{id, source, unknown};
use super::rules::Names;
use super::{OwnPart, Regulation, Source, own_part};
use crate::deadline::reader::{Problem, Table};
use crate::domain::{DataClass, MessageType, Oktmo, Participant, RoleCode};

/// Who may send a message type to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The type's name, every version of it.
    pub message: String,
    /// Roles that may send it.
    pub from: Vec<RoleCode>,
    /// Roles that may get it.
    pub to: Vec<RoleCode>,
    /// What of it a recipient gets; `None`: all.
    pub own: Option<OwnPart>,
    /// Whether the recipient may serve another territory than that of the case: it is the one that the case goes to.
    pub elsewhere: bool,
    /// On what ground personal data go this way.
    pub basis: ExchangeBasis,
    /// Where the ground is written; always there for a consent.
    pub source: Option<Source>,
    /// The classes of personal data that may go this way; `None`: all.
    pub data_classes: Option<BTreeSet<DataClass>>,
    /// Where it stands in the file.
    pub line: usize,
}

/// On what ground personal data are passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ExchangeBasis {
    /// A law or another act orders or allows it, whatever the citizen says.
    #[default]
    Law,
    /// The citizen's consent and nothing else: it ends with the consent.
    Consent,
}

impl ExchangeBasis {
    /// The word of the text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Law => "law",
            Self::Consent => "consent",
        }
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        [Self::Law, Self::Consent].into_iter().find(|basis| basis.as_str() == text).ok_or_else(|| {
            Problem::new(
                format!("основание `{text}`: можно law, consent"),
                format!("basis `{text}`: allowed are law, consent"),
            )
        })
    }
}

/// Reads `[[exchange]]`.
pub(super) fn read(table: Table<'_, '_>, names: &Names) -> Option<Exchange> {
    let line = table.line();
    let message = table.need_parsed("message", |text| id(RoleCode::parse)(text).map(|_| text.to_owned()));
    let roles = |key| -> Vec<RoleCode> {
        table.need_texts(key).into_iter().filter_map(|text| table.convert(text, |t| names.role(t))).collect()
    };
    let (from, to, elsewhere) = (roles("from"), roles("to"), table.flag("elsewhere"));
    let own = table.table("own");
    let is_whole = own.is_none();
    let own = own.and_then(|table| own_part::read(table, names));
    let basis = table.parsed("basis", ExchangeBasis::parse).unwrap_or_default();
    // A ground that ends at the citizen's word must be written somewhere.
    let needs_source = basis == ExchangeBasis::Consent || table.has("source");
    let source = needs_source.then(|| source(&table, names)).flatten();
    let data_classes = table.has("data_classes").then(|| {
        let words = table.need_texts("data_classes").into_iter();
        words.filter_map(|text| table.convert(text, data_class)).collect()
    });
    table.finish()?;
    (is_whole || own.is_some()).then_some(Exchange {
        message: message?,
        from,
        to,
        own,
        elsewhere,
        basis,
        source,
        data_classes,
        line,
    })
}

fn data_class(text: &str) -> Result<DataClass, Problem> {
    let known = || DataClass::ALL.iter().map(|class| class.as_str());
    DataClass::parse(text).ok_or_else(|| unknown("класс данных", "data class", text, known()))
}

impl Regulation {
    /// Whether the sender may send this type to the recipient. The territory is that of the case, if there is one.
    pub fn allows(
        &self,
        message: &MessageType,
        sender: &Participant,
        recipient: &Participant,
        territory: Option<&Oktmo>,
    ) -> bool {
        self.exchange(message, sender, recipient, territory).is_some()
    }

    /// What of a message of this type a recipient gets; `None`: all of it.
    pub fn own_part(&self, message: &MessageType, sender: &Participant, recipient: &Participant) -> Option<&OwnPart> {
        let exchange = self.exchange(message, sender, recipient, None)?;
        exchange.own.as_ref().filter(|own| own.concerns(recipient))
    }

    /// How a message of this type, sent once to the gateway itself, is parted among those whom it names; `None`: it cannot be.
    pub fn fan_out(&self, message: &MessageType, sender: &Participant) -> Option<&OwnPart> {
        let sends = |e: &&Exchange| e.message == message.name && e.from.iter().any(|role| sender.holds(role, None));
        self.exchanges.iter().filter(sends).find_map(|e| e.own.as_ref()).filter(|_| sender.regulation == self.id)
    }

    /// The entry by which a message of this type goes from one to the other. Where several let it, one that rests on the law comes first:
    /// a consent is asked for only where nothing else carries it.
    pub fn exchange(
        &self,
        message: &MessageType,
        sender: &Participant,
        recipient: &Participant,
        territory: Option<&Oktmo>,
    ) -> Option<&Exchange> {
        let holds = |who: &Participant, roles: &[RoleCode], territory| {
            who.regulation == self.id && roles.iter().any(|role| who.holds(role, territory))
        };
        let lets = |e: &&Exchange| {
            holds(sender, &e.from, territory) && holds(recipient, &e.to, territory.filter(|_| !e.elsewhere))
        };
        let all = || self.exchanges.iter().filter(|e| e.message == message.name).filter(lets);
        all().find(|e| e.basis == ExchangeBasis::Law).or_else(|| all().next())
    }

    /// Whether a message that takes a case to another territory goes to somebody who serves that one. One that is not written to go
    /// elsewhere may go to anybody.
    pub fn serves_there(&self, message: &str, recipient: &Participant, territory: &Oktmo) -> bool {
        let mut elsewhere = self.exchanges.iter().filter(|e| e.message == message && e.elsewhere).peekable();
        elsewhere.peek().is_none() || elsewhere.any(|e| e.to.iter().any(|role| recipient.holds(role, Some(territory))))
    }
}
