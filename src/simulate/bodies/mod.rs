//! Canonical bodies of the simulated systems. Every person and organisation is invented; the numbers are of no real person.

mod accompaniment;
mod beginning;
mod reports;
#[cfg(test)]
mod tests;

use chrono::NaiveDate;

use crate::domain::{CaseId, MessageType, Timestamp};
use crate::xml::{WriteError, Writer};

use super::draw::Draw;

pub(super) use accompaniment::{
    Assessed, Contract, Extension, Level, Measure, Programme, Termination, contract, databank_entry, effectiveness,
    extension, measure_mark, programme, rights_violation, termination,
};
pub(super) use beginning::{
    Decision, application, decision, identification, needs_assessment, request, response, withdrawal,
};
pub(super) use reports::{
    guardianship_report, ministry_report, progress_report, provision_act, quarterly_analysis, yearly_summary,
};

const COMMON: &str = "urn:mezhved:common:1";
const FAMILIES: [&str; 6] = ["Примеров", "Образцов", "Выдумкин", "Тестов", "Вымыслов", "Пробный"];
const MEN: [&str; 4] = ["Пётр", "Иван", "Семён", "Яков"];
const WOMEN: [&str; 4] = ["Анна", "Зинаида", "Дарья", "Вера"];

/// A body, or why it cannot be written: a defect.
pub(super) type Written = Result<Vec<u8>, WriteError>;

/// What the messages of a case say of it.
#[derive(Debug, Clone)]
pub(super) struct Card {
    /// Its number in the simulation, from 1.
    pub(super) number: usize,
    pub(super) id: CaseId,
    /// By ОКТМО.
    pub(super) territory: &'static str,
    pub(super) category: &'static str,
    pub(super) person: Person,
    /// Of a family; `None`: the case is about one person.
    pub(super) child: Option<Person>,
}

impl Card {
    /// `individual` or `group`.
    fn kind(&self) -> &'static str {
        if self.child.is_some() { "group" } else { "individual" }
    }

    /// A number of a document of this case: `СС-17/2`.
    pub(super) fn document(&self, index: u32) -> String {
        format!("СС-{}/{index}", self.number)
    }
}

/// An invented person.
#[derive(Debug, Clone)]
pub(super) struct Person {
    family: String,
    given: &'static str,
    is_woman: bool,
    born: NaiveDate,
    snils: String,
}

impl Person {
    /// A person born in one of these years, with a number of its own.
    pub(super) fn draw(draw: &mut Draw, number: usize, (first, last): (u32, u32)) -> Self {
        let is_woman = draw.chance(60);
        let family = draw.pick(&FAMILIES).copied().unwrap_or_default();
        let family = match family.strip_suffix("ый") {
            Some(stem) if is_woman => format!("{stem}ая"),
            None if is_woman => format!("{family}а"),
            Some(_) | None => family.to_owned(),
        };
        let given = draw.pick(if is_woman { &WOMEN } else { &MEN }).copied().unwrap_or_default();
        let year = i32::try_from(draw.between(first, last)).unwrap_or(1980);
        let born = NaiveDate::from_yo_opt(year, draw.between(1, 365)).unwrap_or_default();
        Self { family, given, is_woman, born, snils: snils(number) }
    }
}

/// A СНИЛС with right check digits of a number that is given to nobody: they do not begin with 999.
fn snils(number: usize) -> String {
    let digits = format!("999{:06}", number % 1_000_000);
    let weighed: u32 =
        digits.chars().filter_map(|c| c.to_digit(10)).zip((1..=9).rev()).map(|(d, weight)| d * weight).sum();
    let (head, rest) = digits.split_at(3);
    let (middle, tail) = rest.split_at(3);
    format!("{head}-{middle}-{tail} {:02}", weighed % 101 % 100)
}

/// A message type of version 1.
pub(super) fn kind(name: &str) -> MessageType {
    MessageType { name: name.to_owned(), version: 1 }
}

fn begin(name: &str) -> Writer {
    let kind = kind(name);
    let mut w = Writer::new();
    w.start(&kind.root(), &[("xmlns", &kind.namespace()), ("xmlns:c", COMMON)]);
    w
}

fn end(mut w: Writer) -> Written {
    w.end();
    w.finish()
}

fn group(w: &mut Writer, name: &str, inside: impl FnOnce(&mut Writer)) {
    w.start(name, &[]);
    inside(w);
    w.end();
}

fn at(w: &mut Writer, name: &str, instant: Timestamp) {
    w.leaf(name, &instant.to_string());
}

fn day(w: &mut Writer, name: &str, date: NaiveDate) {
    w.leaf(name, &date.to_string());
}

fn name(w: &mut Writer, element: &str, person: &Person) {
    group(w, element, |w| {
        w.leaf("c:family", &person.family);
        w.leaf("c:given", person.given);
    });
}

fn person(w: &mut Writer, name: &str, person: &Person) {
    group(w, name, |w| {
        self::name(w, "c:name", person);
        w.leaf("c:sex", if person.is_woman { "female" } else { "male" });
        day(w, "c:birthDate", person.born);
        w.leaf("c:snils", &person.snils);
    });
}

fn preparer(w: &mut Writer) {
    group(w, "preparer", |w| {
        w.leaf("c:name", "Исполнителева Ольга Выдумовна");
        w.leaf("c:post", "специалист");
        w.leaf("c:phone", "+73462000001");
    });
}
