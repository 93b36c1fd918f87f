//! A report as a workbook: what stands above the tables on the first sheet, then a sheet for each table.
//!
//! Texts are written as texts, whatever they begin with, so that nothing in them is ever computed; numbers, shares and days are what they
//! are, so that a table can be sorted and summed up. The file tells no time but the report's own.

use rust_xlsxwriter::{Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet};

use super::table::{Cell, Column, Language, Report, Table};
use crate::domain::Zone;

/// What a sheet's name may be long, in characters.
const NAME_MAX: usize = 31;
/// Columns are at most and at least so wide, in characters.
const WIDTHS: (usize, usize) = (9, 48);
/// A heading is wrapped, so that it asks for no more than so many characters.
const HEADING_MAX: usize = 16;
/// DIN A4.
const PAPER_A4: u8 = 9;

/// Why a workbook could not be written.
#[derive(Debug, thiserror::Error)]
#[error("книгу XLSX не удалось составить / the XLSX workbook could not be made: {0}")]
pub struct XlsxError(#[from] rust_xlsxwriter::XlsxError);

struct Styles {
    title: Format,
    head: Format,
    plain: Format,
    count: Format,
    tenths: Format,
    share: Format,
    points: Format,
    day: Format,
    instant: Format,
    note: Format,
}

impl Styles {
    fn new(bold: bool) -> Self {
        let base = || {
            let format = Format::new().set_align(FormatAlign::Top);
            if bold { format.set_bold().set_border_top(FormatBorder::Thin) } else { format }
        };
        Self {
            title: Format::new().set_bold().set_font_size(14),
            head: Format::new()
                .set_bold()
                .set_text_wrap()
                .set_align(FormatAlign::Top)
                .set_border_bottom(FormatBorder::Thin)
                .set_background_color(Color::RGB(0x00E8_EDF2)),
            plain: base().set_text_wrap(),
            count: base().set_num_format("#,##0"),
            tenths: base().set_num_format("0.0"),
            share: base().set_num_format("0.0%"),
            points: base().set_num_format("+0.0;-0.0;0.0"),
            day: base().set_num_format("dd.mm.yyyy").set_align(FormatAlign::Left),
            instant: base().set_num_format("dd.mm.yyyy hh:mm").set_align(FormatAlign::Left),
            note: Format::new().set_text_wrap().set_italic().set_align(FormatAlign::Top),
        }
    }
}

/// The report as the bytes of an XLSX file.
///
/// # Errors
/// When a table has more rows or columns than a sheet may have, or a text is longer than a cell.
pub fn xlsx(report: &Report, language: Language) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let made = ExcelDateTime::from_timestamp(report.about.made_at.micros().div_euclid(1_000_000))?;
    let title = language.of(&report.title);
    workbook.set_properties(&DocProperties::new().set_title(title).set_creation_datetime(&made));
    about(workbook.add_worksheet(), report, language)?;
    for table in &report.tables {
        sheet(workbook.add_worksheet(), table, language, report.about.zone)?;
    }
    Ok(workbook.save_to_buffer()?)
}

fn about(sheet: &mut Worksheet, report: &Report, language: Language) -> Result<(), XlsxError> {
    let styles = Styles::new(false);
    sheet.set_name(if language == Language::Ru { "Об отчёте" } else { "About" })?;
    sheet.set_paper_size(PAPER_A4);
    sheet.set_column_width(0, 100)?;
    sheet.write_string_with_format(0, 0, language.of(&report.title), &styles.title)?;
    let head = report.head(language);
    let notes: Vec<&str> = report.notes.iter().map(|note| language.of(note)).collect();
    let mut row = 1;
    for line in &head {
        sheet.write_string_with_format(row, 0, line, &styles.plain)?;
        row += 1;
    }
    row += 1;
    for note in notes {
        sheet.write_string_with_format(row, 0, note, &styles.note)?;
        row += 1;
    }
    Ok(())
}

fn sheet(sheet: &mut Worksheet, table: &Table, language: Language, zone: Zone) -> Result<(), XlsxError> {
    let styles = Styles::new(false);
    let name: String =
        language.of(&table.title).chars().map(|c| if "[]:*?/\\".contains(c) { ' ' } else { c }).collect();
    sheet.set_name(name.chars().take(NAME_MAX).collect::<String>())?;
    sheet.set_landscape().set_paper_size(PAPER_A4).set_print_fit_to_pages(1, 0);
    sheet.set_repeat_rows(0, 0)?;
    sheet.set_freeze_panes(1, 0)?;
    for (at, column) in (0..).zip(&table.columns) {
        sheet.write_string_with_format(0, at, language.of(&column.title), &styles.head)?;
        let width = u32::try_from(width(table, usize::from(at), column, language, zone)).unwrap_or(u32::MAX);
        sheet.set_column_width(at, width)?;
    }
    let mut line = 1;
    for cells in &table.rows {
        row(sheet, line, cells, &styles, language, zone)?;
        line += 1;
    }
    if let Some(last) = u16::try_from(table.columns.len()).ok().and_then(|n| n.checked_sub(1)).filter(|_| line > 1) {
        sheet.autofilter(0, 0, line - 1, last)?;
    }
    if let Some(total) = &table.total {
        row(sheet, line, total, &Styles::new(true), language, zone)?;
        line += 1;
    }
    line += 1;
    for column in &table.columns {
        if let Some(note) = &column.note {
            // Not wrapped: it runs on over the empty cells beside it.
            sheet.write_string(line, 0, format!("{}: {}", language.of(&column.title), language.of(note)))?;
            line += 1;
        }
    }
    Ok(())
}

fn width(table: &Table, at: usize, column: &Column, language: Language, zone: Zone) -> usize {
    let cells = table.rows.iter().chain(&table.total).filter_map(|row| row.get(at));
    let longest = cells.map(|cell| cell.shown(language, zone).chars().count()).max().unwrap_or(0);
    let heading = language.of(&column.title).chars().count().min(HEADING_MAX);
    (longest.max(heading) + 2).clamp(WIDTHS.0, WIDTHS.1)
}

fn row(
    sheet: &mut Worksheet,
    line: u32,
    cells: &[Cell],
    styles: &Styles,
    language: Language,
    zone: Zone,
) -> Result<(), XlsxError> {
    for (at, cell) in (0..).zip(cells) {
        #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        let float = |number: i64| number as f64;
        let whole = |number: u64| float(i64::try_from(number).unwrap_or(i64::MAX));
        match cell {
            Cell::Empty => sheet.write_blank(line, at, &styles.plain)?,
            Cell::Count(count) => sheet.write_number_with_format(line, at, whole(*count), &styles.count)?,
            Cell::Share(permille) => {
                sheet.write_number_with_format(line, at, f64::from(*permille) / 1000.0, &styles.share)?
            }
            Cell::Points(points) => sheet.write_number_with_format(line, at, float(*points) / 10.0, &styles.points)?,
            Cell::Tenths(tenths) => sheet.write_number_with_format(line, at, whole(*tenths) / 10.0, &styles.tenths)?,
            Cell::Day(day) => sheet.write_datetime_with_format(line, at, day, &styles.day)?,
            Cell::At(instant) => {
                let local = instant.utc().with_timezone(&zone.tz()).naive_local();
                sheet.write_datetime_with_format(line, at, local, &styles.instant)?
            }
            Cell::Text(_) | Cell::Words(_) | Cell::Hidden | Cell::Gone | Cell::Unknown => {
                sheet.write_string_with_format(line, at, cell.shown(language, zone), &styles.plain)?
            }
        };
    }
    Ok(())
}
