//! The check of a regulation against what surrounds it: participants, calendars, schemas.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};
use roxmltree::Document;

use super::obligations::{Directory, HolderError};
use super::regulation::{
    Key, Matching, Measure, Norm, Of, Opens, Party, Regulation, Rule, SettleAt, StartAt, TermChoice,
};
use super::{BodyPath, Calendar, Calendars, Computed, Fields, Finding, Roll, Severity, Start, Term, compute};
use crate::bundle::Files;
use crate::domain::{MessageType, Oktmo, Participant, RoleCode, Timestamp};

/// How far ahead the calendar must reach, in days.
const AHEAD_DAYS: u64 = 366;
/// The highest message version that is looked for.
const VERSION_MAX: u32 = 99;

/// What a regulation is checked against.
#[derive(Debug, Clone, Copy)]
pub struct CheckInput<'a> {
    /// Every participant.
    pub participants: &'a [Participant],
    /// The loaded calendars.
    pub calendars: &'a Calendars,
    /// The bundle, for the message schemas below `schemas/`.
    pub files: &'a Files,
    /// Business time: from here a year ahead must be covered.
    pub now: Timestamp,
}

/// Everything that does not fit: roles without or with two holders, rules that name unknown messages or elements, years that
/// the calendar lacks, chains of terms that are longer than their norm, rules that are off. Errors first, then by line.
pub fn check(regulation: &Regulation, input: &CheckInput<'_>) -> Vec<Finding> {
    let mut check = Check { regulation, input, findings: Vec::new() };
    check.holders();
    check.measures();
    check.messages();
    check.calendar();
    for norm in &regulation.norms {
        check.norm(norm);
    }
    for rule in &regulation.rules {
        if let Some(why) = &rule.off {
            let id = &rule.id;
            check.warn(rule.line, format!("правило `{id}` выключено: {why}"), format!("the rule `{id}` is off: {why}"));
        }
    }
    check.versions_off();
    check.findings.extend(super::check_order::check(regulation));
    check.findings.extend(super::check_grounds::check(regulation, input.files));
    let mut findings = check.findings;
    findings.sort_by_key(|f| (std::cmp::Reverse(f.severity), f.line));
    findings.dedup();
    findings
}

struct Check<'a> {
    regulation: &'a Regulation,
    input: &'a CheckInput<'a>,
    findings: Vec<Finding>,
}

impl<'a> Check<'a> {
    fn say(&mut self, severity: Severity, line: usize, ru: String, en: String) {
        self.findings.push(Finding { severity, file: self.regulation.file.clone(), line, column: 0, ru, en });
    }

    fn error(&mut self, line: usize, ru: String, en: String) {
        self.say(Severity::Error, line, ru, en);
    }

    fn warn(&mut self, line: usize, ru: String, en: String) {
        self.say(Severity::Warning, line, ru, en);
    }

