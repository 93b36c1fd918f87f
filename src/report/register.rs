//! The registers that the documents name: of applications (Yugra) and of families at their first record (model programme, 9.3).
//!
//! Neither document gives a form; the columns are what the text says of the work. What the gateway does not know stays empty, and the
//! column says why.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::people::{Somebody, Told, told};
use super::table::{About, Cell, Column, Report, Table, words};
use crate::deadline::Title;
use crate::deadline::cases::CaseFacts;
use crate::domain::{CaseId, ParticipantId, Timestamp, Zone};
use crate::schema::codes::CodeLists;

/// Which register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegisterKind {
    /// «Журнал учёта обращений граждан, обратившихся за социальным сопровождением».
    Applications,
    /// «Журнал первичного учёта семей, нуждающихся в социальном сопровождении».
    Families,
}

impl RegisterKind {
    /// Every one.
    pub const ALL: &'static [Self] = &[Self::Applications, Self::Families];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applications => "applications",
            Self::Families => "families",
        }
    }

    /// Parses the stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }

    /// For people.
    pub fn title(self) -> Title {
        match self {
            Self::Applications => words("Журнал учёта обращений", "Register of applications"),
            Self::Families => words("Журнал первичного учёта семей", "Register of families at their first record"),
        }
    }
}

/// An accepted application or notice.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it was accepted (business time).
    pub accepted_at: Timestamp,
    /// Its type's name.
    pub type_name: String,
    /// Who sent it.
    pub sender: ParticipantId,
    /// To whom it went.
    pub recipient: ParticipantId,
    /// Its case.
    pub case_id: Option<CaseId>,
    /// Its canonical body; `None`: it was destroyed.
    pub body: Option<Vec<u8>>,
    /// What is known of the case.
    pub facts: Option<CaseFacts>,
}

/// Without the body: it holds personal data.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("type_name", &self.type_name)
            .field("sender", &self.sender)
            .field("case_id", &self.case_id)
            .finish_non_exhaustive()
    }
}

/// A register's row before it is written: an entry and its body read, if it is there.
struct Line<'e> {
    entry: &'e Entry,
    told: Option<Told>,
    /// Whom else the same message went to.
    recipients: BTreeSet<&'e ParticipantId>,
}

/// How cells are made.
struct Pen<'p> {
    codes: &'p CodeLists,
    zone: Zone,
    /// Whether the asker may see personal data.
    personal: bool,
}

/// A register of the entries, which are in the order of their acceptance. Copies of one application for several recipients are one row.
/// Without `personal` what tells of people is hidden.
pub fn register(about: About, kind: RegisterKind, entries: &[Entry], codes: &CodeLists, personal: bool) -> Report {
    let pen = Pen { codes, zone: about.zone, personal };
    let mut lines = lines(entries);
    let mut notes = vec![match kind {
        RegisterKind::Applications => words(
            "Основание: информационное издание Югры, раздел «Организация социального сопровождения граждан» (пп. 4.5.1-4.5.2 Порядка). Формы \
             журнала документ не даёт; столбцы — по тексту.",
            "Basis: the Yugra edition, section on the organisation of accompaniment (4.5.1-4.5.2 of the order). The document gives no form; \
             the columns follow the text.",
        ),
        RegisterKind::Families => words(
            "Основание: модельная программа, п. 9.3 (для замещающих семей — п. 9.8.3). Формы журнала документ не даёт; столбцы — по тексту.",
            "Basis: model programme, 9.3 (of substitute families 9.8.3). The document gives no form; the columns follow the text.",
        ),
    }];
    if kind == RegisterKind::Families {
        let all = lines.len();
        lines.retain(|line| line.told.as_ref().is_none_or(|told| told.kind == "group"));
        let (left, shown) = (all - lines.len(), lines.len());
        notes.push(words(
            &format!("Строк: {shown}; обращений без семьи (kind = individual) не показано: {left}."),
            &format!("Rows: {shown}; applications without a family (kind = individual) left out: {left}."),
        ));
    }
    if !personal {
        notes.push(words(
            "Персональные данные скрыты: на них нужно отдельное право.",
            "Personal data are hidden: a right of their own is needed.",
        ));
    }
    let columns = match kind {
        RegisterKind::Applications => application_columns(),
        RegisterKind::Families => family_columns(),
    };
    let rows = (1..).zip(&lines).map(|(number, line)| match kind {
        RegisterKind::Applications => pen.application(number, line),
        RegisterKind::Families => pen.family(number, line),
    });
    let table = Table { key: kind.as_str(), title: kind.title(), columns, rows: rows.collect(), total: None };
    let key = match kind {
        RegisterKind::Applications => "register-applications",
        RegisterKind::Families => "register-families",
    };
    Report { key, title: kind.title(), about, notes, tables: vec![table] }
}

