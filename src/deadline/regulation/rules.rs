//! The TOML form of one deadline rule.

use super::case::rows;
use super::parse::{id, path, plain, roll, source, term, title, unknown};
use super::{
    Again, BodyFilter, CaseDate, Every, Key, Matching, Meets, Of, Opens, Party, Rule, SettleAt, StartAt, TermChoice,
    Warn,
};
use crate::deadline::reader::{Problem, Table};
use crate::deadline::{Roll, Term};
use crate::domain::{RoleCode, RuleId};

/// Dated fields at the top of a body from which a term may be counted.
pub(in crate::deadline) const DATED_FIELDS: [&str; 17] = [
    "submittedAt",
    "registeredAt",
    "identifiedAt",
    "decidedAt",
    "informedAt",
    "signedAt",
    "handedAt",
    "assessedAt",
    "approvedAt",
    "establishedAt",
    "enteredAt",
    "doneAt",
    "askedAt",
    "answeredAt",
    "proposedAt",
    "preparedAt",
    "filledOn",
];

/// What may stand between braces in a subject.
const PLACEHOLDERS: [&str; 5] = ["case", "key", "thread", "debtor", "creditor"];

/// What a regulation file defines and its rules may name.
pub(super) struct Names {
    pub(super) documents: Vec<String>,
    pub(super) roles: Vec<RoleCode>,
    pub(super) messages: Vec<String>,
    pub(super) tables: Vec<String>,
    /// Whether the regulation states a `grace`.
    pub(super) grace: bool,
}

impl Names {
    pub(super) fn role(&self, text: &str) -> Result<RoleCode, Problem> {
        let known = self.roles.iter().find(|r| r.as_str() == text).cloned();
        known.ok_or_else(|| unknown("роль", "role", text, self.roles.iter()))
    }

    /// A term that an obligation is counted by.
    pub(super) fn term(&self, text: &str) -> Result<Term, Problem> {
        let term = term(text)?;
        if term.has_immediately() && !self.grace {
            return Err(Problem::new(
                "`immediately` требует запаса, иначе всё рождалось бы просроченным; добавьте в начало файла grace = \"1 hour\"",
                "`immediately` needs a grace, else everything would be born overdue; add grace = \"1 hour\" to the file's head",
            ));
        }
        Ok(term)
    }

    pub(super) fn message(&self, text: &str) -> Result<String, Problem> {
        let known = self.messages.iter().find(|m| *m == text).cloned();
        known.ok_or_else(|| {
            unknown("сообщение (из [[exchange]])", "message (of [[exchange]])", text, self.messages.iter())
        })
    }
}

/// Reads one `[[deadline]]`, or one `[[task]]`.
pub(super) fn rule(table: Table<'_, '_>, names: &Names, is_task: bool) -> Option<Rule> {
    let line = table.line();
    let (rule_id, title, source) =
        (table.need_parsed("id", id(RuleId::parse)), title(&table, "title"), source(&table, names));
    let nothing = table.has("nothing").then(|| super::parse::title(&table, "nothing")).flatten();
    let (off, reading, rows) = (plain(table.text("off")), plain(table.text("reading")), rows(&table));
    let opens = opens(&table, names);
    let again = if table.has("again") { table.parsed("again", again) } else { Some(Again::Keep) };
    let start = table.need_parsed("start", start);
    let debtor = table.need_parsed("debtor", |t| party(t, names));
    let creditor = table.need_parsed("creditor", |t| party(t, names));
    let subject = table.need_parsed("subject", subject);
    let met: Vec<Meets> = table.tables("met").into_iter().filter_map(|t| meets(t, names)).collect();
    let cancelled = table.tables("cancelled").into_iter().filter_map(|t| meets(t, names)).collect();
    let (term, roll, warns) = if is_task {
        (Some(TermChoice::None), Some(Roll::None), Vec::new())
    } else {
        (term_choice(&table, names), table.need_parsed("roll", roll), warns(&table))
    };
    let (wish, term_key) = (table.parsed("wish", path), table.parsed("term_key", path));
    let (outlives_case, round_the_clock) = (table.flag("outlives_case"), table.flag("round_the_clock"));
    // What later messages move, and the end of the case cancels, needs nothing that meets it.
    if !table.has("met") && again.is_none_or(|again| again == Again::Keep) {
        let name = if is_task { "task" } else { "deadline" };
        let problem = Problem::new(
            format!("правилу нужен `[[{name}.met]]`: что его исполняет"),
            format!("the rule needs a `[[{name}.met]]`: what meets it"),
        );
        table.error(&table.span, problem);
    }
    let whole = || {
        Some(Rule {
            id: rule_id?,
            title: title?,
            rows,
            off,
            nothing,
            opens: opens?,
            again: again?,
            start: start?,
            debtor: debtor?,
            creditor: creditor?,
            subject: subject?,
            met,
            cancelled,
            term: term?,
            term_key,
            roll: roll?,
            warns,
            outlives_case,
            round_the_clock,
            wish,
            source: source?,
            reading,
            line,
        })
    };
    let rule = whole();
    for problem in rule.iter().flat_map(super::contradictions::contradictions) {
        table.error(&table.span, problem);
    }
    table.finish()?;
    rule
}

