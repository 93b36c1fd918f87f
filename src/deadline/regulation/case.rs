//! What a regulation says of a case: what begins and ends it, its steps and limits, and the entries that are no deadlines.

use super::grounds::{self, CaseGround};
use super::parse::{path, plain, source, term, title, unknown};
use super::rule::BodyFilter;
use super::rules::{Names, filter};
use super::{Source, Title};
use crate::deadline::path::BodyPath;
use crate::deadline::reader::{Problem, Table};
use crate::deadline::{Span, Term, Unit};

/// Which messages begin and end a case, and where a body says what the case is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseSource {
    /// The types that begin a case.
    pub messages: Vec<String>,
    /// The path to the ОКТМО code.
    pub territory: BodyPath,
    /// The path to `individual` or `group`.
    pub kind: BodyPath,
    /// The type that closes a case.
    pub closes: Option<String>,
    /// Types that are still taken on a closed case.
    pub after_close: Vec<String>,
    /// How long the accompaniment may last.
    pub limit: Option<CaseLimit>,
    /// The grounds on which a case may end; none named: any.
    pub grounds: Vec<CaseGround>,
    /// Where it stands in the file.
    pub line: usize,
}

/// How long the accompaniment may last, from its first day. What a programme or contract says beyond it does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseLimit {
    /// Without an extension.
    pub term: Term,
    /// In all, with an extension.
    pub extended: Term,
    /// Where it is written.
    pub source: Source,
    /// Rows of the table of terms that it reads.
    pub rows: Vec<String>,
}

/// Whether a step of a case must be seen by the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// A later step without it is refused.
    Required,
    /// A later step without it is taken, and it is shown that the gateway did not see it.
    Expected,
    /// Nothing is said when it is missing.
    Free,
}

impl Presence {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Expected => "expected",
            Self::Free => "free",
        }
    }
}

/// A step of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseStep {
    /// Its short name.
    pub id: String,
    /// Its name.
    pub title: Title,
    /// The message that is it.
    pub message: String,
    /// Only if at each of these paths of the body stands one of these values.
    pub filter: BodyFilter,
    /// Whether the gateway must see it.
    pub presence: Presence,
    /// Steps that stand before it.
    pub after: Vec<String>,
    /// Where it stands in the file.
    pub line: usize,
}

/// A message that may not come before a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precondition {
    /// Its short name.
    pub id: String,
    /// Its name.
    pub title: Title,
    /// Why it is switched off, if it is.
    pub off: Option<String>,
    /// The message that is refused.
    pub message: String,
    /// The step that must have been.
    pub needs: String,
    /// Where it is written.
    pub source: Source,
    /// Rows of the table of terms that it reads.
    pub rows: Vec<String>,
    /// Where it stands in the file.
    pub line: usize,
}

/// How many families a curator may have: a warning, not a prohibition. Families of different levels are added up as shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// Its short name.
    pub id: String,
    /// Its name.
    pub title: Title,
    /// Why it is switched off, if it is.
    pub off: Option<String>,
    /// The most families of a level, from 1.
    pub limits: Vec<(String, u32)>,
    /// Where it is written.
    pub source: Source,
    /// Rows of the table of terms that it reads.
    pub rows: Vec<String>,
    /// Where it stands in the file.
    pub line: usize,
}

/// How long something is kept: an event for a retention policy, not a deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// Its short name.
    pub id: String,
    /// Its name.
    pub title: Title,
    /// What it says.
    pub text: Title,
    /// The case's date until which it is kept, in the words of a rule's start: `case ends`.
    pub event: String,
    /// Where it is written.
    pub source: Source,
    /// Rows of the table of terms that it reads.
    pub rows: Vec<String>,
    /// Where it stands in the file.
    pub line: usize,
}

/// What the documents name and the gateway does not exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// Its short name.
    pub id: String,
    /// Its name.
    pub title: Title,
    /// Why it is none of the gateway's.
    pub why: Title,
    /// Where it is written.
    pub source: Source,
    /// Rows of the table of terms that it reads.
    pub rows: Vec<String>,
    /// Where it stands in the file.
    pub line: usize,
}

