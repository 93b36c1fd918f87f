//! The summary of a month, a quarter or a year: who owes which report, how the cases went, what was exchanged, how terms were kept.

use std::collections::BTreeMap;

use super::Period;
use super::discipline::{self, Folded, Names, Span, kept_columns};
use super::period::PeriodKind;
use super::table::{About, Cell, Column, Report, Table, words};
use super::work_days::WorkDays;
use crate::deadline::{Every, Opens, Party, Regulation, Rule, TermChoice, Title};
use crate::domain::ParticipantId;

/// Messages of one type by one sender; copies of one message to several recipients are several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The type's name, all its versions.
    pub type_name: String,
    /// Who sent them.
    pub sender: ParticipantId,
    /// How many.
    pub count: u64,
}

/// How the cases went in one period. An accompaniment begins with its first day (the contract's, else the programme's) and ends when its
/// case is closed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseCount {
    /// Cases that were opened.
    pub opened: u64,
    /// Cases that were closed.
    pub closed: u64,
    /// Cases that are open at the end.
    pub open_after: u64,
    /// Accompaniments that began.
    pub begun: u64,
    /// Accompaniments that ended.
    pub ended: u64,
    /// Families and citizens that were accompanied at some time.
    pub accompanied: u64,
    /// Those at the end by their level; without a level under an empty word.
    pub levels: BTreeMap<String, u64>,
    /// Cases whose level was changed by a message.
    pub level_changes: u64,
    /// Who is responsible for a measure of an accompanied case.
    pub responsible: std::collections::BTreeSet<ParticipantId>,
}

/// All that a summary needs of a period, for each of its months and for the period before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// The months of the period, in order, and what is counted of each.
    pub months: Vec<(Period, Span, Vec<Exchange>)>,
    /// The period before.
    pub before: (Span, Vec<Exchange>),
    /// The cases, now and before; `None`: the asker sees a part of the exchange only, and a case cannot be cut.
    pub cases: Option<(CaseCount, CaseCount)>,
}

impl Figures {
    /// The whole period's obligations.
    pub fn span(&self) -> Span {
        let mut whole = Span::default();
        for (_, span, _) in &self.months {
            whole.due.extend_from_slice(&span.due);
            whole.late.extend_from_slice(&span.late);
            whole.opened.extend_from_slice(&span.opened);
        }
        whole
    }

    pub(super) fn exchange(&self) -> Vec<Exchange> {
        self.months.iter().flat_map(|(.., exchange)| exchange.iter().cloned()).collect()
    }
}

/// The summary of a period.
pub fn summary(
    about: About,
    regulation: &Regulation,
    participants: &BTreeMap<ParticipantId, String>,
    work_days: &WorkDays,
    figures: &Figures,
) -> Report {
    let names = Names { regulation, participants };
    let now = Folded::new(&figures.span(), work_days, about.made_at);
    let before = Folded::new(&figures.before.0, work_days, about.made_at);
    let mut tables = vec![owed(regulation, &now), main_figures(figures, &now, &before)];
    if figures.months.len() > 1 {
        tables.push(course(figures, work_days, &about));
    }
    tables.push(discipline::by_participant(&now, &before, &names));
    tables.push(discipline::by_rule(&now, &before, &names));
    tables.push(by_type(figures));
    tables.push(by_sender(figures, &names));
    let mut notes = basis(about.period.kind());
    notes.extend(discipline::notes());
    Report { key: "summary", title: words("Сводный отчёт", "Summary"), notes, tables, about }
}

