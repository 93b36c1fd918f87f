//! Deadlines: who owes whom what by when, as a pure function of data.
//!
//! Here live the production [`Calendar`], the words of a [`Term`] and how they are counted ([`compute`]), a region's
//! [`Regulation`] as data, and [`obligations`]: what a message opens and settles. Not here: the store of obligations, the
//! watcher that marks them overdue, and any clock; time is an argument everywhere.
//!
//! Counting follows articles 190-194 of the Civil Code of Russia, by analogy: from the day after the event's local date in
//! the zone of the participant that owes; a missing date means the month's last day; until 24:00. A due instant is kept as the
//! first instant that is too late (exclusive) and shown as the last second ([`show_due`]). What is due `immediately` is due at the event;
//! its obligation is too late when the regulation's `grace` has passed, so that nothing is born overdue.

mod calendar;
pub mod cases;
mod check;
mod check_grounds;
mod check_order;
mod compute;
mod finding;
mod ladder;
pub mod obligations;
mod path;
mod reader;
mod regulation;
mod start;
mod term;
mod term_ru;
#[cfg(test)]
mod tests;
mod totals;

pub use calendar::{Calendar, Calendars, DayKind, MissingYear};
pub use check::{CheckInput, check};
pub use compute::{ComputeError, Computed, Step, compute};
pub use finding::{Finding, Severity};
pub use ladder::NoticeHours;
pub use path::BodyPath;
pub use regulation::{
    Activity, Again, Basis, Body, BodyFilter, BodyKind, CaseDate, CaseGround, CaseLimit, CaseSource, CaseStep,
    Document, Every, Exchange, ExchangeBasis, Key, Load, Matching, Measure, Meets, Norm, Of, Opens, Order, Outside,
    OwnPart, Party, Point, Precondition, Presence, Regulation, Regulations, Retention, Role, Rule, Rung, RungAt,
    Section, SettleAt, Source, StartAt, TermChoice, TermTable, TermVersion, Title, Warn, default_rungs,
};
pub use start::{Fields, Month, Roll, Start, show_due, start_of_day};
pub use term::{Span, Term, TermError, Unit};
pub use totals::{PublishedTotals, YearTotals};
