//! A report for a terminal.

use super::table::{Cell, Language, Report, Table};
use crate::domain::Zone;

/// The report as lines of text, its columns padded to their widest cell; what the columns count stands below each table.
pub fn text(report: &Report, language: Language) -> String {
    let mut out = format!("{}\n", language.of(&report.title));
    for line in report.head(language) {
        out.push_str(&format!("{line}\n"));
    }
    for note in &report.notes {
        out.push_str(&format!("  {}\n", language.of(note)));
    }
    for table in &report.tables {
        out.push('\n');
        push_table(&mut out, table, language, report.about.zone);
    }
    out
}

fn push_table(out: &mut String, table: &Table, language: Language, zone: Zone) {
    out.push_str(&format!("{}\n", language.of(&table.title)));
    let heads: Vec<String> = table.columns.iter().map(|c| language.of(&c.title).to_owned()).collect();
    let shown = |row: &Vec<Cell>| -> Vec<String> {
        // A line of a table is one line.
        row.iter().map(|cell| cell.shown(language, zone).replace(['\n', '\r'], " ")).collect()
    };
    let mut lines: Vec<Vec<String>> = vec![heads];
    lines.extend(table.rows.iter().map(shown));
    lines.extend(table.total.iter().map(shown));
    if table.rows.is_empty() {
        out.push_str(match language {
            Language::Ru => "  нет данных за период\n",
            Language::En => "  nothing in the period\n",
        });
        return;
    }
    let mut widths = vec![0; table.columns.len()];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for line in &lines {
        let mut written = String::new();
        for ((cell, width), column) in line.iter().zip(&widths).zip(&table.columns) {
            let pad = " ".repeat(width.saturating_sub(cell.chars().count()));
            let (left, right) = if column.numeric { (pad.as_str(), "") } else { ("", pad.as_str()) };
            written.push_str(&format!("  {left}{cell}{right}"));
        }
        out.push_str(&format!("{}\n", written.trim_end()));
    }
    for column in &table.columns {
        if let Some(note) = &column.note {
            out.push_str(&format!("    {} — {}\n", language.of(&column.title), language.of(note)));
        }
    }
}