fn lines(entries: &[Entry]) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for entry in entries {
        let read = entry.body.as_deref().and_then(told);
        let number = |told: &Option<Told>| told.as_ref().map(|t| t.number.clone());
        let same = |line: &&mut Line<'_>| {
            line.entry.case_id.is_some()
                && line.entry.case_id == entry.case_id
                && line.entry.type_name == entry.type_name
                && line.entry.sender == entry.sender
                && number(&line.told) == number(&read)
        };
        if let Some(line) = lines.iter_mut().rev().find(same) {
            line.recipients.insert(&entry.recipient);
        } else {
            lines.push(Line { entry, told: read, recipients: BTreeSet::from([&entry.recipient]) });
        }
    }
    lines
}

fn application_columns() -> Vec<Column> {
    let step = |key, ru, en| {
        Column::new(key, ru, en).noted(
            "день акта, если его сообщение прошло через шлюз; пусто — не видел",
            "the day of the act, if its message passed the gateway; empty: not seen",
        )
    };
    vec![
        Column::number("no", "№ п/п", "No."),
        Column::new("registeredAt", "Когда зарегистрировано", "Registered at"),
        Column::new("number", "Рег. номер", "Number"),
        Column::new("way", "Как обратились", "How"),
        Column::new("person", "Гражданин", "Citizen"),
        Column::new("birthDate", "Дата рождения", "Birth date"),
        Column::new("address", "Адрес", "Address"),
        Column::new("representatives", "Представитель", "Representative"),
        Column::new("categories", "Категория", "Category"),
        Column::new("circumstances", "Обстоятельства", "Circumstances"),
        Column::new("helpKinds", "Какая помощь нужна", "Help wanted"),
        Column::new("organisation", "Кто принял", "Received by"),
        Column::new("acceptedBy", "Ответственный", "Official"),
        Column::new("passedTo", "Кому передано", "Passed to")
            .noted("участники, которым отправитель послал заявление", "participants to whom the sender passed it"),
        step("assessedOn", "Обследование", "Inspection"),
        step("decidedOn", "Решение", "Decision"),
        step("programmeOn", "Программа", "Programme"),
        step("contractOn", "Договор", "Contract"),
        Column::new("outcome", "Итог решения", "Outcome").noted(
            "шлюз хранит день решения, а не его содержание: итог — в сообщении `decision` переписки дела",
            "the gateway keeps the day of the decision, not what it says: the outcome is in the case's message `decision`",
        ),
        Column::new("state", "Дело", "Case's state"),
        Column::new("case", "Номер дела", "Case"),
    ]
}

