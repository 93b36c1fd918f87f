//! The TOML form of one deadline rule.

use super::parse::{id, path, plain, roll, source, term, title, unknown};
use super::{Key, Matching, Meets, Opens, Party, Rule, SettleAt, StartAt, TermChoice, Warn};
use crate::deadline::reader::{Problem, Table};
use crate::deadline::{Roll, Term};
use crate::domain::{RoleCode, RuleId};

/// Dated fields at the top of a body from which a term may be counted.
pub(in crate::deadline) const DATED_FIELDS: [&str; 6] =
    ["submittedAt", "registeredAt", "identifiedAt", "decidedAt", "signedAt", "handedAt"];

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

/// Reads one `[[deadline]]`.
pub(super) fn rule(table: Table<'_, '_>, names: &Names) -> Option<Rule> {
    let line = table.line();
    let (rule_id, title, source) =
        (table.need_parsed("id", id(RuleId::parse)), title(&table, "title"), source(&table, names));
    let nothing = table.has("nothing").then(|| super::parse::title(&table, "nothing")).flatten();
    let (off, reading) = (plain(table.text("off")), plain(table.text("reading")));
    let opens = table.need_table("opens").and_then(|t| opens(t, names));
    let start = table.need_parsed("start", start);
    let debtor = table.need_parsed("debtor", |t| party(t, names));
    let creditor = table.need_parsed("creditor", |t| party(t, names));
    let subject = table.need_parsed("subject", subject);
    let met: Vec<Meets> = table.tables("met").into_iter().filter_map(|t| meets(t, names)).collect();
    let term = term_choice(&table, names);
    let roll = table.need_parsed("roll", roll);
    let warns = warns(&table);
    let wish = table.parsed("wish", path);
    let round_the_clock = table.flag("round_the_clock");
    if !table.has("met") {
        let problem = Problem::new(
            "правилу нужен `[[deadline.met]]`: что его исполняет",
            "the rule needs a `[[deadline.met]]`: what meets it",
        );
        table.error(&table.span, problem);
    }
    let whole = || {
        Some(Rule {
            id: rule_id?,
            title: title?,
            off,
            nothing,
            opens: opens?,
            start: start?,
            debtor: debtor?,
            creditor: creditor?,
            subject: subject?,
            met,
            term: term?,
            roll: roll?,
            warns,
            wish,
            source: source?,
            reading,
            round_the_clock,
            line,
        })
    };
    let rule = whole();
    for problem in rule.iter().flat_map(contradictions) {
        table.error(&table.span, problem);
    }
    table.finish()?;
    rule
}

fn opens(table: Table<'_, '_>, names: &Names) -> Option<Opens> {
    if !table.has("every") {
        return matching(table, names).map(Opens::Message);
    }
    let every = table.need_parsed("every", |text| match text {
        "month" => Ok(()),
        _ => Err(Problem::new(format!("`{text}`: можно month"), format!("`{text}`: allowed is month"))),
    });
    let of = table.need_parsed("of", |text| match text {
        "measure" => Ok(()),
        _ => Err(Problem::new(format!("`{text}`: можно measure"), format!("`{text}`: allowed is measure"))),
    });
    table.finish()?;
    every.and(of).map(|()| Opens::MonthOfMeasures)
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
    let each = table.parsed("each", path);
    let key = table.parsed("key", |text| match text {
        "roles of recipient" => Ok(Key::RolesOfRecipient),
        _ => path(text).map(Key::Path),
    });
    let (case, period) = (table.parsed("case", path), table.parsed("period", path));
    let mut filter = Vec::new();
    if let Some(entries) = table.table("where") {
        for (name, values) in entries.entries() {
            if let Some(path) = table.convert(name, path) {
                filter.push((path, values.into_iter().map(|v| v.value).collect()));
            }
        }
    }
    table.finish()?;
    Some(Matching { message: message?, each, filter, key, case, period })
}