/// Rows such as `Y-05`.
pub(super) fn rows(table: &Table<'_, '_>) -> Vec<String> {
    table.texts("rows").into_iter().map(|text| text.value).collect()
}

pub(super) fn read_case(table: Table<'_, '_>, names: &Names) -> Option<CaseSource> {
    let line = table.line();
    let message = |key| -> Vec<String> {
        table.texts(key).into_iter().filter_map(|text| table.convert(text, |t| names.message(t))).collect()
    };
    table.need_texts("messages");
    let (messages, after_close) = (message("messages"), message("after_close"));
    let (territory, kind) = (table.need_parsed("territory", path), table.need_parsed("kind", path));
    let closes = table.parsed("closes", |t| names.message(t));
    let limit = table.table("limit").map(|inner| read_limit(inner, names));
    let grounds = grounds::read(&table, names);
    table.finish()?;
    let limit = match limit {
        Some(limit) => Some(limit?),
        None => None,
    };
    Some(CaseSource { messages, territory: territory?, kind: kind?, closes, after_close, limit, grounds, line })
}

fn read_limit(table: Table<'_, '_>, names: &Names) -> Option<CaseLimit> {
    let span = |text: &str| match term(text)? {
        term @ Term::After(_) => Ok(term),
        Term::Immediately
        | Term::Before(_)
        | Term::NextMonth { .. }
        | Term::NextQuarter { .. }
        | Term::NextYear { .. }
        | Term::On(_)
        | Term::UntilAge(_)
        | Term::LeastOf(_) => Err(Problem::new(
            format!("предел `{text}`: нужна длительность, например 6 months"),
            format!("the limit `{text}`: a duration is needed, such as 6 months"),
        )),
    };
    let (limit, named) = (table.need_parsed("term", span), table.need("extended"));
    let not_shorter = |text: &str| match (span(text)?, &limit) {
        (extended, Some(limit)) if is_shorter(&extended, limit) => Err(Problem::new(
            format!("предел с продлением `{extended}` короче предела без него `{limit}`; назовите срок не короче"),
            format!(
                "the limit with an extension `{extended}` is shorter than the one without `{limit}`; name one that is not"
            ),
        )),
        (extended, _) => Ok(extended),
    };
    let extended = named.and_then(|text| table.convert(text, not_shorter));
    let (source, rows) = (source(&table, names), rows(&table));
    table.finish()?;
    Some(CaseLimit { term: limit?, extended: extended?, source: source?, rows })
}

/// Whether a duration is shorter whatever day it begins on.
fn is_shorter(one: &Term, other: &Term) -> bool {
    if let (Term::After(one), Term::After(other)) = (one, other)
        && one.unit == other.unit
    {
        return one.count < other.count;
    }
    let days = |term: &Term| match term {
        Term::After(Span { count, unit }) => {
            let of = |days: (u32, u32)| (count.saturating_mul(days.0), count.saturating_mul(days.1));
            // The fewest and the most days that one of each may last, working days among holidays.
            Some(match unit {
                Unit::Hour => (0, count.div_ceil(24)),
                Unit::Day => of((1, 1)),
                Unit::WorkingDay => of((1, 12)),
                Unit::Week => of((7, 7)),
                Unit::Month => of((28, 31)),
                Unit::Year => of((365, 366)),
            })
        }
        Term::Immediately
        | Term::Before(_)
        | Term::NextMonth { .. }
        | Term::NextQuarter { .. }
        | Term::NextYear { .. }
        | Term::On(_)
        | Term::UntilAge(_)
        | Term::LeastOf(_) => None,
    };
    matches!((days(one), days(other)), (Some((_, most)), Some((fewest, _))) if most < fewest)
}

pub(super) fn read_steps(root: &Table<'_, '_>, names: &Names) -> Vec<CaseStep> {
    let mut steps: Vec<CaseStep> = Vec::new();
    for table in root.tables("step") {
        let span = table.span.clone();
        let Some(step) = read_step(table, names, &steps) else { continue };
        if steps.iter().any(|s| s.id == step.id) {
            let id = &step.id;
            let problem = Problem::new(
                format!("второй шаг с id `{id}`; дайте другой"),
                format!("a second step with the id `{id}`; give it another"),
            );
            root.error(&span, problem);
        }
        steps.push(step);
    }
    steps
}

