//! Reports as data: what the store counted is folded into tables, and a table is written as text, CSV, JSON or XLSX.
//!
//! | file | what |
//! |---|---|
//! | `period` | a month, a quarter, a year or any days, in the region's zone, and the period before |
//! | `table` | a report: its tables, columns and cells, and why a column is empty |
//! | `discipline` | how terms were kept: by participant, rule, both |
//! | `work_days` | lateness in working days |
//! | `summary` | a month's, quarter's or year's summary, and who owes which report |
//! | `indicators` | section XV of the model programme: what the exchange knows, and what it does not |
//! | `register`, `people` | the registers of applications and of families, read out of bodies |
//! | `text`, `delimited`, `json`, `xlsx` | the forms in which a report goes out |
//!
//! Not here: SQL (`store::reporting`), who may ask (the callers), and any clock.

mod delimited;
mod discipline;
mod indicators;
mod json;
mod people;
mod period;
mod register;
mod summary;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod work_days;
mod xlsx;

pub use delimited::csv;
pub use discipline::{Due, Late, Opened, Span, discipline};
pub use indicators::indicators;
pub use json::json;
pub use period::{Period, PeriodError, PeriodKind};
pub use register::{Entry, RegisterKind, register};
pub use summary::{CaseCount, Exchange, Figures, summary};
pub use table::{About, Cell, Column, Language, Report, Table, words};
pub use text::text;
pub use work_days::WorkDays;
pub use xlsx::{XlsxError, xlsx};