/// The one or several `[[deadline.opens]]`.
fn opens(table: &Table<'_, '_>, names: &Names) -> Option<Opens> {
    if !table.has("opens") {
        table.need_table("opens");
        return None;
    }
    let mut messages = Vec::new();
    let mut tables = table.tables("opens");
    match (tables.pop(), tables.is_empty()) {
        (Some(only), true) if only.has("every") => return every(only, names),
        (last, _) => tables.extend(last),
    }
    for inner in tables {
        messages.push(matching(inner, names));
    }
    messages.into_iter().collect::<Option<Vec<_>>>().map(Opens::Messages)
}

fn every(table: Table<'_, '_>, names: &Names) -> Option<Opens> {
    let every = table.need_parsed("every", |text| {
        [Every::Month, Every::Quarter, Every::Year].into_iter().find(|e| e.as_str() == text).ok_or_else(|| {
            Problem::new(
                format!("`{text}`: можно month, quarter, year"),
                format!("`{text}`: allowed are month, quarter, year"),
            )
        })
    });
    let of = table.need_parsed("of", |text| match text {
        "measure" => Ok(Of::Measure),
        "case" => Ok(Of::Case),
        _ => match text.strip_prefix("role ") {
            Some(role) => names.role(role).map(Of::Role),
            None => Err(Problem::new(
                format!("`{text}`: можно measure, case, role <код>"),
                format!("`{text}`: allowed are measure, case, role <code>"),
            )),
        },
    });
    table.finish()?;
    Some(Opens::Every { every: every?, of: of? })
}

fn again(text: &str) -> Result<Again, Problem> {
    [Again::Keep, Again::Retime, Again::Replace].into_iter().find(|a| a.as_str() == text).ok_or_else(|| {
        Problem::new(
            format!("`{text}`: можно keep, retime, replace"),
            format!("`{text}`: allowed are keep, retime, replace"),
        )
    })
}

fn meets(table: Table<'_, '_>, names: &Names) -> Option<Meets> {
    let debtor = if table.has("debtor") { table.parsed("debtor", |t| party(t, names))? } else { Party::Sender };
    let at = if table.has("at") { table.parsed("at", settle_at)? } else { SettleAt::Accepted };
    Some(Meets { matching: matching(table, names)?, debtor, at })
}

fn settle_at(text: &str) -> Result<SettleAt, Problem> {
    match text {
        "accepted" => Ok(SettleAt::Accepted),
        field if DATED_FIELDS.contains(&field) => Ok(SettleAt::Field(field.to_owned())),
        _ => {
            let allowed = format!("accepted, {}", DATED_FIELDS.join(", "));
            Err(Problem::new(
                format!("`at` = `{text}`: можно {allowed}"),
                format!("`at` = `{text}`: allowed are {allowed}"),
            ))
        }
    }
}

fn matching(table: Table<'_, '_>, names: &Names) -> Option<Matching> {
    let message = table.need_parsed("message", |t| names.message(t));
    let roles = |key| -> Vec<RoleCode> {
        table.texts(key).into_iter().filter_map(|text| table.convert(text, |t| names.role(t))).collect()
    };
    let (from, to) = (roles("from"), roles("to"));
    let each = table.parsed("each", path);
    let key = table.parsed("key", |text| match text {
        "roles of recipient" => Ok(Key::RolesOfRecipient),
        "recipient" => Ok(Key::Recipient),
        _ => path(text).map(Key::Path),
    });
    let (case, period) = (table.parsed("case", path), table.parsed("period", path));
    let about = table.parsed("about", path);
    let filter = filter(&table);
    table.finish()?;
    Some(Matching { message: message?, from, to, each, filter, key, case, period, about })
}