fn read_step(table: Table<'_, '_>, names: &Names, before: &[CaseStep]) -> Option<CaseStep> {
    let line = table.line();
    let (id, title) = (table.need("id"), title(&table, "title"));
    let message = table.need_parsed("message", |t| names.message(t));
    let filter = filter(&table);
    let presence = table.need_parsed("presence", |text| {
        let all = [Presence::Required, Presence::Expected, Presence::Free];
        all.into_iter().find(|p| p.as_str() == text).ok_or_else(|| {
            Problem::new(
                format!("`{text}`: можно required, expected, free"),
                format!("`{text}`: allowed are required, expected, free"),
            )
        })
    });
    let step = |text: &str| {
        let known = before.iter().any(|s| s.id == text).then(|| text.to_owned());
        known.ok_or_else(|| {
            unknown("шаг (выше по файлу)", "step (above in the file)", text, before.iter().map(|s| &s.id))
        })
    };
    let after = table.texts("after").into_iter().filter_map(|text| table.convert(text, step)).collect();
    table.finish()?;
    Some(CaseStep { id: id?.value, title: title?, message: message?, filter, presence: presence?, after, line })
}

pub(super) fn read_preconditions(root: &Table<'_, '_>, names: &Names, steps: &[CaseStep]) -> Vec<Precondition> {
    let read = |table: Table<'_, '_>| {
        let line = table.line();
        let (id, title, off) = (table.need("id"), title(&table, "title"), plain(table.text("off")));
        let message = table.need_parsed("message", |t| names.message(t));
        let needs = table.need_parsed("needs", |text| {
            let known = steps.iter().any(|s| s.id == text).then(|| text.to_owned());
            known.ok_or_else(|| unknown("шаг", "step", text, steps.iter().map(|s| &s.id)))
        });
        let (source, rows) = (source(&table, names), rows(&table));
        table.finish()?;
        Some(Precondition {
            id: id?.value,
            title: title?,
            off,
            message: message?,
            needs: needs?,
            source: source?,
            rows,
            line,
        })
    };
    root.tables("precondition").into_iter().filter_map(read).collect()
}

pub(super) fn read_loads(root: &Table<'_, '_>, names: &Names) -> Vec<Load> {
    let read = |table: Table<'_, '_>| {
        let line = table.line();
        let (id, title, off) = (table.need("id"), title(&table, "title"), plain(table.text("off")));
        let mut limits = Vec::new();
        if let Some(inner) = table.need_table("limits") {
            for (level, count) in inner.counts() {
                limits.push((level, count));
            }
        }
        let (source, rows) = (source(&table, names), rows(&table));
        table.finish()?;
        Some(Load { id: id?.value, title: title?, off, limits, source: source?, rows, line })
    };
    root.tables("load").into_iter().filter_map(read).collect()
}

pub(super) fn read_retentions(root: &Table<'_, '_>, names: &Names) -> Vec<Retention> {
    let read = |table: Table<'_, '_>| {
        let line = table.line();
        let (id, name, text) = (table.need("id"), title(&table, "title"), title(&table, "text"));
        let event = table.need_parsed("event", |text| match text {
            "case ends" => Ok(text.to_owned()),
            _ => Err(Problem::new(format!("`{text}`: можно case ends"), format!("`{text}`: allowed is case ends"))),
        });
        let (source, rows) = (source(&table, names), rows(&table));
        table.finish()?;
        Some(Retention { id: id?.value, title: name?, text: text?, event: event?, source: source?, rows, line })
    };
    root.tables("retention").into_iter().filter_map(read).collect()
}

pub(super) fn read_outside(root: &Table<'_, '_>, names: &Names) -> Vec<Outside> {
    let read = |table: Table<'_, '_>| {
        let line = table.line();
        let (id, name, why) = (table.need("id"), title(&table, "title"), title(&table, "why"));
        let (source, rows) = (source(&table, names), rows(&table));
        table.finish()?;
        Some(Outside { id: id?.value, title: name?, why: why?, source: source?, rows, line })
    };
    root.tables("outside").into_iter().filter_map(read).collect()
}
