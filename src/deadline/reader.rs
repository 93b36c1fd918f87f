//! A TOML reader that knows where everything stands, reports unknown keys and collects all errors.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Finding, Severity};

/// What is wrong with a value and the way out, in Russian and English.
pub(super) struct Problem {
    pub(super) ru: String,
    pub(super) en: String,
}

impl Problem {
    pub(super) fn new(ru: impl Into<String>, en: impl Into<String>) -> Self {
        Self { ru: ru.into(), en: en.into() }
    }
}

/// A file that is being read, with what was found.
pub(super) struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    findings: RefCell<Vec<Finding>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, findings: RefCell::default() }
    }

    /// Parses the text; what is no TOML is found and the rest is still read.
    pub(super) fn document(&self) -> Spanned<DeTable<'a>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let message = error.message();
            let span = error.span().unwrap_or(0..0);
            self.error(&span, Problem::new(format!("это не TOML: {message}"), format!("this is not TOML: {message}")));
        }
        table
    }

    pub(super) fn error(&self, span: &Range<usize>, problem: Problem) {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        self.findings.borrow_mut().push(Finding {
            severity: Severity::Error,
            file: self.file.to_owned(),
            line: self.line(span),
            column,
            ru: problem.ru,
            en: problem.en,
        });
    }

    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        self.text.get(..span.start).unwrap_or(self.text).matches('\n').count() + 1
    }

    /// Everything found, in the order of the file.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        let mut findings = self.findings.into_inner();
        findings.sort_by_key(|f| (f.line, f.column));
        findings.dedup();
        findings
    }
}

/// A text value with its place.
pub(super) struct Text {
    pub(super) value: String,
    pub(super) span: Range<usize>,
}

/// A table that is being read. Every key that is asked for is known; [`Table::finish`] reports the others.
pub(super) struct Table<'r, 't> {
    reader: &'r Reader<'r>,
    table: &'t DeTable<'t>,
    pub(super) span: Range<usize>,
    name: String,
    known: RefCell<Vec<&'static str>>,
    complete: Cell<bool>,
}

impl<'r, 't> Table<'r, 't> {
    pub(super) fn new(reader: &'r Reader<'r>, table: &'t DeTable<'t>, span: Range<usize>, name: &str) -> Self {
        Self { reader, table, span, name: name.to_owned(), known: RefCell::default(), complete: Cell::new(true) }
    }

    pub(super) fn line(&self) -> usize {
        self.reader.line(&self.span)
    }

    /// Where the value of a key stands; the table's own line when it is not there.
    pub(super) fn line_of(&self, key: &'static str) -> usize {
        self.value(key).map_or_else(|| self.line(), |value| self.reader.line(&value.span()))
    }

    pub(super) fn error(&self, span: &Range<usize>, problem: Problem) {
        self.complete.set(false);
        self.reader.error(span, problem);
    }

    fn value(&self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.known.borrow_mut().push(key);
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    fn missing(&self, key: &str) {
        let name = &self.name;
        self.error(
            &self.span,
            Problem::new(
                format!("в `{name}` нет ключа `{key}`; добавьте его"),
                format!("`{name}` lacks the key `{key}`; add it"),
            ),
        );
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, needed: (&str, &str)) {
        let found = value.get_ref().type_str();
        let problem = Problem::new(
            format!("`{key}`: нужно {}, а стоит {found}", needed.0),
            format!("`{key}`: {} is needed, not {found}", needed.1),
        );
        self.error(&value.span(), problem);
    }

    /// Whether the key is there.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    /// The text at a key that need not be there.
    pub(super) fn text(&self, key: &'static str) -> Option<Text> {
        let value = self.value(key)?;
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() => Some(Text { value: text.to_owned(), span: value.span() }),
            Some(_) => {
                self.error(&value.span(), Problem::new(format!("`{key}` пуст"), format!("`{key}` is empty")));
                None
            }
            None => {
                self.wrong_type(key, value, ("строка в кавычках", "a text in quotes"));
                None
            }
        }
    }

    /// The text at a key that must be there.
    pub(super) fn need(&self, key: &'static str) -> Option<Text> {
        if !self.has(key) {
            self.missing(key);
            return None;
        }
        self.text(key)
    }

    /// The text at a key that need not be there, converted.
    pub(super) fn parsed<T>(&self, key: &'static str, convert: impl FnOnce(&str) -> Result<T, Problem>) -> Option<T> {
        self.convert(self.text(key)?, convert)
    }

    /// The text at a key that must be there, converted.
    pub(super) fn need_parsed<T>(
        &self,
        key: &'static str,
        convert: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        self.convert(self.need(key)?, convert)
    }

    /// Converts a text, or reports the problem at its place.
    pub(super) fn convert<T>(&self, text: Text, convert: impl FnOnce(&str) -> Result<T, Problem>) -> Option<T> {
        convert(&text.value).map_err(|problem| self.error(&text.span, problem)).ok()
    }

