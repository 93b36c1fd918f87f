//! The indicators of section XV of the model programme: all of them, with what the exchange knows, and why it does not know the others.

use std::collections::{BTreeMap, BTreeSet};

use super::summary::{CaseCount, Exchange, Figures, counted};
use super::table::{About, Cell, Column, Report, Table, words};
use crate::deadline::Title;
use crate::domain::ParticipantId;

/// How much the gateway knows of an indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// All that the documents mean.
    Whole,
    /// What passed the gateway; the rest it does not see.
    Partly,
    /// Nothing.
    No,
}

impl Known {
    fn words(self) -> Title {
        match self {
            Self::Whole => words("знает", "known"),
            Self::Partly => words("знает часть", "known in part"),
            Self::No => words("шлюз этого не знает", "not known to the gateway"),
        }
    }
}

/// An indicator that no message of the exchange carries: its code and name, and why.
type Unknown = (&'static str, [&'static str; 2], [&'static str; 2]);

const FAMILIES: [&str; 2] = ["Неблагополучие детей и семей", "Adversity of children and families"];
const COURSE: [&str; 2] = ["Жизнь сопровождаемых семей", "Life of the accompanied families"];
const BODIES: [&str; 2] = ["Организации", "Organisations"];
const STAFF: [&str; 2] = ["Кадры", "Staff"];

const FAMILIES_UNKNOWN: [Unknown; 4] = [
    (
        "childRefusals",
        ["Отказы от детей", "Children given up"],
        [
            "об отказе сообщения нет; сведения — у органов опеки и здравоохранения",
            "no message tells of it; guardianship and health have the figures",
        ],
    ),
    (
        "rightsEnded",
        ["Лишения родительских прав", "Parents deprived of their rights"],
        [
            "решение суда через шлюз не идёт; сведения — у органов опеки",
            "a court's decision does not pass the gateway; guardianship has the figures",
        ],
    ),
    (
        "familiesAtRisk",
        ["Семьи в социально опасном положении", "Families in a socially dangerous situation"],
        [
            "учёт ведёт комиссия по делам несовершеннолетних; категория в заявлении говорит только о тех, кто обратился",
            "the commission on minors keeps the record; the category of an application tells only of those who applied",
        ],
    ),
    (
        "returns",
        ["Возвраты детей из замещающих семей", "Children returned from substitute families"],
        [
            "о возврате сообщения нет; сведения — у органов опеки",
            "no message tells of it; guardianship has the figures",
        ],
    ),
];

const BODIES_UNKNOWN: [Unknown; 2] = [
    (
        "units",
        ["Подразделения с профилем «сопровождение семей»", "Units with accompaniment as their main activity"],
        [
            "участник обмена — организация целиком; её подразделений шлюз не видит",
            "a participant is a whole organisation; its units are not seen",
        ],
    ),
    (
        "nonProfits",
        ["Социально ориентированные НКО", "Socially oriented non-profit organisations"],
        [
            "вид организации среди сведений об участнике не назван",
            "what kind of organisation a participant is, its record does not say",
        ],
    ),
];

const STAFF_UNKNOWN: [Unknown; 4] = [
    (
        "trained",
        ["Специалисты с профильной подготовкой", "Specialists with training"],
        ["о кадрах сообщений нет", "no message is about staff"],
    ),
    (
        "interns",
        ["Специалисты, прошедшие стажировку", "Specialists who were interns"],
        ["о кадрах сообщений нет", "no message is about staff"],
    ),
    (
        "winners",
        ["Победители региональных конкурсов", "Winners of regional contests"],
        ["о кадрах сообщений нет", "no message is about staff"],
    ),
    (
        "volunteers",
        ["Обученные и привлечённые добровольцы", "Volunteers trained and engaged"],
        [
            "добровольцы в обмене не участвуют, и сообщений о них нет",
            "volunteers take no part in the exchange, and no message is about them",
        ],
    ),
];

/// The report on the indicators. `providers` are the participants that hold the role `provider`.
pub fn indicators(
    about: About,
    participants: &BTreeMap<ParticipantId, String>,
    providers: &BTreeSet<ParticipantId>,
    figures: &Figures,
) -> Report {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let exchange = [figures.exchange(), figures.before.1.clone()];
    rows.extend(unknown(FAMILIES, &FAMILIES_UNKNOWN));
    let violations = exchange.each_ref().map(|e| Cell::Count(counted(e, "rights-violation")));
    rows.push(row(
        FAMILIES,
        "violations",
        ["Нарушения прав ребёнка, жестокое обращение", "Violations of children's rights, cruelty"],
        violations,
        Known::Partly,
        [
            "принятые сообщения `rights-violation` (п. 6.3); об остальных шлюз не знает, и одно событие бывает в нескольких сообщениях",
            "accepted messages `rights-violation` (6.3); others are not seen, and one event may be in several",
        ],
    ));
    rows.extend(course_rows(figures.cases.as_ref()));
    rows.push(row(
        COURSE,
        "satisfaction",
        ["Удовлетворённость семей помощью", "How satisfied families are"],
        [Cell::Unknown, Cell::Unknown],
        Known::No,
        [
            "опросов в обмене нет; оценка эффективности говорит об итоге, а не о мнении семьи",
            "no message carries a survey; an assessment of effectiveness tells the outcome, not the family's opinion",
        ],
    ));
    rows.extend(body_rows(participants, providers, figures, &exchange));
    rows.extend(unknown(BODIES, &BODIES_UNKNOWN));
    rows.extend(unknown(STAFF, &STAFF_UNKNOWN));
    let columns = vec![
        Column::new("group", "Что характеризует", "What it describes"),
        Column::new("code", "Код", "Code"),
        Column::new("indicator", "Показатель", "Indicator"),
        Column::number("value", "За период", "In the period"),
        Column::number("before", "За предыдущий", "In the one before"),
        Column::new("known", "Знает ли шлюз", "Known"),
        Column::new("note", "Как считается или почему неизвестно", "How it is counted, or why it is not known"),
    ];
    let title = words("Показатели раздела XV", "Indicators of section XV");
    let table = Table { key: "indicators", title: title.clone(), columns, rows, total: None };
    let notes = vec![
        words(
            "Модельная программа сопровождения семей с детьми, раздел XV: перечень примерный, систему показателей определяет регион.",
            "Model programme of the accompaniment of families with children, section XV: the list is an example, the region sets its own.",
        ),
        words(
            "Шлюз видит только то, что через него прошло; чего он не знает, названо и не придумано.",
            "The gateway sees only what passed it; what it does not know is named and not made up.",
        ),
    ];
    Report { key: "indicators", title, about, notes, tables: vec![table] }
}

fn row(group: [&str; 2], code: &str, name: [&str; 2], values: [Cell; 2], known: Known, note: [&str; 2]) -> Vec<Cell> {
    let said = |[ru, en]: [&str; 2]| Cell::Words(words(ru, en));
    let [value, before] = values;
    vec![said(group), Cell::text(code), said(name), value, before, Cell::Words(known.words()), said(note)]
}

fn unknown(group: [&'static str; 2], which: &[Unknown]) -> Vec<Vec<Cell>> {
    let row = |(code, name, why): &Unknown| row(group, code, *name, [Cell::Unknown, Cell::Unknown], Known::No, *why);
    which.iter().map(row).collect()
}

fn course_rows(cases: Option<&(CaseCount, CaseCount)>) -> Vec<Vec<Cell>> {
    type Of = fn(&CaseCount) -> u64;
    let table: [(&str, [&str; 2], Of, [&str; 2]); 3] = [
        (
            "begun",
            ["Семьи, принятые на сопровождение", "Families taken on"],
            |c| c.begun,
            [
                "дела, чей первый день сопровождения (договора, иначе программы) лежит в периоде; граждане без семьи тоже",
                "cases whose first day (the contract's, else the programme's) lies in the period; single citizens too",
            ],
        ),
        (
            "levelChanges",
            ["Семьи, переведённые на другой уровень", "Families moved to another level"],
            |c| c.level_changes,
            [
                "дела, по которым в периоде принято сообщение `level-change`",
                "cases of which a message `level-change` was accepted in the period",
            ],
        ),
        (
            "ended",
            ["Семьи, снятые с сопровождения", "Families whose accompaniment ended"],
            |c| c.ended,
            ["начатые дела, закрытые в периоде", "cases that had begun and were closed in the period"],
        ),
    ];
    let partial = ["вам видна только часть обмена", "you see a part of the exchange only"];
    let of = |(code, name, of, note): (&str, [&str; 2], Of, [&str; 2])| match cases {
        Some((now, then)) => row(COURSE, code, name, [now, then].map(|case| Cell::Count(of(case))), Known::Whole, note),
        None => row(COURSE, code, name, [Cell::Unknown, Cell::Unknown], Known::No, partial),
    };
    table.into_iter().map(of).collect()
}

fn body_rows(
    participants: &BTreeMap<ParticipantId, String>,
    providers: &BTreeSet<ParticipantId>,
    figures: &Figures,
    exchange: &[Vec<Exchange>; 2],
) -> Vec<Vec<Cell>> {
    let cases = figures.cases.as_ref().map(|(now, then)| [now, then]);
    let active = |at: usize| -> BTreeSet<&ParticipantId> {
        let sent = exchange.get(at).into_iter().flatten().map(|e| &e.sender);
        let responsible = cases.and_then(|cases| cases.get(at).copied()).into_iter().flat_map(|c| &c.responsible);
        sent.chain(responsible).filter(|id| participants.contains_key(*id)).collect()
    };
    let counts = |wanted: bool| {
        [0, 1]
            .map(|at| Cell::Count(active(at).into_iter().filter(|id| providers.contains(*id) == wanted).count() as u64))
    };
    vec![
        row(
            BODIES,
            "providers",
            ["Организации социального обслуживания, ведущие сопровождение", "Providers that accompany families"],
            counts(true),
            Known::Partly,
            [
                "участники с ролью provider, которые в периоде слали сообщения или отвечали за мероприятие; кто не подключён, не виден",
                "participants with the role provider that sent a message or were responsible for a measure; who is not connected is not seen",
            ],
        ),
        row(
            BODIES,
            "others",
            ["Организации других ведомств", "Organisations of other departments"],
            counts(false),
            Known::Partly,
            [
                "прочие участники обмена, которые в периоде слали сообщения или отвечали за мероприятие",
                "other participants that sent a message or were responsible for a measure",
            ],
        ),
    ]
}
