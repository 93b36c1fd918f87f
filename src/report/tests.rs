//! A small made history, counted by hand.

use std::collections::{BTreeMap, BTreeSet};

use calamine::{Data, Reader as _};

use super::*;
use crate::bundle;
use crate::deadline::cases::{CaseFacts, Contract};
use crate::deadline::{Calendars, Regulation, Regulations};
use crate::domain::{CaseId, ObligationState, ParticipantId, RuleId, SettleKind, Timestamp, Zone};
use crate::schema::codes::CodeLists;

fn who(id: &str) -> ParticipantId {
    ParticipantId::parse(id).unwrap()
}

fn rule(id: &str) -> RuleId {
    RuleId::parse(id).unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(&format!("{text}:00+05:00")).unwrap()
}

fn yugra() -> Regulation {
    Regulations::from_files(&bundle::embedded()).unwrap().get("yugra").unwrap().clone()
}

fn about(period: &str) -> About {
    let regulation = yugra();
    About {
        regulation: regulation.id,
        regulation_title: regulation.title,
        period: Period::parse(period).unwrap(),
        zone: regulation.zone,
        made_at: at("2026-06-01T10:00"),
        narrowed: vec![],
    }
}

fn names() -> BTreeMap<ParticipantId, String> {
    BTreeMap::from([
        (who("health"), "=HYPERLINK(\"x\")".to_owned()),
        (who("police"), "Полиция; отдел \"А\"".to_owned()),
    ])
}

fn work_days() -> WorkDays {
    let calendars = Calendars::from_files(&bundle::embedded()).unwrap();
    let zone = yugra().zone;
    WorkDays::new(calendars.get("ru"), zone, "2026-03-31".parse().unwrap(), "2026-06-01".parse().unwrap())
}

fn due(debtor: &str, state: ObligationState, settled_by: Option<SettleKind>, extended: bool, count: u64) -> Due {
    Due { rule: rule("document-answer"), debtor: who(debtor), state, settled_by, extended, count }
}

/// Health: seven in time (one outside, one extended), two late, one overdue, one waived, one void, one that runs. Police: one in time.
fn span() -> Span {
    use ObligationState::{Cancelled, Met, MetLate, Open, Overdue, Waived};
    let (message, outside) = (Some(SettleKind::Message), Some(SettleKind::Outside));
    let late = |due_at: &str, settled_at: Option<&str>| Late {
        rule: rule("document-answer"),
        debtor: who("health"),
        due_at: at(due_at),
        settled_at: settled_at.map(at),
    };
    Span {
        due: vec![
            due("health", Met, message, false, 5),
            due("health", Met, outside, false, 1),
            due("health", Met, message, true, 1),
            due("health", MetLate, message, false, 2),
            due("health", Overdue, None, false, 1),
            due("health", Waived, Some(SettleKind::Waiver), false, 1),
            due("health", Cancelled, Some(SettleKind::Cancellation), false, 1),
            due("health", Open, None, false, 1),
            due("police", Met, message, false, 1),
        ],
        late: vec![
            // Until the end of Thursday 7 May, met on Tuesday the 12th: Friday and Tuesday, for 9 to 11 May are days off.
            late("2026-05-08T00:00", Some("2026-05-12T12:00")),
            // Met the same day: no working day has begun since.
            late("2026-05-20T12:00", Some("2026-05-20T15:00")),
            // Until the end of 25 May and overdue on 1 June: 26 to 29 May, and 1 June.
            late("2026-05-26T00:00", None),
        ],
        opened: vec![
            Opened { rule: rule("document-answer"), debtor: who("health"), count: 9 },
            Opened { rule: rule("progress-report"), debtor: who("police"), count: 3 },
        ],
    }
}

/// Health: one in time, one late.
fn before() -> Span {
    Span {
        due: vec![
            due("health", ObligationState::Met, Some(SettleKind::Message), false, 1),
            due("health", ObligationState::MetLate, Some(SettleKind::Message), false, 1),
        ],
        ..Span::default()
    }
}