    fn own(&self) -> impl Iterator<Item = &'a Participant> {
        let id = &self.regulation.id;
        self.input.participants.iter().filter(move |p| p.regulation == *id)
    }

    /// Every role needs exactly one holder in every territory that anybody of the regulation serves.
    fn holders(&mut self) {
        let regulation = self.regulation;
        let own: Vec<&Participant> = self.own().collect();
        for participant in &own {
            for holding in participant.roles.iter().filter(|h| regulation.role(&h.role).is_none()) {
                let (id, role) = (&participant.id, &holding.role);
                self.error(
                    0,
                    format!("участник `{id}` исполняет роль `{role}`, которой в регламенте нет"),
                    format!("the participant `{id}` holds the role `{role}`, which the regulation does not have"),
                );
            }
        }
        let places: BTreeSet<&Oktmo> = own.iter().flat_map(|p| &p.roles).flat_map(|h| &h.territories).collect();
        // A prefix is served where something below it is; what lies at the bottom is what cases name.
        let bottom = places.iter().filter(|a| !places.iter().any(|b| a != &b && a.covers(b)));
        let mut territories: Vec<Option<&Oktmo>> = bottom.map(|t| Some(*t)).collect();
        if territories.is_empty() && !own.is_empty() {
            territories.push(None);
        }
        let needed = needed_roles(regulation);
        for role in &regulation.roles {
            for territory in &territories {
                self.one_holder(&role.code, role.line, *territory, needed.contains(&role.code));
            }
        }
    }

    fn one_holder(&mut self, role: &RoleCode, line: usize, territory: Option<&Oktmo>, needed: bool) {
        let (nowhere, everywhere, place) = match territory {
            Some(code) => {
                (format!("на территории {code}"), format!("на территории {code}"), format!("in the territory {code}"))
            }
            None => ("нигде".to_owned(), "везде".to_owned(), "anywhere".to_owned()),
        };
        match self.input.participants.holder(&self.regulation.id, role, territory) {
            Ok(_) => {}
            Err(HolderError::Vacant) if needed => self.error(
                line,
                format!(
                    "роль `{role}` {nowhere} никто не исполняет, а сроки без неё не найдут стороны; дайте её участнику"
                ),
                format!(
                    "nobody holds the role `{role}` {place}, and deadlines need it as a party; give it to a participant"
                ),
            ),
            Err(HolderError::Vacant) => self.warn(
                line,
                format!("роль `{role}` {nowhere} никто не исполняет: её обмена не будет"),
                format!("nobody holds the role `{role}` {place}: its exchanges will not happen"),
            ),
            Err(HolderError::Several(ids)) => {
                let ids = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                self.error(
                    line,
                    format!("роль `{role}` {everywhere} исполняют сразу {ids}; оставьте одного"),
                    format!("the role `{role}` {place} is held by {ids} at once; keep one"),
                );
            }
        }
    }

    fn measures(&mut self) {
        for Measure { responsible, line, .. } in &self.regulation.measures {
            if !self.own().any(|p| p.id == *responsible) {
                self.error(
                    *line,
                    format!("в регламенте нет участника `{responsible}`"),
                    format!("the regulation has no participant `{responsible}`"),
                );
            }
        }
    }

    /// Every message has a schema, and every element that a rule names is declared in it.
    fn messages(&mut self) {
        let mut schemas: BTreeMap<&str, Option<BTreeSet<String>>> = BTreeMap::new();
        for exchange in &self.regulation.exchanges {
            let name = exchange.message.as_str();
            let elements = schemas.entry(name).or_insert_with(|| elements(self.input.files, name));
            if elements.is_none() {
                let ru = format!("нет схемы сообщения `{name}` (schemas/social/{name}/1/{name}.xsd)");
                self.error(
                    exchange.line,
                    ru,
                    format!("there is no schema of the message `{name}` (schemas/social/{name}/1/{name}.xsd)"),
                );
            }
        }
        for (message, path, line) in named_paths(self.regulation) {
            let Some(Some(elements)) = schemas.get(message.as_str()) else { continue };
            for name in path.names().filter(|name| !elements.contains(*name)) {
                self.error(
                    line,
                    format!("в схеме `{message}` нет элемента `{name}` (путь `{path}`)"),
                    format!("the schema of `{message}` has no element `{name}` (path `{path}`)"),
                );
            }
        }
    }

    /// The calendar is there, and covers this year and the days a year ahead.
    fn calendar(&mut self) {
        let (name, line) = (&self.regulation.calendar, self.regulation.calendar_line);
        let Some(calendar) = self.input.calendars.get(name) else {
            let known = self.input.calendars.names().collect::<Vec<_>>().join(", ");
            return self.error(
                line,
                format!("календарь `{name}` не загружен (есть: {known}); добавьте config/calendars/{name}.csv"),
                format!("the calendar `{name}` is not loaded (there are: {known}); add config/calendars/{name}.csv"),
            );
        };
        let today = self.today();
        let ahead = today.checked_add_days(Days::new(AHEAD_DAYS)).unwrap_or(today);
        for year in today.year()..=ahead.year() {
            if let Err(missing) = calendar.covers(year) {
                let text = missing.to_string();
                let (ru, en) = text.split_once(" / ").unwrap_or((&text, &text));
                // Without this year nothing can be counted now; a coming one still leaves time.
                let severity = if year == today.year() { Severity::Error } else { Severity::Warning };
                self.say(severity, line, ru.to_owned(), en.to_owned());
            }
            if let Some(doubt) = calendar.doubt(year) {
                self.warn(
                    line,
                    format!("календарь `{name}`, {year} год: {doubt}"),
                    format!("calendar `{name}`, {year}: {doubt}"),
                );
            }
        }
    }

    fn today(&self) -> NaiveDate {
        Start::Instant(self.input.now).local_date(self.regulation.zone)
    }

    /// Whether the rules of a norm, one after the other, may last longer than the norm: tried on every day of the year ahead.
    fn norm(&mut self, norm: &Norm) {
        let Some(calendar) = self.input.calendars.get(&self.regulation.calendar) else { return };
        let rules: Vec<&Rule> = norm.contains.iter().filter_map(|id| self.regulation.rule(id)).collect();
        if rules.is_empty() {
            return;
        }
        let days = self.today().iter_days().take(usize::try_from(AHEAD_DAYS).unwrap_or(0));
        for day in days {
            let within = self.end(calendar, &norm.term, norm.roll, day);
            let chain = rules.iter().try_fold(day, |day, rule| {
                self.longest(rule, day).into_iter().filter_map(|term| self.end(calendar, term, rule.roll, day)).max()
            });
            let (Some(within), Some(chain)) = (within, chain) else { continue };
            if chain > within {
                let ids = rules.iter().map(|r| r.id.as_str()).collect::<Vec<_>>().join(" + ");
                let id = &norm.id;
                let ru = format!(
                    "сроки `{ids}` вместе длиннее нормы `{id}` ({}): например, от {day} они кончаются {chain}, а норма {within}",
                    norm.term
                );
                let en = format!(
                    "the terms `{ids}` together are longer than the norm `{id}` ({}): from {day}, say, they end on {chain}, the norm on {within}",
                    norm.term
                );
                return self.warn(norm.line, ru, en);
            }
        }
    }

    /// Versions of term tables that wait for an administrator.
    fn versions_off(&mut self) {
        let regulation = self.regulation;
        for (id, version) in regulation.term_tables.iter().flat_map(|(id, t)| t.versions.iter().map(move |v| (id, v))) {
            let Some(why) = &version.off else { continue };
            let (term, from) = (&version.default, version.valid_from);
            let (ru, en) = match from {
                Some(from) => (format!("с {from}"), format!("from {from}")),
                None => ("без даты".to_owned(), "without a date".to_owned()),
            };
            self.warn(
                version.line,
                format!("таблица сроков `{id}`: редакция {ru} ({}) выключена: {why}", term.ru()),
                format!("term table `{id}`: the version {en} ({term}) is off: {why}"),
            );
        }
    }

    /// The terms that a rule may take when it starts on this day.
    fn longest<'r>(&'r self, rule: &'r Rule, day: NaiveDate) -> Vec<&'r Term> {
        match &rule.term {
            TermChoice::Plain(term) => vec![term],
            TermChoice::Table(id) => self
                .regulation
                .term_tables
                .get(id)
                .and_then(|table| table.on(day))
                .into_iter()
                .flat_map(|version| std::iter::once(&version.default).chain(version.by.values()))
                .collect(),
            TermChoice::None => Vec::new(),
        }
    }

    /// The last local day of a term that begins at noon of a day; `None` when it cannot be counted without a document.
    fn end(&self, calendar: &Calendar, term: &Term, roll: Roll, day: NaiveDate) -> Option<NaiveDate> {
        let zone = self.regulation.zone;
        let noon = Start::Date(day).instant(zone).plus_seconds(12 * 3600);
        let computed: Computed = compute(term, roll, calendar, zone, &Start::Instant(noon), &Fields::new()).ok()?;
        Some(computed.last_day.unwrap_or_else(|| Start::Instant(computed.due).local_date(zone)))
    }
}

