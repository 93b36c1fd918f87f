//! One region's rules as data: roles, who may send what to whom, and deadlines.
//!
//! The text form is TOML in `config/regulations/<id>.toml`; `yugra.toml` shows every part with comments. Nothing here knows a
//! particular rule: rules of one kind are one mechanism with different data.

mod escalation;
mod parse;
mod rules;
mod term_tables;
#[cfg(test)]
mod tests;

pub use escalation::{Rung, RungAt};
pub(super) use rules::DATED_FIELDS;
pub use term_tables::{TermTable, TermVersion};

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};

use super::{Finding, Month, Roll, Severity, Term, path::BodyPath};
use crate::bundle::Files;
use crate::domain::{CaseId, MessageType, Oktmo, Participant, ParticipantId, RoleCode, RuleId, Timestamp, Zone};

const REGULATION_FOLDER: &str = "config/regulations/";

/// A text for people in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Title {
    /// In Russian.
    pub ru: String,
    /// In English.
    pub en: String,
}

/// One region's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Regulation {
    /// Its id, the name of its file: `yugra`.
    pub id: String,
    /// The file that it was read from, for findings.
    pub file: String,
    /// Its name.
    pub title: Title,
    /// The region's zone: warning hours and periods where no participant's zone is at hand.
    pub zone: Zone,
    /// The name of its calendar.
    pub calendar: String,
    /// From which local date it applies.
    pub effective_from: NaiveDate,
    /// The local hour of warnings that are given by day.
    pub warn_at: NaiveTime,
    /// After how many hours what is due `immediately` is overdue; 0: not stated, and then no rule may say `immediately`.
    pub grace_hours: u32,
    /// The documents it rests on.
    pub documents: Vec<Document>,
    /// The roles of its participants.
    pub roles: Vec<Role>,
    /// Who may send what to whom.
    pub exchanges: Vec<Exchange>,
    /// Which message begins a case.
    pub case: Option<CaseSource>,
    /// Terms looked up by a key, by their ids.
    pub term_tables: BTreeMap<String, TermTable>,
    /// Norms that chains of rules must fit into.
    pub norms: Vec<Norm>,
    /// The deadline rules.
    pub rules: Vec<Rule>,
    /// Who helps in which case in which months, until programmes say so.
    pub measures: Vec<Measure>,
    /// Who is told at which step of a term.
    pub escalation: Vec<Rung>,
}

/// A document that rules are written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its short name here.
    pub id: String,
    /// Its full title.
    pub title: String,
    /// The edition that was read.
    pub edition: Option<String>,
    /// When a person compared this file with it; `None`: "редакция не проверена".
    pub checked_on: Option<NaiveDate>,
}

/// A role of a regulation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its code.
    pub code: RoleCode,
    /// Its name.
    pub title: Title,
    /// Where it stands in the file.
    pub line: usize,
}

/// Who may send a message type to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The type's name, every version of it.
    pub message: String,
    /// Roles that may send it.
    pub from: Vec<RoleCode>,
    /// Roles that may get it.
    pub to: Vec<RoleCode>,
    /// Where it stands in the file.
    pub line: usize,
}

/// Which message begins a case, and where its body says what the case is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseSource {
    /// The type's name.
    pub message: String,
    /// The path to the ОКТМО code.
    pub territory: BodyPath,
    /// The path to `individual` or `group`.
    pub kind: BodyPath,
    /// Where it stands in the file.
    pub line: usize,
}

/// Where something is written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Source {
    /// The id of a [`Document`].
    pub document: String,
    /// The paragraph.
    pub paragraph: String,
    /// Its words; empty when the basis is a setting.
    pub quote: String,
}

/// A norm that a chain of rules must fit into, for [`check`](super::check).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Norm {
    /// Its short name.
    pub id: String,
    /// Its name.
    pub title: Title,
    /// Its term, from the same start as the first rule of the chain.
    pub term: Term,
    /// Its roll.
    pub roll: Roll,
    /// Rules that follow each other and together should not last longer.
    pub contains: Vec<RuleId>,
    /// Where it is written.
    pub source: Source,
    /// Where it stands in the file.
    pub line: usize,
}

/// A row of the table of measures: an organisation helps in a case from one month to another, both included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// The case.
    pub case: CaseId,
    /// Where the case is conducted.
    pub territory: Oktmo,
    /// Who is responsible.
    pub responsible: ParticipantId,
    /// The kind of help.
    pub kind: String,
    /// The first month.
    pub from: Month,
    /// The last month.
    pub to: Month,
    /// Where it stands in the file.
    pub line: usize,
}

/// A deadline rule: what opens an obligation, who owes whom, what meets it, by when, and where that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its id.
    pub id: RuleId,
    /// Its name.
    pub title: Title,
    /// Why it is switched off, if it is.
    pub off: Option<String>,
    /// What to tell when its message came and there was nothing to open.
    pub nothing: Option<Title>,
    /// What opens it.
    pub opens: Opens,
    /// From where its term is counted.
    pub start: StartAt,
    /// Who owes.
    pub debtor: Party,
    /// To whom.
    pub creditor: Party,
    /// The template of the subject.
    pub subject: String,
    /// What meets it: any of these.
    pub met: Vec<Meets>,
    /// Its term.
    pub term: TermChoice,
    /// Its roll.
    pub roll: Roll,
    /// When to warn.
    pub warns: Vec<Warn>,
    /// The path to the asker's own wish, a date that is shown and never the norm.
    pub wish: Option<BodyPath>,
    /// Where it is written.
    pub source: Source,
    /// Which reading of an ambiguous text this is, and why.
    pub reading: Option<String>,
    /// Whether notices of it go out on days off too.
    pub round_the_clock: bool,
    /// Where it stands in the file.
    pub line: usize,
}