fn family_columns() -> Vec<Column> {
    vec![
        Column::number("no", "№ п/п", "No."),
        Column::new("registeredAt", "Поставлена на учёт", "Recorded at"),
        Column::new("number", "Рег. номер", "Number"),
        Column::new("family", "Семья (заявитель)", "Family (applicant)"),
        Column::new("address", "Адрес", "Address"),
        Column::number("members", "Членов семьи", "Members"),
        Column::new("children", "Дети", "Children"),
        Column::new("categories", "Категория", "Category"),
        Column::new("circumstances", "Проблемы семьи", "Problems"),
        Column::new("way", "Откуда известно", "How it became known"),
        Column::new("organisation", "Кто поставил на учёт", "Recorded by"),
        Column::new("applicationOn", "Заявление родителя", "Parent's application")
            .noted("день, которым оно подписано", "the day on which it was signed"),
        Column::new("otherForms", "Другие формы обслуживания при отказе", "Other services after a refusal").noted(
            "шлюз этого не знает: решение о других формах через него не идёт; отказ семьи — сообщение `family-refusal` дела",
            "not known: a decision on other services does not pass the gateway; a refusal is the case's message `family-refusal`",
        ),
        Column::new("curator", "Куратор (код)", "Curator (code)").noted("без имени: его дело не хранит", "no name: a case keeps none"),
        Column::new("level", "Уровень", "Level"),
        Column::new("programmeOn", "Программа утверждена", "Programme approved"),
        Column::new("contractOn", "Договор", "Contract"),
        Column::new("closedOn", "Снята с учёта", "Closed"),
        Column::new("case", "Номер дела", "Case"),
    ]
}