fn made() -> Report {
    discipline(about("2026-05"), &yugra(), &names(), &work_days(), (&span(), &before()))
}

fn table<'r>(report: &'r Report, key: &str) -> &'r Table {
    report.tables.iter().find(|t| t.key == key).unwrap()
}

/// A row by its first cell, as column key and shown text in Russian.
fn row(report: &Report, key: &str, first: &str) -> BTreeMap<&'static str, String> {
    let (table, zone) = (table(report, key), report.about.zone);
    let shown = |cells: &Vec<Cell>| -> Vec<String> { cells.iter().map(|c| c.shown(Language::Ru, zone)).collect() };
    let found = table.rows.iter().chain(&table.total).map(shown).find(|row| row[0] == first);
    let found = found.unwrap_or_else(|| panic!("no row {first} in {table:#?}"));
    table.columns.iter().map(|c| c.key).zip(found).collect()
}

#[test]
fn every_figure_of_discipline_is_as_counted_by_hand() {
    let report = made();
    let wanted = |row: BTreeMap<&'static str, String>, figures: [(&str, &str); 15]| {
        for (key, value) in figures {
            assert_eq!(row[key], value, "{key} of {row:#?}");
        }
    };
    let health = [
        ("opened", "9"),
        ("due", "13"),
        ("inTime", "7"),
        ("late", "2"),
        ("outside", "1"),
        ("overdue", "1"),
        ("running", "1"),
        ("waived", "1"),
        ("void", "1"),
        ("extended", "1"),
        // 7 of 10; what is waived, void or runs is not counted.
        ("share", "70,0\u{a0}%"),
        // 2, 0 and 5 working days.
        ("lateMean", "2,3"),
        ("lateMax", "5"),
        ("shareBefore", "50,0\u{a0}%"),
        ("change", "+20,0"),
    ];
    wanted(row(&report, "participants", "health"), health);
    let total = row(&report, "rules", "Всего");
    assert_eq!(
        [&total["opened"], &total["due"], &total["share"], &total["change"]],
        ["12", "14", "72,7\u{a0}%", "+22,7"]
    );
    let police = row(&report, "participants", "police");
    assert_eq!(
        [&police["share"], &police["lateMean"], &police["shareBefore"], &police["change"]],
        ["100,0\u{a0}%", "", "", ""]
    );
    // A rule of which things were opened only has a row, and no share.
    let reports = row(&report, "rules", "progress-report");
    assert_eq!([&reports["opened"], &reports["due"], &reports["share"]], ["3", "0", ""]);
    assert_eq!(table(&report, "participantsAndRules").rows.len(), 3);
}

#[test]
fn lateness_is_that_of_the_notices() {
    let calendars = Calendars::from_files(&bundle::embedded()).unwrap();
    let warn_at = chrono::NaiveTime::from_hms_opt(9, 0, 0).unwrap();
    let hours = crate::deadline::NoticeHours {
        calendar: calendars.get("ru"),
        zone: yugra().zone,
        warn_at,
        round_the_clock: false,
    };
    let days = work_days();
    for (due, until) in [
        ("2026-05-08T00:00", "2026-05-08T00:00"),
        ("2026-05-08T00:00", "2026-05-13T09:00"),
        ("2026-05-07T10:00", "2026-05-07T15:00"),
        ("2026-04-30T00:00", "2026-05-31T23:59"),
    ] {
        assert_eq!(days.late(at(due), at(until)), hours.working_days_late(at(due), at(until)), "{due} {until}");
    }
    assert_eq!(days.late(at("2031-05-08T00:00"), at("2031-05-12T00:00")), None);
    let none = WorkDays::new(None, yugra().zone, "2026-05-01".parse().unwrap(), "2026-06-01".parse().unwrap());
    assert_eq!(none.late(at("2026-05-08T00:00"), at("2026-05-12T00:00")), None);
}