/// The conditions of `where`.
pub(super) fn filter(table: &Table<'_, '_>) -> BodyFilter {
    let mut filter = Vec::new();
    if let Some(entries) = table.table("where") {
        for (name, values) in entries.entries() {
            if let Some(path) = table.convert(name, path) {
                filter.push((path, values.into_iter().map(|v| v.value).collect()));
            }
        }
    }
    filter
}

fn start(text: &str) -> Result<StartAt, Problem> {
    if let Some(word) = text.strip_prefix("case ")
        && let Some(date) = CaseDate::ALL.into_iter().find(|d| d.as_str() == word)
    {
        return Ok(StartAt::Case(date));
    }
    if let Some(field) = text.strip_prefix("date ") {
        return path(field).map(|path| StartAt::Date(path.to_string()));
    }
    match text {
        "accepted" => Ok(StartAt::Accepted),
        "sent" => Ok(StartAt::Sent),
        "delivered" => Ok(StartAt::Delivered),
        "period" => Ok(StartAt::Period),
        field if DATED_FIELDS.contains(&field) => Ok(StartAt::Field(field.to_owned())),
        _ => {
            let cases = CaseDate::ALL.map(|d| format!("case {}", d.as_str())).join(", ");
            let allowed = format!("accepted, sent, delivered, period, {}, {cases}", DATED_FIELDS.join(", "));
            Err(Problem::new(
                format!("начало `{text}`: можно {allowed}, date <поле>"),
                format!("start `{text}`: allowed are {allowed}, date <field>"),
            ))
        }
    }
}

fn party(text: &str, names: &Names) -> Result<Party, Problem> {
    match text {
        "sender" => Ok(Party::Sender),
        "recipient" => Ok(Party::Recipient),
        "responsible" => Ok(Party::Responsible),
        "role of key" => Ok(Party::RoleOfKey),
        "citizen" => Ok(Party::Citizen),
        _ => match text.strip_prefix("role ") {
            Some(role) => names.role(role).map(Party::Role),
            None => Err(Problem::new(
                format!("сторона `{text}`: можно sender, recipient, responsible, role of key, citizen, role <код>"),
                format!(
                    "party `{text}`: allowed are sender, recipient, responsible, role of key, citizen, role <code>"
                ),
            )),
        },
    }
}

/// Checks a template such as `{case} {key}`.
fn subject(text: &str) -> Result<String, Problem> {
    for piece in text.split('{').skip(1) {
        let name = piece.split_once('}').map(|(name, _)| name);
        if !name.is_some_and(|n| PLACEHOLDERS.contains(&n)) {
            let allowed = PLACEHOLDERS.map(|p| format!("{{{p}}}")).join(", ");
            let shown = name.unwrap_or(piece);
            return Err(Problem::new(
                format!("в `subject` неизвестная подстановка `{shown}`; можно: {allowed}"),
                format!("`subject` has the unknown placeholder `{shown}`; allowed: {allowed}"),
            ));
        }
    }
    Ok(text.to_owned())
}

fn term_choice(table: &Table<'_, '_>, names: &Names) -> Option<TermChoice> {
    if table.has("term_table") {
        if table.has("term") {
            let problem = Problem::new("оставьте одно: `term` или `term_table`", "keep one of `term` and `term_table`");
            table.error(&table.span, problem);
        }
        return table.parsed("term_table", |text| {
            let known = names.tables.iter().find(|t| *t == text).cloned();
            known
                .map(TermChoice::Table)
                .ok_or_else(|| unknown("таблица сроков", "term table", text, names.tables.iter()))
        });
    }
    table.need_parsed("term", |t| names.term(t)).map(TermChoice::Plain)
}

fn warns(table: &Table<'_, '_>) -> Vec<Warn> {
    let mut warns = Vec::new();
    for item in table.texts_or_tables("warn") {
        match item {
            Ok(text) => warns.extend(table.convert(text, term).map(|term| Warn { term, roll: Roll::None })),
            Err(inner) => {
                let (term, roll) = (inner.need_parsed("term", term), inner.need_parsed("roll", roll));
                if let (Some(()), Some(term), Some(roll)) = (inner.finish(), term, roll) {
                    warns.push(Warn { term, roll });
                }
            }
        }
    }
    warns
}