/// Which paragraph asks for a summary of such a period.
fn basis(kind: PeriodKind) -> Vec<Title> {
    match kind {
        PeriodKind::Month => vec![words(
            "Месячная сводка: помощь тем, кто ежемесячно отчитывается о мероприятиях (Югра, пп. 6.4-6.5 Регламента 394-п, до 5-го числа) и \
             перед министерством (Смоленская область, п. 6.2 порядка 1759; его форму устанавливает отдельный акт).",
            "The month: helps those who report monthly on measures (Yugra, 6.4-6.5 of regulation 394-p, by the 5th) and to the ministry \
             (Smolensk region, 6.2 of order 1759; an act of its own sets the form).",
        )],
        PeriodKind::Quarter => vec![words(
            "Квартальный анализ сопровождения семей (модельная программа, п. 6.3: до 10-го числа следующего квартала). Выводы пишет \
             организация: шлюз даёт только числа.",
            "The quarterly analysis of the accompaniment of families (model programme, 6.3: by the 10th of the next quarter). The findings \
             are the organisation's; the gateway gives figures only.",
        )],
        PeriodKind::Year => vec![words(
            "Годовой анализ и обобщение результатов взаимодействия (Югра, п. 3.1 Регламента 394-п: Депсоцразвития, ежегодно). Выводы пишет \
             департамент: шлюз даёт только числа.",
            "The yearly analysis and summary of the interaction (Yugra, 3.1 of regulation 394-p: the department, every year). The findings \
             are the department's; the gateway gives figures only.",
        )],
        PeriodKind::Days => Vec::new(),
    }
}

/// Who owes a report of the calendar, by the regulation, and how those due in the period were kept.
fn owed(regulation: &Regulation, now: &Folded) -> Table {
    let columns = vec![
        Column::new("rule", "Правило", "Rule"),
        Column::new("ruleTitle", "Отчёт", "Report"),
        Column::new("debtor", "Кто", "Who"),
        Column::new("creditor", "Кому", "To whom"),
        Column::new("every", "За", "Of each"),
        Column::new("term", "Срок", "Term"),
        Column::new("source", "Где написано", "Written in"),
        Column::number("due", "Срок в периоде", "Due"),
        Column::number("inTime", "В срок", "In time"),
        Column::number("late", "С опозданием", "Late"),
        Column::number("overdue", "Просрочено", "Overdue"),
        Column::new("off", "Выключено", "Switched off").noted("почему срок не считается", "why no term is counted"),
    ];
    let periodic = regulation.rules.iter().filter_map(|rule| match rule.opens {
        Opens::Every { every, .. } => Some((rule, every)),
        Opens::Messages(_) => None,
    });
    let rows = periodic.map(|(rule, every)| {
        let kept = now.by_rule.get(&rule.id).copied().unwrap_or_default();
        let (document, paragraph) = regulation.written(&rule.source);
        let mut cells = vec![
            Cell::text(rule.id.as_str()),
            Cell::Words(rule.title.clone()),
            party(regulation, &rule.debtor),
            party(regulation, &rule.creditor),
            Cell::Words(every_words(every)),
            term(rule),
            Cell::text(format!("{document}, {paragraph}")),
        ];
        cells.extend([kept.due, kept.in_time, kept.late, kept.overdue].map(Cell::Count));
        cells.push(Cell::text(rule.off.clone().unwrap_or_default()));
        cells
    });
    let title = words("Кто о чём отчитывается", "Who reports on what");
    Table { key: "owed", title, columns, rows: rows.collect(), total: None }
}

fn every_words(every: Every) -> Title {
    match every {
        Every::Month => words("месяц", "month"),
        Every::Quarter => words("квартал", "quarter"),
        Every::Year => words("год", "year"),
    }
}

fn term(rule: &Rule) -> Cell {
    match &rule.term {
        TermChoice::Plain(term) => Cell::Words(words(&term.ru(), &term.to_string())),
        TermChoice::Table(table) => Cell::text(table),
        TermChoice::None => Cell::Words(words("без даты", "no date")),
    }
}

fn party(regulation: &Regulation, party: &Party) -> Cell {
    Cell::Words(match party {
        Party::Role(code) => {
            regulation.role(code).map_or_else(|| words(code.as_str(), code.as_str()), |role| role.title.clone())
        }
        Party::RoleOfKey => words("держатель документа", "the document's holder"),
        Party::Sender => words("отправитель", "the sender"),
        Party::Recipient => words("получатель", "the recipient"),
        Party::Responsible => words("ответственный за мероприятие", "whoever is responsible for the measure"),
        Party::Citizen => words("гражданин", "the citizen"),
    })
}

