//! The project's own vectors, made by hand: `tests/fixtures/deadlines-own.csv`, one group of letters a subject.

use std::collections::BTreeMap;

use super::*;
use crate::bundle::Files;
use crate::deadline::compute::compute_with_grace;

const OWN: &str = include_str!("../../../tests/fixtures/deadlines-own.csv");
const REGION: &str = include_str!("../../../tests/fixtures/calendars/region.csv");

/// The country's calendar and a region's overlay with two holidays of its own.
pub(super) fn calendars() -> Calendars {
    let files: Files =
        [("ru", RU), ("region", REGION)].map(|(n, t)| (format!("config/calendars/{n}.csv"), t.into())).into();
    Calendars::from_files(&files).unwrap()
}

/// The due instant as a person sees it, or the error.
fn due_of(calendars: &Calendars, row: &BTreeMap<String, String>) -> String {
    let zone = zone(&row["zone"]);
    let fields: Fields = row["fields"]
        .split_terminator(';')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), Start::parse(value).unwrap()))
        .collect();
    let grace = if row["grace"].is_empty() { 0 } else { row["grace"].parse().unwrap() };
    let computed = compute_with_grace(
        &Term::parse(&row["term"]).unwrap(),
        Roll::parse(&row["roll"]).unwrap(),
        calendars.get(&row["calendar"]).unwrap(),
        zone,
        &Start::parse(&row["from"]).unwrap(),
        &fields,
        grace,
    );
    computed.map_or_else(|error| error.to_string(), |computed| show_due(computed.due, zone))
}

#[test]
fn every_vector_of_our_own_holds() {
    let (calendars, mut groups) = (calendars(), BTreeMap::<char, usize>::new());
    let mut csv = csv::Reader::from_reader(OWN.as_bytes());
    for row in csv.deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        let (id, found, expected) = (&row["id"], due_of(&calendars, &row), &row["due"]);
        // What cannot be counted is told in a sentence that names the year.
        let holds = if expected.starts_with("no data") { found.contains(expected) } else { found == *expected };
        assert!(
            holds,
            "{id}: {} {} from {}: {found}, not {expected} ({})",
            row["term"], row["roll"], row["from"], row["note"]
        );
        *groups.entry(id.chars().next().unwrap()).or_default() += 1;
    }
    // May, January, working Saturdays, short days, leap days, month ends, years, zones, quarters, days of a month, before, least of,
    // ages, hours, grace, the first and last years, a region's own holidays.
    let subjects: String = groups.keys().collect();
    assert_eq!(subjects, "ABDEGHJLMNPQRSWYZ");
    assert!(groups.values().all(|count| *count >= 4), "{groups:?}");
}