/// What opens an obligation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opens {
    /// A message.
    Message(Matching),
    /// Every month in which a participant has a measure in a case, from the month's first instant.
    MonthOfMeasures,
}

/// What meets an obligation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meets {
    /// The message, and what in it names the obligation.
    pub matching: Matching,
    /// Whose obligation it meets: the sender's unless said otherwise.
    pub debtor: Party,
    /// As of when: `accepted` for exchanges, the act's date for acts (assessment, decision, contract).
    pub at: SettleAt,
}

/// As of when a message meets an obligation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettleAt {
    /// Its acceptance.
    Accepted,
    /// A dated field at the top of the body, such as `decidedAt`.
    Field(String),
}

/// A message type, and what in its body stands for one obligation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matching {
    /// The type's name, every version of it.
    pub message: String,
    /// One obligation a node; `None`: one for the message.
    pub each: Option<BodyPath>,
    /// Nodes count only if at each of these paths stands one of these values.
    pub filter: Vec<(BodyPath, Vec<String>)>,
    /// What tells the obligations of one message apart; nodes with the same key are one.
    pub key: Option<Key>,
    /// Where the node names the case; `None`: the header does.
    pub case: Option<BodyPath>,
    /// Where the body names the month.
    pub period: Option<BodyPath>,
}

/// Where the key of an obligation is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// In the node.
    Path(BodyPath),
    /// Each role that the recipient holds for the case's territory.
    RolesOfRecipient,
}

/// A party of an obligation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party {
    /// The holder of this role in the case's territory.
    Role(RoleCode),
    /// The holder, in the case's territory, of the role that the key names.
    RoleOfKey,
    /// The message's sender.
    Sender,
    /// The message's recipient.
    Recipient,
    /// The participant that the measure names.
    Responsible,
}

/// From where a term is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartAt {
    /// The message's acceptance.
    Accepted,
    /// The moment at which the message was handed over.
    Sent,
    /// The moment at which the debtor's receipt was verified.
    Delivered,
    /// A dated field at the top of the body, such as `registeredAt`.
    Field(String),
    /// The month.
    Period,
}

/// A rule's term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TermChoice {
    /// As written.
    Plain(Term),
    /// Looked up by the obligation's key in the table with this id.
    Table(String),
}

/// One warning.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Warn {
    /// `.. before` counts back from the due; every other term counts from the obligation's start.
    pub term: Term,
    /// Its roll.
    pub roll: Roll,
}

impl Regulation {
    /// Reads a regulation. `file` is the path that findings name; its stem must be the regulation's id.
    ///
    /// # Errors
    /// Everything that is wrong with the file, each with its line and the way out.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Finding>> {
        parse::parse(file, text)
    }

    /// Whether the sender may send this type to the recipient. The territory is that of the case, if there is one.
    pub fn allows(
        &self,
        message: &MessageType,
        sender: &Participant,
        recipient: &Participant,
        territory: Option<&Oktmo>,
    ) -> bool {
        let holds = |who: &Participant, roles: &[RoleCode]| {
            who.regulation == self.id && roles.iter().any(|role| who.holds(role, territory))
        };
        self.exchanges.iter().any(|e| e.message == message.name && holds(sender, &e.from) && holds(recipient, &e.to))
    }

    /// The rule with this id.
    pub fn rule(&self, id: &RuleId) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == *id)
    }

    /// Who is told of this rule's term when: each step once, with its groups, in the order of the file.
    pub fn rungs(&self, rule: &RuleId) -> Vec<(RungAt, Vec<String>)> {
        escalation::rungs(&self.escalation, rule)
    }

    /// The role with this code.
    pub fn role(&self, code: &RoleCode) -> Option<&Role> {
        self.roles.iter().find(|role| role.code == *code)
    }

    /// Whether it applies at this instant.
    pub fn in_force(&self, at: Timestamp) -> bool {
        at.utc().with_timezone(&self.zone.tz()).date_naive() >= self.effective_from
    }
}

/// Regulations by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Regulations(BTreeMap<String, Regulation>);

impl Regulations {
    /// Reads every `config/regulations/<id>.toml`.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn from_files(files: &Files) -> Result<Self, Vec<Finding>> {
        let (mut regulations, mut errors) = (BTreeMap::new(), Vec::new());
        for (path, bytes) in files {
            if !path.strip_prefix(REGULATION_FOLDER).is_some_and(|p| p.ends_with(".toml")) {
                continue;
            }
            match std::str::from_utf8(bytes) {
                Ok(text) => match Regulation::parse(path, text) {
                    Ok(regulation) => {
                        regulations.insert(regulation.id.clone(), regulation);
                    }
                    Err(mut found) => errors.append(&mut found),
                },
                Err(_) => errors.push(Finding {
                    severity: Severity::Error,
                    file: path.clone(),
                    line: 0,
                    column: 0,
                    ru: "файл не в UTF-8; сохраните его в UTF-8".to_owned(),
                    en: "the file is not UTF-8; save it as UTF-8".to_owned(),
                }),
            }
        }
        if errors.is_empty() { Ok(Self(regulations)) } else { Err(errors) }
    }

    /// The regulation with this id.
    pub fn get(&self, id: &str) -> Option<&Regulation> {
        self.0.get(id)
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Regulation> {
        self.0.values()
    }
}