pub(super) fn counted(exchange: &[Exchange], type_name: &str) -> u64 {
    exchange.iter().filter(|e| e.type_name == type_name).map(|e| e.count).sum()
}

/// Figures with codes, as the messages `quarterly-analysis`, `yearly-summary` and `ministry-report` name them.
fn main_figures(figures: &Figures, now: &Folded, before: &Folded) -> Table {
    let columns = vec![
        Column::new("code", "Код", "Code"),
        Column::new("figure", "Показатель", "Figure"),
        Column::number("value", "За период", "In the period"),
        Column::number("before", "За предыдущий", "In the one before"),
        Column::new("note", "Как считается", "How it is counted"),
    ];
    let (exchange, then) = (figures.exchange(), &figures.before.1);
    let mut rows = case_rows(figures.cases.as_ref());
    for (code, ru, en, type_name) in [
        ("applications", "Заявлений получено", "Applications received", "application"),
        ("notices", "Извещений о выявлении", "Notices of identification", "identification-notice"),
        ("requests", "Межведомственных запросов документов", "Requests for documents", "document-request"),
        ("answers", "Ответов на них", "Answers to them", "document-response"),
        ("programmes", "Программ и их редакций", "Programmes and their versions", "programme"),
        ("progressReports", "Ежемесячных сведений о мероприятиях", "Monthly reports on measures", "progress-report"),
    ] {
        let values = [counted(&exchange, type_name), counted(then, type_name)].map(Cell::Count);
        let note = words(
            &format!("принятые сообщения `{type_name}`, каждому получателю отдельно"),
            &format!("accepted messages `{type_name}`, one for each recipient"),
        );
        rows.push(figure(code, ru, en, values, note));
    }
    let all = |e: &[Exchange]| Cell::Count(e.iter().map(|e| e.count).sum());
    let note = words("принятые от участников, без пробных", "accepted from participants, without rehearsals");
    rows.push(figure("messages", "Сообщений всего", "Messages in all", [all(&exchange), all(then)], note));
    let share = |kept: &discipline::Kept| kept.share().map_or(Cell::Empty, Cell::Share);
    for (code, ru, en, values) in [
        ("due", "Сроков наступило", "Terms ended", [now, before].map(|f| Cell::Count(f.total.due))),
        ("inTime", "Исполнено в срок", "Met in time", [now, before].map(|f| Cell::Count(f.total.in_time))),
        ("late", "Исполнено с опозданием", "Met late", [now, before].map(|f| Cell::Count(f.total.late))),
        ("overdue", "Просрочено", "Overdue", [now, before].map(|f| Cell::Count(f.total.overdue))),
        ("onTimeShare", "Доля в срок", "On-time share", [now, before].map(|f| share(&f.total))),
    ] {
        rows.push(figure(code, ru, en, values, words("как в таблице дисциплины", "as in the table on discipline")));
    }
    Table { key: "figures", title: words("Показатели", "Figures"), columns, rows, total: None }
}

fn figure(code: &str, ru: &str, en: &str, values: [Cell; 2], note: Title) -> Vec<Cell> {
    let [value, before] = values;
    vec![Cell::text(code), Cell::Words(words(ru, en)), value, before, Cell::Words(note)]
}

