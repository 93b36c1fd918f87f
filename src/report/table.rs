//! A report: tables with typed cells, in both languages.

use chrono::NaiveDate;

use super::Period;
use crate::deadline::Title;
use crate::domain::{Timestamp, Zone};

/// In which language a report is written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// Russian.
    Ru,
    /// English.
    En,
}

impl Language {
    /// The text in this language.
    pub fn of(self, title: &Title) -> &str {
        match self {
            Self::Ru => &title.ru,
            Self::En => &title.en,
        }
    }
}

/// A text in both languages.
pub fn words(ru: &str, en: &str) -> Title {
    Title { ru: ru.to_owned(), en: en.to_owned() }
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing to say here.
    Empty,
    /// A text that is the same in both languages.
    Text(String),
    /// A text in both.
    Words(Title),
    /// A count.
    Count(u64),
    /// A share in thousandths: 935 is 93.5 %.
    Share(u32),
    /// A difference of two shares in thousandths: -20 is 2 percentage points less.
    Points(i64),
    /// A number with one digit after the point, in tenths: 25 is 2.5.
    Tenths(u64),
    /// A day.
    Day(NaiveDate),
    /// An instant, shown in the report's zone.
    At(Timestamp),
    /// Personal data that the asker does not see.
    Hidden,
    /// The body in which it stood was destroyed.
    Gone,
    /// The gateway does not know it; why says the column or the row.
    Unknown,
}

impl Cell {
    /// A text, or nothing.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Empty } else { Self::Text(text) }
    }

    /// A day, or nothing.
    pub fn day(day: Option<NaiveDate>) -> Self {
        day.map_or(Self::Empty, Self::Day)
    }

    /// As a person reads it: `93,5 %` in Russian, `93.5%` in English; days as `12.05.2026` or `2026-05-12`.
    pub fn shown(&self, language: Language, zone: Zone) -> String {
        let ru = language == Language::Ru;
        let said = |ru_text: &str, en_text: &str| if ru { ru_text } else { en_text }.to_owned();
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Words(title) => language.of(title).to_owned(),
            Self::Count(count) => count.to_string(),
            Self::Share(permille) => {
                let number = decimal(u64::from(*permille), ru);
                if ru { format!("{number}\u{a0}%") } else { format!("{number}%") }
            }
            Self::Points(points) => {
                let sign = if *points < 0 { "−" } else { "+" };
                let number = decimal(points.unsigned_abs(), ru);
                if *points == 0 { number } else { format!("{sign}{number}") }
            }
            Self::Tenths(tenths) => decimal(*tenths, ru),
            Self::Day(day) => day.format(if ru { "%d.%m.%Y" } else { "%Y-%m-%d" }).to_string(),
            Self::At(at) => {
                let format = if ru { "%d.%m.%Y %H:%M" } else { "%Y-%m-%d %H:%M" };
                at.utc().with_timezone(&zone.tz()).format(format).to_string()
            }
            Self::Hidden => said("скрыто", "hidden"),
            Self::Gone => said("тело уничтожено", "body destroyed"),
            Self::Unknown => said("шлюз этого не знает", "not known to the gateway"),
        }
    }
}

fn decimal(tenths: u64, comma: bool) -> String {
    format!("{}{}{}", tenths / 10, if comma { ',' } else { '.' }, tenths % 10)
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its stable name for programs, such as `onTime`.
    pub key: &'static str,
    /// Its name for people.
    pub title: Title,
    /// What it counts, or why it is empty.
    pub note: Option<Title>,
    /// Whether it holds numbers, which stand at the right.
    pub numeric: bool,
}

impl Column {
    /// A column of texts.
    pub fn new(key: &'static str, ru: &str, en: &str) -> Self {
        Self { key, title: words(ru, en), note: None, numeric: false }
    }

    /// A column of numbers.
    pub fn number(key: &'static str, ru: &str, en: &str) -> Self {
        Self { numeric: true, ..Self::new(key, ru, en) }
    }

    /// The same with a word on it.
    #[must_use]
    pub fn noted(self, ru: &str, en: &str) -> Self {
        Self { note: Some(words(ru, en)), ..self }
    }
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its stable name for programs, such as `participants`.
    pub key: &'static str,
    /// Its name for people.
    pub title: Title,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, each with a cell a column.
    pub rows: Vec<Vec<Cell>>,
    /// The last row, that sums up the others.
    pub total: Option<Vec<Cell>>,
}

/// What stands above the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The regulation's id.
    pub regulation: String,
    /// The regulation's name.
    pub regulation_title: Title,
    /// The days.
    pub period: Period,
    /// The region's zone.
    pub zone: Zone,
    /// As of when the states are told (business time).
    pub made_at: Timestamp,
    /// What it was narrowed to, in words; empty: all.
    pub narrowed: Vec<Title>,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its stable name, such as `discipline`.
    pub key: &'static str,
    /// Its name for people.
    pub title: Title,
    /// What stands above the tables.
    pub about: About,
    /// What a reader must know of it: the basis in the documents, how it is counted.
    pub notes: Vec<Title>,
    /// Its tables.
    pub tables: Vec<Table>,
}

impl Report {
    /// The lines above the tables: the regulation, the period, the instant, what it was narrowed to.
    pub fn head(&self, language: Language) -> Vec<String> {
        let about = &self.about;
        let said = |ru: &str, en: &str| if language == Language::Ru { ru } else { en }.to_owned();
        let made = Cell::At(about.made_at).shown(language, about.zone);
        let mut lines = vec![
            language.of(&about.regulation_title).to_owned(),
            format!("{}: {}", said("Период", "Period"), language.of(&about.period.title())),
            format!("{}: {made} ({})", said("По состоянию на", "As of"), about.zone),
        ];
        lines.extend(about.narrowed.iter().map(|narrowed| language.of(narrowed).to_owned()));
        lines
    }

    /// How a file of it is called, without the ending: `discipline-yugra-2026-11`.
    pub fn file_stem(&self) -> String {
        format!("{}-{}-{}", self.key, self.about.regulation, self.about.period).replace("..", "_")
    }
}