/// Roles without which a rule that is on finds no debtor or creditor, so that messages would be refused.
fn needed_roles(regulation: &Regulation) -> BTreeSet<RoleCode> {
    let mut needed = BTreeSet::new();
    for rule in regulation.rules.iter().filter(|r| r.off.is_none()) {
        let of_ends = rule.met.iter().chain(&rule.cancelled).map(|m| &m.debtor);
        for party in [&rule.debtor, &rule.creditor].into_iter().chain(of_ends) {
            match party {
                Party::Role(role) => needed.extend([role.clone()]),
                // The key may name whoever can be sent what meets the rule.
                Party::RoleOfKey => {
                    let meets = |message: &str| rule.met.iter().any(|m| m.matching.message == message);
                    let exchanges = regulation.exchanges.iter().filter(|e| meets(&e.message));
                    needed.extend(exchanges.flat_map(|e| &e.to).cloned());
                }
                Party::Sender | Party::Recipient | Party::Responsible | Party::Citizen => {}
            }
        }
        if let Opens::Every { of: Of::Role(role), .. } = &rule.opens {
            needed.insert(role.clone());
        }
    }
    needed
}

/// Every path that the regulation names, with the message it is a path of.
fn named_paths(regulation: &Regulation) -> Vec<(String, BodyPath, usize)> {
    let mut named = Vec::new();
    for exchange in &regulation.exchanges {
        let own = exchange.own.iter().flat_map(|own| [&own.each, &own.by]);
        named.extend(own.map(|path| (exchange.message.clone(), path.clone(), exchange.line)));
    }
    if let Some(case) = &regulation.case {
        for (message, path) in case.messages.iter().flat_map(|m| [(m, &case.territory), (m, &case.kind)]) {
            named.push((message.clone(), path.clone(), case.line));
        }
    }
    let matching = |m: &Matching, line: usize, named: &mut Vec<(String, BodyPath, usize)>| {
        let key = match &m.key {
            Some(Key::Path(path)) => Some(path),
            Some(Key::RolesOfRecipient | Key::Recipient) | None => None,
        };
        let paths = m
            .each
            .iter()
            .chain(m.filter.iter().map(|(path, _)| path))
            .chain(key)
            .chain(&m.case)
            .chain(&m.period)
            .chain(&m.about);
        named.extend(paths.map(|path| (m.message.clone(), path.clone(), line)));
    };
    for step in &regulation.steps {
        named.extend(step.filter.iter().map(|(path, _)| (step.message.clone(), path.clone(), step.line)));
    }
    for rule in &regulation.rules {
        for opening in rule.openings() {
            matching(opening, rule.line, &mut named);
            let field = match &rule.start {
                StartAt::Field(field) | StartAt::Date(field) => BodyPath::parse(field),
                StartAt::Accepted | StartAt::Sent | StartAt::Delivered | StartAt::Period | StartAt::Case(_) => None,
            };
            let term_fields = match &rule.term {
                TermChoice::Plain(term) => term.fields(),
                TermChoice::Table(_) | TermChoice::None => Vec::new(),
            };
            let term_fields = term_fields.into_iter().filter_map(BodyPath::parse);
            let paths = field.into_iter().chain(rule.wish.clone()).chain(rule.term_key.clone()).chain(term_fields);
            named.extend(paths.map(|path| (opening.message.clone(), path, rule.line)));
        }
        for meets in rule.met.iter().chain(&rule.cancelled) {
            matching(&meets.matching, rule.line, &mut named);
            if let SettleAt::Field(field) = &meets.at {
                named.extend(BodyPath::parse(field).map(|path| (meets.matching.message.clone(), path, rule.line)));
            }
        }
    }
    named
}