fn case_rows(cases: Option<&(CaseCount, CaseCount)>) -> Vec<Vec<Cell>> {
    type Of = fn(&CaseCount) -> u64;
    let table: [(&str, &str, &str, Of, &str, &str); 6] = [
        (
            "casesOpened",
            "Дел открыто",
            "Cases opened",
            |c| c.opened,
            "первое сообщение дела",
            "the case's first message",
        ),
        (
            "casesClosed",
            "Дел закрыто",
            "Cases closed",
            |c| c.closed,
            "акт, закрывающий дело",
            "the act that closes the case",
        ),
        (
            "casesOpen",
            "Дел открыто на конец периода",
            "Cases open at the end",
            |c| c.open_after,
            "открыты до конца периода и не закрыты в нём",
            "opened before the period's end and not closed in it",
        ),
        (
            "begun",
            "Принято на сопровождение",
            "Accompaniments begun",
            |c| c.begun,
            "первый день сопровождения лежит в периоде: по договору, иначе по программе",
            "the first day lies in the period: the contract's, else the programme's",
        ),
        (
            "ended",
            "Снято с сопровождения",
            "Accompaniments ended",
            |c| c.ended,
            "начатые, чьё дело закрыто",
            "begun ones whose case was closed",
        ),
        (
            "accompanied",
            "Сопровождалось",
            "Accompanied",
            |c| c.accompanied,
            "хотя бы день периода; дело — гражданин или семья",
            "on one day of the period at least; a case is a citizen or a family",
        ),
    ];
    let cell = |case: Option<&CaseCount>, of: Of| case.map_or(Cell::Unknown, |case| Cell::Count(of(case)));
    let rows = table.into_iter().map(|(code, ru, en, of, ru_note, en_note)| {
        let values = [cell(cases.map(|(now, _)| now), of), cell(cases.map(|(_, then)| then), of)];
        let note = match cases {
            Some(_) => words(ru_note, en_note),
            None => words("вам видна только часть обмена", "you see a part of the exchange only"),
        };
        figure(code, ru, en, values, note)
    });
    rows.collect()
}

/// Month by month.
fn course(figures: &Figures, work_days: &WorkDays, about: &About) -> Table {
    let mut columns = vec![Column::new("month", "Месяц", "Month")];
    columns.extend(kept_columns());
    columns.push(Column::number("messages", "Сообщений", "Messages"));
    columns.push(Column::number("applications", "Заявлений", "Applications"));
    let mut before = discipline::Kept::default();
    let mut rows = Vec::new();
    for (at, (month, span, exchange)) in figures.months.iter().enumerate() {
        let kept = Folded::new(span, work_days, about.made_at).total;
        let mut cells = vec![Cell::Words(month.title())];
        cells.extend(kept.row(if at == 0 { None } else { Some(&before) }));
        cells.push(Cell::Count(exchange.iter().map(|e| e.count).sum()));
        cells.push(Cell::Count(counted(exchange, "application")));
        rows.push(cells);
        before = kept;
    }
    Table { key: "course", title: words("По месяцам", "Month by month"), columns, rows, total: None }
}

fn by_type(figures: &Figures) -> Table {
    let sums = |exchange: &[Exchange]| {
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for e in exchange {
            *sums.entry(e.type_name.clone()).or_default() += e.count;
        }
        sums
    };
    let (now, then) = (sums(&figures.exchange()), sums(&figures.before.1));
    let keys: std::collections::BTreeSet<&String> = now.keys().chain(then.keys()).collect();
    let count = |sums: &BTreeMap<String, u64>, key: &String| Cell::Count(sums.get(key).copied().unwrap_or(0));
    let rows = keys.into_iter().map(|key| vec![Cell::text(key), count(&now, key), count(&then, key)]).collect();
    let columns = vec![
        Column::new("type", "Вид сообщения", "Message type"),
        Column::number("messages", "За период", "In the period"),
        Column::number("before", "За предыдущий", "In the one before"),
    ];
    Table {
        key: "types", title: words("Сообщения по видам", "Messages by type"), columns, rows, total: None
    }
}

fn by_sender(figures: &Figures, names: &Names<'_>) -> Table {
    let mut sums: BTreeMap<ParticipantId, u64> = BTreeMap::new();
    for e in figures.exchange() {
        *sums.entry(e.sender).or_default() += e.count;
    }
    let rows = sums.iter().map(|(id, count)| {
        let mut cells = names.participant(id);
        cells.push(Cell::Count(*count));
        cells
    });
    let mut columns = discipline::participant_columns();
    columns.push(Column::number("messages", "Отправлено", "Sent"));
    let title = words("Сообщения по отправителям", "Messages by sender");
    Table { key: "senders", title, columns, rows: rows.collect(), total: None }
}