fn start(text: &str) -> Result<StartAt, Problem> {
    match text {
        "accepted" => Ok(StartAt::Accepted),
        "sent" => Ok(StartAt::Sent),
        "delivered" => Ok(StartAt::Delivered),
        "period" => Ok(StartAt::Period),
        field if DATED_FIELDS.contains(&field) => Ok(StartAt::Field(field.to_owned())),
        _ => {
            let allowed = format!("accepted, sent, delivered, period, {}", DATED_FIELDS.join(", "));
            Err(Problem::new(
                format!("начало `{text}`: можно {allowed}"),
                format!("start `{text}`: allowed are {allowed}"),
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
        _ => match text.strip_prefix("role ") {
            Some(role) => names.role(role).map(Party::Role),
            None => Err(Problem::new(
                format!("сторона `{text}`: можно sender, recipient, responsible, role of key, role <код>"),
                format!("party `{text}`: allowed are sender, recipient, responsible, role of key, role <code>"),
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

/// What a rule says in one place and takes back in another.
fn contradictions(rule: &Rule) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut say = |ru: &str, en: &str| problems.push(Problem::new(ru, en));
    let opening = match &rule.opens {
        Opens::Message(matching) => Some(matching),
        Opens::MonthOfMeasures => None,
    };
    let met_by = || rule.met.iter().map(|m| &m.matching);
    let uses = |name: &str| rule.subject.contains(&format!("{{{name}}}"));

    if opening.is_none() != (rule.start == StartAt::Period) {
        say(
            "start = \"period\" бывает только при every = \"month\", и наоборот",
            "start = \"period\" goes only with every = \"month\", and the other way round",
        );
    }
    if opening.is_none() && met_by().any(|m| m.period.is_none()) {
        say(
            "у помесячного правила в `met` нужен `period`: где сообщение называет месяц",
            "a monthly rule needs `period` in `met`: where the message names the month",
        );
    }
    if opening.is_some_and(|m| m.period.is_none()) && met_by().any(|m| m.period.is_some()) {
        say(
            "`period` в `met` без `period` в `opens`: ключи не совпадут",
            "`period` in `met` without `period` in `opens`: the keys cannot be equal",
        );
    }
    let keyed = opening.is_some_and(|m| m.key.is_some());
    if uses("key") && !(keyed && met_by().all(|m| m.key.is_some())) {
        say(
            "`{key}` в `subject` требует `key` и в `opens`, и в каждом `met`",
            "`{key}` in `subject` needs `key` in `opens` and in every `met`",
        );
    }
    if keyed && !uses("key") {
        say(
            "есть `key`, но `subject` без `{key}`: обязательства слились бы",
            "there is a `key`, but `subject` has no `{key}`: the obligations would merge",
        );
    }
    if uses("thread") && opening.is_none() {
        say(
            "`{thread}` бывает только у правила, которое открывает сообщение",
            "`{thread}` needs a rule that a message opens",
        );
    }
    if matches!(rule.term, TermChoice::Table(_)) && !keyed {
        say("`term_table` требует `key` в `opens`", "`term_table` needs a `key` in `opens`");
    }
    let parties = [&rule.debtor, &rule.creditor];
    if parties.contains(&&Party::Responsible) && opening.is_some() {
        say("`responsible` бывает только при every = \"month\"", "`responsible` goes only with every = \"month\"");
    }
    if opening.is_none() && parties.iter().any(|p| matches!(p, Party::Sender | Party::Recipient | Party::RoleOfKey)) {
        say(
            "при every = \"month\" нет сообщения: стороной может быть responsible или role <код>",
            "with every = \"month\" there is no message: a party may be responsible or role <code>",
        );
    }
    if parties.contains(&&Party::RoleOfKey) && !keyed {
        say("`role of key` требует `key` в `opens`", "`role of key` needs a `key` in `opens`");
    }
    if let TermChoice::Plain(term) = &rule.term {
        problems.extend(without_day(term, rule.roll));
    }
    for warn in &rule.warns {
        problems.extend(without_day(&warn.term, warn.roll));
    }
    problems
}

fn without_day(term: &Term, roll: Roll) -> Option<Problem> {
    (roll != Roll::None && !term.ends_with_a_day()).then(|| {
        Problem::new(
            format!("срок `{term}` кончается моментом, перенос `{roll}` неприменим; поставьте none"),
            format!("the term `{term}` ends at an instant, the roll `{roll}` cannot apply; write none"),
        )
    })
}
