//! One region's rules as data: roles, who may send what to whom, and deadlines.
//!
//! The text form is TOML in `config/regulations/<id>.toml`; `yugra.toml` shows every part with comments. Nothing here knows a
//! particular rule: rules of one kind are one mechanism with different data.

mod case;
mod contradictions;
mod escalation;
mod exchange;
mod grounds;
mod order;
mod own_part;
mod parse;
mod rule;
mod rules;
mod term_tables;
#[cfg(test)]
mod tests;

pub use case::{CaseLimit, CaseSource, CaseStep, Load, Outside, Precondition, Presence, Retention};
pub use escalation::{Rung, RungAt, default_rungs};
pub use exchange::{Exchange, ExchangeBasis};
pub use grounds::CaseGround;
pub use order::{Activity, Basis, Body, BodyKind, Order, Point, Section};
pub use own_part::OwnPart;
pub(super) use rule::ANY_VALUE;
pub use rule::{
    Again, BodyFilter, CaseDate, Every, Key, Matching, Meets, Of, Opens, Party, Rule, SettleAt, StartAt, TermChoice,
    Warn,
};
pub(super) use rules::DATED_FIELDS;
pub use term_tables::{TermTable, TermVersion};

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};

use super::{Finding, Month, Roll, Severity, Term};
use crate::bundle::Files;
use crate::domain::{CaseId, Oktmo, ParticipantId, RoleCode, RuleId, Timestamp, Zone};

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
    /// The line that names it.
    pub calendar_line: usize,
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
    /// Which messages begin and end a case.
    pub case: Option<CaseSource>,
    /// The steps of a case, in their order.
    pub steps: Vec<CaseStep>,
    /// What may not come before a step.
    pub preconditions: Vec<Precondition>,
    /// How many families a curator may have.
    pub loads: Vec<Load>,
    /// What is kept until when.
    pub retentions: Vec<Retention>,
    /// What the documents name and the gateway does not exchange.
    pub outside: Vec<Outside>,
    /// Terms looked up by a key, by their ids.
    pub term_tables: BTreeMap<String, TermTable>,
    /// Norms that chains of rules must fit into.
    pub norms: Vec<Norm>,
    /// The deadline rules and the tasks without a date.
    pub rules: Vec<Rule>,
    /// Who helps in which case in which months, until programmes say so.
    pub measures: Vec<Measure>,
    /// Who is told at which step of a term.
    pub escalation: Vec<Rung>,
    /// What article 28 of 442-FZ wants described: participants, activities, forms, requirements, mechanism, control.
    pub order: Order,
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

impl Regulation {
    /// Reads a regulation. `file` is the path that findings name; its stem must be the regulation's id.
    ///
    /// # Errors
    /// Everything that is wrong with the file, each with its line and the way out.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Finding>> {
        parse::parse(file, text)
    }

    /// The rule with this id.
    pub fn rule(&self, id: &RuleId) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == *id)
    }

    /// Where a source stands, for people: the document's title, and the paragraph.
    pub fn written<'a>(&'a self, source: &'a Source) -> (&'a str, &'a str) {
        let document = self.documents.iter().find(|document| document.id == source.document);
        (document.map_or(source.document.as_str(), |document| document.title.as_str()), &source.paragraph)
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