#[test]
fn a_table_of_the_terminal_is_aligned_and_explained() {
    let report = made();
    let ru = text(&report, Language::Ru);
    for said in [
        "Исполнительская дисциплина\n",
        "Период: май 2026\n",
        "01.06.2026 10:00 (Asia/Yekaterinburg)",
        "    Доля в срок — ",
    ] {
        assert!(ru.contains(said), "{said}\n{ru}");
    }
    let en = text(&report, Language::En);
    assert!(en.contains("Period: May 2026") && en.contains("70.0%") && en.contains("+20.0"), "{en}");
    let line = |text: &str| en.lines().find(|l| l.trim_start().starts_with(text)).unwrap().to_owned();
    let end = |line: &str, word: &str| line.find(word).map(|at| at + word.len());
    assert_eq!(end(&line("Participant "), "Due"), end(&line("health "), "13"), "{en}");
}

#[test]
fn csv_opens_in_excel_and_computes_nothing() {
    let report = made();
    let ru = csv(&report, Language::Ru);
    assert!(ru.starts_with('\u{feff}') && ru.lines().count() > 10 && !ru.replace("\r\n", "").contains(['\n', '\r']));
    let mut reader = ::csv::ReaderBuilder::new()
        .delimiter(b';')
        .has_headers(false)
        .flexible(true)
        .from_reader(ru.trim_start_matches('\u{feff}').as_bytes());
    let rows: Vec<Vec<String>> = reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect();
    let health = rows.iter().find(|row| row[0] == "health").unwrap();
    assert_eq!(health[1], "'=HYPERLINK(\"x\")");
    assert_eq!(&health[2..6], ["9", "13", "7", "2"]);
    assert!(health.contains(&"70,0".to_owned()) && health.contains(&"20,0".to_owned()), "{health:?}");
    let police = rows.iter().find(|row| row[0] == "police").unwrap();
    assert_eq!(police[1], "Полиция; отдел \"А\"");
    for bad in ["=1+1", "+7346", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
        let mut report = made();
        report.tables[0].rows[0][1] = Cell::text(bad);
        let written = csv(&report, Language::En);
        assert!(written.contains(&format!("'{bad}")), "{bad:?}");
    }
    // A number is none of these: a loss stays a number.
    let mut report = made();
    report.tables[0].rows[0][1] = Cell::Points(-35);
    assert!(csv(&report, Language::Ru).contains(";-3,5;"));
}

#[test]
fn json_has_numbers_and_stable_keys() {
    let found = json(&made());
    assert_eq!((&found["report"], &found["period"]), (&"discipline".into(), &"2026-05".into()));
    let health = &found["tables"][0]["rows"][0];
    assert_eq!(
        (&health["participant"], &health["share"], &health["lateMean"]),
        (&"health".into(), &0.7.into(), &2.3.into())
    );
    assert_eq!((&health["change"], &health["due"]), (&0.2.into(), &13.into()));
    assert_eq!(found["asOf"], "2026-06-01T10:00:00+05:00");
}

#[test]
fn a_workbook_is_read_by_another_program() {
    let report = made();
    let bytes = xlsx(&report, Language::Ru).unwrap();
    let mut book: calamine::Xlsx<_> = calamine::Xlsx::new(std::io::Cursor::new(&bytes)).unwrap();
    assert_eq!(book.sheet_names(), ["Об отчёте", "По участникам", "По правилам", "По участникам и правилам"]);
    let sheet = book.worksheet_range("По участникам").unwrap();
    assert_eq!(sheet.get_value((0, 3)), Some(&Data::String("Срок в периоде".to_owned())));
    assert_eq!(sheet.get_value((1, 0)), Some(&Data::String("health".to_owned())));
    // A text, not a formula.
    assert_eq!(sheet.get_value((1, 1)), Some(&Data::String("=HYPERLINK(\"x\")".to_owned())));
    assert_eq!(sheet.get_value((1, 3)), Some(&Data::Float(13.0)));
    let share = table(&report, "participants").columns.iter().position(|c| c.key == "share").unwrap();
    assert_eq!(sheet.get_value((1, u32::try_from(share).unwrap())), Some(&Data::Float(0.7)));
    assert!(book.worksheet_formula("По участникам").unwrap().used_cells().next().is_none());
    assert_eq!(bytes, xlsx(&report, Language::Ru).unwrap(), "no clock is read");
}