impl Pen<'_> {
    fn application(&self, number: u64, line: &Line<'_>) -> Vec<Cell> {
        let facts = line.entry.facts.as_ref();
        let mut cells = self.beginning(number, line);
        cells.push(self.open(line, |told| self.way(line, told)));
        cells.push(self.person(line, |told| Cell::text(&told.person.name)));
        cells.push(self.person(line, |told| day(&told.person.birth_date)));
        cells.push(self.person(line, |told| Cell::text(&told.person.address)));
        cells.push(self.person(line, |told| Cell::text(told.representatives.join("; "))));
        cells.push(self.person(line, |told| self.coded("categories", &told.categories)));
        cells.push(self.person(line, |told| Cell::text(&told.circumstances)));
        cells.push(self.person(line, |told| self.coded("help-kinds", &told.help_kinds)));
        cells.push(self.open(line, |told| Cell::text(&told.organisation)));
        cells.push(self.person(line, |told| Cell::text(&told.accepted_by)));
        let to = line.recipients.iter().filter(|id| ***id != line.entry.sender).map(|id| id.as_str());
        cells.push(Cell::text(to.collect::<Vec<_>>().join(", ")));
        for step in ["assessment", "decision", "programme"] {
            cells.push(self.step(facts, step));
        }
        cells.push(self.contract(facts));
        cells.push(Cell::Unknown);
        cells.push(facts.map_or(Cell::Empty, |facts| {
            Cell::Words(if facts.is_closed() {
                words("закрыто", "closed")
            } else {
                words("открыто", "open")
            })
        }));
        cells.push(case(line));
        cells
    }

    fn family(&self, number: u64, line: &Line<'_>) -> Vec<Cell> {
        let facts = line.entry.facts.as_ref();
        let mut cells = self.beginning(number, line);
        cells.push(self.person(line, |told| Cell::text(&told.person.name)));
        cells.push(self.person(line, |told| Cell::text(&told.person.address)));
        cells.push(
            self.open(line, |told| if told.members == 0 { Cell::Empty } else { Cell::Count(told.members as u64) }),
        );
        cells.push(
            self.person(line, |told| Cell::text(told.children.iter().map(child_line).collect::<Vec<_>>().join("; "))),
        );
        cells.push(self.person(line, |told| self.coded("categories", &told.categories)));
        cells.push(self.person(line, |told| {
            let coded = self.coded("need-circumstances", &told.grounds);
            if coded == Cell::Empty { Cell::text(&told.circumstances) } else { coded }
        }));
        cells.push(self.open(line, |told| self.way(line, told)));
        cells.push(self.open(line, |told| Cell::text(&told.organisation)));
        cells.push(self.open(line, |told| day(&told.filled_on)));
        cells.push(Cell::Unknown);
        cells.push(facts.and_then(|f| f.curator.clone()).map_or(Cell::Empty, Cell::Text));
        let level = facts.and_then(|f| f.level.clone()).map(|level| vec![level]).unwrap_or_default();
        cells.push(self.coded("levels", &level));
        cells.push(self.step(facts, "programme"));
        cells.push(self.contract(facts));
        cells.push(Cell::day(facts.and_then(|f| f.closed_at).map(|at| self.local(at))));
        cells.push(case(line));
        cells
    }

    fn beginning(&self, number: u64, line: &Line<'_>) -> Vec<Cell> {
        let at = line.told.as_ref().and_then(|told| told.at).unwrap_or(line.entry.accepted_at);
        vec![Cell::Count(number), Cell::At(at), self.open(line, |told| Cell::text(&told.number))]
    }

    /// What is no personal data.
    fn open(&self, line: &Line<'_>, cell: impl Fn(&Told) -> Cell) -> Cell {
        line.told.as_ref().map_or(Cell::Gone, cell)
    }

    fn person(&self, line: &Line<'_>, cell: impl Fn(&Told) -> Cell) -> Cell {
        match &line.told {
            None => Cell::Gone,
            Some(_) if !self.personal => Cell::Hidden,
            Some(told) => cell(told),
        }
    }

    fn way(&self, line: &Line<'_>, told: &Told) -> Cell {
        if line.entry.type_name == "application" {
            return Cell::Words(words("личное заявление", "own application"));
        }
        let source = self.coded("identification-sources", std::slice::from_ref(&told.source));
        match source {
            Cell::Words(title) => {
                Cell::Words(words(&format!("извещение: {}", title.ru), &format!("notice: {}", title.en)))
            }
            Cell::Empty
            | Cell::Text(_)
            | Cell::Count(_)
            | Cell::Share(_)
            | Cell::Points(_)
            | Cell::Tenths(_)
            | Cell::Day(_)
            | Cell::At(_)
            | Cell::Hidden
            | Cell::Gone
            | Cell::Unknown => Cell::Words(words("извещение", "notice")),
        }
    }

    /// Codes by their names in both languages; a code that the list lacks as it is.
    fn coded(&self, list: &str, codes: &[String]) -> Cell {
        let codes: Vec<&String> = codes.iter().filter(|code| !code.is_empty()).collect();
        if codes.is_empty() {
            return Cell::Empty;
        }
        let named = |code: &str| {
            let found = self.codes.code(list, code).or_else(|| self.codes.code("need-grounds", code));
            found.map_or_else(|| words(code, code), |c| words(&c.ru, &c.en))
        };
        let titles: Vec<Title> = codes.into_iter().map(|code| named(code)).collect();
        let joined = |of: fn(&Title) -> &str| titles.iter().map(of).collect::<Vec<_>>().join("; ");
        Cell::Words(words(&joined(|t| &t.ru), &joined(|t| &t.en)))
    }

    fn local(&self, micros: i64) -> NaiveDate {
        Timestamp::from_micros(micros).utc().with_timezone(&self.zone.tz()).date_naive()
    }

    fn step(&self, facts: Option<&CaseFacts>, step: &str) -> Cell {
        Cell::day(facts.and_then(|f| f.steps.get(step)).map(|at| self.local(*at)))
    }

    fn contract(&self, facts: Option<&CaseFacts>) -> Cell {
        Cell::day(facts.and_then(|f| f.contract.as_ref()).map(|c| self.local(c.signed_at)))
    }
}

fn case(line: &Line<'_>) -> Cell {
    line.entry.case_id.map_or(Cell::Empty, |id| Cell::text(id.to_string()))
}

fn day(text: &str) -> Cell {
    text.parse().map_or_else(|_| Cell::text(text), Cell::Day)
}

fn child_line(child: &Somebody) -> String {
    let born = child.birth_date.parse::<NaiveDate>().map(|d| d.format("%d.%m.%Y").to_string());
    match born {
        Ok(born) => format!("{}, {born}", child.name),
        Err(_) => child.name.clone(),
    }
}
