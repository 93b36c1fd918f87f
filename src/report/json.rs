//! A report for programs: stable keys, numbers as numbers, texts in both languages.

use serde_json::{Map, Value, json};

use super::table::{Cell, Report, Table};
use crate::domain::Zone;

/// The report as one object. A share is a number from 0 to 1; a day is `2026-05-12`; what is not known or not shown is an object that
/// says why (`{"unknown": true}`, `{"hidden": true}`, `{"destroyed": true}`).
pub fn json(report: &Report) -> Value {
    let about = &report.about;
    json!({
        "report": report.key, "title": report.title, "regulation": about.regulation, "regulationTitle": about.regulation_title,
        "period": about.period.to_string(), "from": about.period.first(), "to": about.period.last(), "zone": about.zone,
        "asOf": about.made_at.in_zone(about.zone), "narrowed": about.narrowed, "notes": report.notes,
        "tables": report.tables.iter().map(|t| table(t, about.zone)).collect::<Vec<_>>(),
    })
}

fn table(table: &Table, zone: Zone) -> Value {
    let columns: Vec<Value> = table
        .columns
        .iter()
        .map(|column| json!({ "key": column.key, "title": column.title, "note": column.note }))
        .collect();
    let row = |cells: &Vec<Cell>| -> Value {
        let named = table.columns.iter().zip(cells).map(|(column, cell)| (column.key.to_owned(), value(cell, zone)));
        Value::Object(named.collect::<Map<_, _>>())
    };
    json!({
        "key": table.key, "title": table.title, "columns": columns, "rows": table.rows.iter().map(row).collect::<Vec<_>>(),
        "total": table.total.as_ref().map(row),
    })
}

fn value(cell: &Cell, zone: Zone) -> Value {
    match cell {
        Cell::Empty => Value::Null,
        Cell::Text(text) => json!(text),
        Cell::Words(title) => json!(title),
        Cell::Count(count) => json!(count),
        Cell::Share(permille) => json!(f64::from(*permille) / 1000.0),
        Cell::Points(points) => thousandths(*points, 1000.0),
        Cell::Tenths(tenths) => thousandths(i64::try_from(*tenths).unwrap_or(i64::MAX), 10.0),
        Cell::Day(day) => json!(day),
        Cell::At(at) => json!(at.in_zone(zone)),
        Cell::Hidden => json!({ "hidden": true }),
        Cell::Gone => json!({ "destroyed": true }),
        Cell::Unknown => json!({ "unknown": true }),
    }
}

fn thousandths(count: i64, of: f64) -> Value {
    // Counts of obligations and days are far below 2^53.
    #[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
    let number = count as f64;
    json!(number / of)
}