fn figures(cases: Option<(CaseCount, CaseCount)>) -> Figures {
    let sent =
        |type_name: &str, sender: &str, count| Exchange { type_name: type_name.to_owned(), sender: who(sender), count };
    let months = Period::parse("2026-Q2").unwrap().months();
    let of = |at: usize| match at {
        1 => (
            span(),
            vec![sent("application", "police", 2), sent("rights-violation", "health", 1), sent("note", "gone", 4)],
        ),
        _ => (Span::default(), vec![]),
    };
    let months = months.into_iter().enumerate().map(|(at, month)| {
        let (span, exchange) = of(at);
        (month, span, exchange)
    });
    Figures { months: months.collect(), before: (before(), vec![sent("application", "police", 5)]), cases }
}

#[test]
fn a_summary_tells_who_reports_and_month_by_month() {
    let cases = CaseCount { opened: 3, begun: 2, accompanied: 7, ..CaseCount::default() };
    let figures = figures(Some((cases, CaseCount::default())));
    let report = summary(about("2026-Q2"), &yugra(), &names(), &work_days(), &figures);
    assert!(report.notes[0].ru.contains("п. 6.3") && report.notes[0].en.contains("6.3"));
    let yearly = row(&report, "owed", "yearly-summary");
    assert_eq!(
        [&yearly["every"], &yearly["term"], &yearly["creditor"]],
        ["год", "без даты", "Межведомственная рабочая группа"]
    );
    assert!(yearly["source"].contains("п. 3.1"), "{yearly:?}");
    for (code, value, earlier) in [
        ("applications", "2", "5"),
        ("messages", "7", "5"),
        ("casesOpened", "3", "0"),
        ("due", "14", "2"),
        ("accompanied", "7", "0"),
    ] {
        let figure = row(&report, "figures", code);
        assert_eq!([figure["value"].as_str(), &figure["before"]], [value, earlier], "{code}");
    }
    let course = table(&report, "course");
    assert_eq!(course.rows.len(), 3);
    let may = row(&report, "course", "май 2026");
    assert_eq!([&may["due"], &may["applications"], &may["shareBefore"]], ["14", "2", ""]);
    assert_eq!(row(&report, "types", "note")["messages"], "4");
    for report in [&report, &made()] {
        for table in &report.tables {
            for cells in table.rows.iter().chain(&table.total) {
                assert_eq!(cells.len(), table.columns.len(), "{}: {cells:?}", table.key);
            }
        }
        xlsx(report, Language::En).unwrap();
    }
}

#[test]
fn indicators_are_known_or_say_why_not() {
    let cases = CaseCount {
        begun: 4,
        ended: 1,
        level_changes: 2,
        responsible: BTreeSet::from([who("health")]),
        ..CaseCount::default()
    };
    let report = indicators(
        about("2026-Q2"),
        &names(),
        &BTreeSet::from([who("police")]),
        &figures(Some((cases, CaseCount::default()))),
    );
    let indicator = |code: &str| {
        let table = table(&report, "indicators");
        let found = table.rows.iter().find(|row| row[1] == Cell::text(code)).unwrap_or_else(|| panic!("{code}"));
        [3, 5, 6].map(|at: usize| found[at].shown(Language::Ru, Zone::utc()))
    };
    for (code, value) in [
        ("begun", "4"),
        ("ended", "1"),
        ("levelChanges", "2"),
        ("violations", "1"),
        ("providers", "1"),
        ("others", "1"),
    ] {
        assert_eq!(indicator(code)[0], value, "{code}");
    }
    let mut unknown = 0;
    for row in &table(&report, "indicators").rows {
        let why = row[6].shown(Language::Ru, Zone::utc());
        assert!(!why.is_empty(), "{row:?}");
        unknown += u32::from(row[3] == Cell::Unknown);
    }
    assert_eq!(unknown, 11, "children, courts, risk, returns, satisfaction, units, non-profits, and four of staff");
    // Of a part of the exchange no case is counted.
    let part = indicators(about("2026-Q2"), &names(), &BTreeSet::new(), &figures(None));
    assert!(table(&part, "indicators").rows.iter().any(|row| row[1] == Cell::text("begun") && row[3] == Cell::Unknown));
}