/// The names of all elements that the schemas of a message declare, every version; `None` when there is no schema.
fn elements(files: &Files, message: &str) -> Option<BTreeSet<String>> {
    let mut names = None;
    for version in 1..=VERSION_MAX {
        let Ok(message_type) = MessageType::new(message, version) else { break };
        let Some(bytes) = files.get(&format!("schemas/{}/{message}.xsd", message_type.folder())) else { break };
        let names = names.get_or_insert_with(BTreeSet::new);
        let Some(document) = std::str::from_utf8(bytes).ok().and_then(|text| Document::parse(text).ok()) else {
            continue;
        };
        names.extend(declared(&document));
        // Types that all messages share stand in schemas of their own.
        let imports = document.descendants().filter(|n| n.tag_name().name() == "import");
        for shared in imports.filter_map(|n| n.attribute("namespace")?.strip_prefix("urn:mezhved:common:")) {
            let bytes = files.get(&format!("schemas/common/{shared}/common.xsd"));
            let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
            names.extend(text.and_then(|text| Document::parse(text).ok()).iter().flat_map(declared));
        }
    }
    names
}

fn declared(document: &Document<'_>) -> Vec<String> {
    let elements = document.descendants().filter(|n| n.tag_name().name() == "element");
    elements.filter_map(|n| n.attribute("name")).map(str::to_owned).collect()
}
