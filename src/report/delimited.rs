//! A report as CSV, in the form that Excel with Russian settings opens by a double click.
//!
//! UTF-8 with a byte order mark, for without it Excel takes the letters for Windows-1251. `;` between fields, for the comma is the decimal
//! sign there and Excel parts fields by the system's list separator. Decimal commas and `12.05.2026`, which Excel reads as number and date;
//! `93.5` it would take for a date. Lines end with CR LF. In English there are points and ISO dates, and `;` stays.
//!
//! A text that begins as a formula (`=`, `+`, `-`, `@`, tab, CR) would be computed on opening, whoever sent it: such a text gets an
//! apostrophe before it, which makes it a text.

use super::table::{Cell, Language, Report, Table};
use crate::domain::Zone;

/// The report's tables one below the other, each with its title, its columns and an empty line after it.
pub fn csv(report: &Report, language: Language) -> String {
    let mut out = "\u{feff}".to_owned();
    push_line(&mut out, &[language.of(&report.title).to_owned()]);
    for line in report.head(language) {
        push_line(&mut out, &[line]);
    }
    for note in &report.notes {
        push_line(&mut out, &[language.of(note).to_owned()]);
    }
    for table in &report.tables {
        push_line(&mut out, &[]);
        push_table(&mut out, table, language, report.about.zone);
    }
    out
}

fn push_table(out: &mut String, table: &Table, language: Language, zone: Zone) {
    push_line(out, &[language.of(&table.title).to_owned()]);
    push_line(out, &table.columns.iter().map(|c| language.of(&c.title).to_owned()).collect::<Vec<_>>());
    for row in table.rows.iter().chain(&table.total) {
        push_line(out, &row.iter().map(|cell| field(cell, language, zone)).collect::<Vec<_>>());
    }
    for column in &table.columns {
        if let Some(note) = &column.note {
            push_line(out, &[format!("{}: {}", language.of(&column.title), language.of(note))]);
        }
    }
}

/// A number as a number: without the signs that only people need.
fn field(cell: &Cell, language: Language, zone: Zone) -> String {
    match cell {
        Cell::Text(_) | Cell::Words(_) => harmless(cell.shown(language, zone)),
        Cell::Share(permille) => Cell::Tenths(u64::from(*permille)).shown(language, zone),
        Cell::Points(points) => {
            let number = Cell::Tenths(points.unsigned_abs()).shown(language, zone);
            if *points < 0 { format!("-{number}") } else { number }
        }
        Cell::Empty
        | Cell::Count(_)
        | Cell::Tenths(_)
        | Cell::Day(_)
        | Cell::At(_)
        | Cell::Hidden
        | Cell::Gone
        | Cell::Unknown => cell.shown(language, zone),
    }
}

fn harmless(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

fn push_line(out: &mut String, fields: &[String]) {
    let quoted = fields.iter().map(|field| {
        if field.contains([';', '"', '\n', '\r', '\u{feff}']) || field.starts_with(' ') || field.ends_with(' ') {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field.clone()
        }
    });
    out.push_str(&quoted.collect::<Vec<_>>().join(";"));
    out.push_str("\r\n");
}