    /// The text or texts at a key; empty when it is not there.
    pub(super) fn texts(&self, key: &'static str) -> Vec<Text> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let items: Vec<&Spanned<DeValue<'t>>> = match value.get_ref().as_array() {
            Some(array) => array.iter().collect(),
            None => vec![value],
        };
        let mut texts = Vec::new();
        for item in items {
            match item.get_ref().as_str() {
                Some(text) => texts.push(Text { value: text.to_owned(), span: item.span() }),
                None => self.wrong_type(key, item, ("строка или список строк", "a text or a list of texts")),
            }
        }
        texts
    }

    /// The texts at a key that must be there and hold at least one.
    pub(super) fn need_texts(&self, key: &'static str) -> Vec<Text> {
        if !self.has(key) {
            self.missing(key);
            return Vec::new();
        }
        let texts = self.texts(key);
        if texts.is_empty() {
            self.error(&self.span, Problem::new(format!("`{key}` пуст"), format!("`{key}` is empty")));
        }
        texts
    }

    /// The table at a key that need not be there.
    pub(super) fn table(&self, key: &'static str) -> Option<Table<'r, 't>> {
        let value = self.value(key)?;
        let found = value.get_ref().as_table().map(|t| Table::new(self.reader, t, value.span(), key));
        if found.is_none() {
            self.wrong_type(key, value, ("таблица", "a table"));
        }
        found
    }

    /// The table at a key that must be there.
    pub(super) fn need_table(&self, key: &'static str) -> Option<Table<'r, 't>> {
        if !self.has(key) {
            self.missing(key);
            return None;
        }
        self.table(key)
    }

    /// The table or tables at a key; empty when it is not there.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Table<'r, 't>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let items: Vec<&'t Spanned<DeValue<'t>>> = match value.get_ref().as_array() {
            Some(array) => array.iter().collect(),
            None => vec![value],
        };
        let mut tables = Vec::new();
        for item in items {
            match item.get_ref().as_table() {
                Some(table) => tables.push(Table::new(self.reader, table, item.span(), key)),
                None => self.wrong_type(key, item, ("таблица", "a table")),
            }
        }
        tables
    }

    /// The items of a list that may be texts or tables.
    pub(super) fn texts_or_tables(&self, key: &'static str) -> Vec<Result<Text, Table<'r, 't>>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, ("список", "a list"));
            return Vec::new();
        };
        let mut items = Vec::new();
        for item in array.iter() {
            if let Some(text) = item.get_ref().as_str() {
                items.push(Ok(Text { value: text.to_owned(), span: item.span() }));
            } else if let Some(table) = item.get_ref().as_table() {
                items.push(Err(Table::new(self.reader, table, item.span(), key)));
            } else {
                self.wrong_type(key, item, ("строка или таблица", "a text or a table"));
            }
        }
        items
    }

    /// Every key of this table with its text values, for tables whose keys are data.
    pub(super) fn entries(&self) -> Vec<(Text, Vec<Text>)> {
        let mut entries = Vec::new();
        for (key, value) in self.table {
            let items: Vec<&Spanned<DeValue<'t>>> = match value.get_ref().as_array() {
                Some(array) => array.iter().collect(),
                None => vec![value],
            };
            let mut texts = Vec::new();
            for item in items {
                match item.get_ref().as_str() {
                    Some(text) => texts.push(Text { value: text.to_owned(), span: item.span() }),
                    None => {
                        self.wrong_type(key.get_ref(), item, ("строка или список строк", "a text or a list of texts"))
                    }
                }
            }
            entries.push((Text { value: key.get_ref().to_string(), span: key.span() }, texts));
        }
        entries
    }

    /// Every key of this table with its whole number from 1, for tables whose keys are data.
    pub(super) fn counts(&self) -> Vec<(String, u32)> {
        let mut counts = Vec::new();
        for (key, value) in self.table {
            let number = value.get_ref().as_integer().and_then(|i| u32::from_str_radix(i.as_str(), i.radix()).ok());
            match number.filter(|n| *n > 0) {
                Some(number) => counts.push((key.get_ref().to_string(), number)),
                None => self.wrong_type(key.get_ref(), value, ("целое число от 1", "a whole number from 1")),
            }
        }
        counts
    }

    /// The truth value at a key that need not be there; `false` when it is not.
    pub(super) fn flag(&self, key: &'static str) -> bool {
        let Some(value) = self.value(key) else { return false };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.wrong_type(key, value, ("true или false", "true or false"));
            false
        })
    }

    /// Reports the keys that nobody asked for. `None` when anything in this table was wrong.
    pub(super) fn finish(self) -> Option<()> {
        let known = self.known.borrow();
        for (key, _) in self.table {
            if !known.iter().any(|k| k == key.get_ref()) {
                let (mut allowed, name) = (known.clone(), &self.name);
                allowed.sort_unstable();
                allowed.dedup();
                let (key_name, allowed) = (key.get_ref(), allowed.join(", "));
                let problem = Problem::new(
                    format!("в `{name}` неизвестный ключ `{key_name}`; можно: {allowed}"),
                    format!("`{name}` has the unknown key `{key_name}`; allowed: {allowed}"),
                );
                self.error(&key.span(), problem);
            }
        }
        self.complete.get().then_some(())
    }
}