fn entry(body: Option<&str>, type_name: &str, recipient: &str, case: u128) -> Entry {
    let files = bundle::embedded();
    let facts = CaseFacts {
        steps: BTreeMap::from([("decision".to_owned(), at("2026-05-08T09:00").micros())]),
        contract: Some(Contract {
            signed_at: at("2026-05-20T23:30").micros(),
            begins_on: "2026-05-20".parse().unwrap(),
            ends_on: "2026-11-20".parse().unwrap(),
        }),
        level: Some("crisis".to_owned()),
        curator: Some("c-17".to_owned()),
        ..CaseFacts::default()
    };
    Entry {
        accepted_at: at("2026-05-06T12:00"),
        type_name: type_name.to_owned(),
        sender: who("register"),
        recipient: who(recipient),
        case_id: Some(CaseId::from_uuid(uuid::Uuid::from_u128(case))),
        body: body.map(|path| files.get(path).unwrap().clone()),
        facts: Some(facts),
    }
}

#[test]
fn registers_are_filled_hidden_and_say_what_is_gone() {
    let codes = CodeLists::from_files(&bundle::embedded()).unwrap();
    let family = "schemas/social/application/1/samples/family.xml";
    let single = "schemas/social/application/1/samples/minimal.xml";
    let entries = [
        entry(Some(family), "application", "provider", 1),
        entry(Some(family), "application", "commission", 1),
        entry(Some(single), "application", "provider", 2),
        entry(None, "application", "provider", 3),
    ];
    let of = |kind, personal| register(about("2026-05"), kind, &entries, &codes, personal);
    let report = of(RegisterKind::Applications, true);
    assert_eq!(table(&report, "applications").rows.len(), 3, "copies of one application are one row");
    let first = row(&report, "applications", "1");
    for (key, value) in [
        ("registeredAt", "06.05.2026 10:25"),
        ("number", "СС-2026/000117"),
        ("person", "Примерова Анна Тестовна"),
        ("birthDate", "14.03.1991"),
        ("categories", "Многодетная семья; Малообеспеченная семья"),
        ("passedTo", "commission, provider"),
        ("decidedOn", "08.05.2026"),
        ("contractOn", "20.05.2026"),
        ("assessedOn", ""),
        ("outcome", "шлюз этого не знает"),
        ("state", "открыто"),
    ] {
        assert_eq!(first[key], value, "{key}");
    }
    assert_eq!(row(&report, "applications", "3")["person"], "тело уничтожено");
    let hidden = of(RegisterKind::Applications, false);
    let first = row(&hidden, "applications", "1");
    for key in
        ["person", "birthDate", "address", "representatives", "categories", "circumstances", "helpKinds", "acceptedBy"]
    {
        assert_eq!(first[key], "скрыто", "{key}");
    }
    let everything = format!("{}{}", text(&hidden, Language::Ru), serde_json::to_string(&json(&hidden)).unwrap());
    for person in ["Примеров", "Анна", "1991", "Несуществующая", "Принималова", "воспитывает"]
    {
        assert!(!everything.contains(person), "{person}");
    }
    let families = of(RegisterKind::Families, true);
    assert_eq!(table(&families, "families").rows.len(), 2, "who has no family is left out, whose body is gone is not");
    let first = row(&families, "families", "1");
    assert_eq!(first["children"], "Примеров Иван Образцович, 01.09.2016; Примерова Мария, 20.04.2026");
    assert_eq!([&first["members"], &first["level"], &first["curator"]], ["3", "Кризисный", "c-17"]);
    assert!(families.notes.iter().any(|note| note.ru.contains("не показано: 1")));
    assert!(!format!("{entries:?}").contains("Примеров"), "a body is not shown by chance");
    for column in &table(&families, "families").columns {
        assert!(column.key != "otherForms" || column.note.is_some(), "an empty column says why");
    }
}
