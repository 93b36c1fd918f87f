//! What filters choose among, and how they are read.

use chrono::NaiveDate;

use super::texts::Texts;
use super::words;
use crate::access::Scope;
use crate::domain::{Timestamp, Zone};
use crate::gateway::Snapshot;

/// One value of a list.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) chosen: bool,
}

/// A field that may be empty.
///
/// # Errors
/// The label when it is there and cannot be read.
pub(super) fn one<T>(
    text: &str,
    parse: impl Fn(&str) -> Option<T>,
    label: &'static str,
) -> Result<Option<T>, &'static str> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some).ok_or(label) }
}

/// When a day such as `2026-11-28` begins, so many days later.
pub(super) fn day_begin(text: &str, zone: Zone, days_later: u64) -> Option<Timestamp> {
    let day: NaiveDate = text.parse().ok()?;
    words::day_start(day.checked_add_days(chrono::Days::new(days_later))?, zone)
}

/// The participants whose part the reader sees, by name.
pub(super) fn participants(snapshot: &Snapshot, scope: &Scope, chosen: &str) -> Vec<Choice> {
    let seen = snapshot.participants().map(|k| &k.participant).filter(|p| scope.covers_participant(&p.id));
    let mut all: Vec<Choice> = seen
        .map(|p| Choice { value: p.id.to_string(), label: p.name.clone(), chosen: p.id.as_str() == chosen })
        .collect();
    all.sort_by(|a, b| a.label.cmp(&b.label));
    all
}

/// The types of messages, by title.
pub(super) fn types(t: Texts, snapshot: &Snapshot, chosen: &str) -> Vec<Choice> {
    let names = snapshot.catalogue.message_names();
    let mut all: Vec<Choice> = names
        .map(|name| Choice { value: name.to_owned(), label: t.word("type", name), chosen: name == chosen })
        .collect();
    all.sort_by(|a, b| a.label.cmp(&b.label));
    all
}
