//! One participant as fields that people fill in, beside its TOML text.
//!
//! A field holds text as it is typed; a list has one item a line (`;` parts items too). The text of the file is what is checked, by
//! [`parse`](super::parse) and no other, and a problem's place in it says which field it belongs to. Writing touches only what was changed,
//! so that the file keeps its comments and its order.

use std::collections::BTreeMap;
use std::fmt;

use toml_edit::{DocumentMut, Item};

use super::form_text::{read, same_list, write};
use super::said;

/// A field of the form. Its id is the path of the key in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The id; never changes later.
    Id,
    /// The name for people.
    Name,
    /// The regulation.
    Regulation,
    /// The time zone.
    Zone,
    /// Roles with territories: `role` or `role: 718, 719`.
    Role,
    /// `envelope` or `plain`.
    Framing,
    /// `http`, `amqp` or `mailbox`.
    TransportKind,
    /// The address, of `http`.
    TransportUrl,
    /// The adapter; empty: the canonical form.
    Adapter,
    /// Versions of message types: `type: 1, 2`.
    Versions,
    /// Deliveries at once.
    InFlightMax,
    /// `all` or `failures`.
    Notices,
    /// `true` or `false`.
    Ordered,
    /// Classes of personal data.
    DataClasses,
    /// Media types.
    MediaTypes,
    /// `none`, `bearer` or `basic`.
    PlainAuth,
    /// `POST` or `PUT`.
    PlainMethod,
    /// The path after the address.
    PlainPath,
    /// Other paths: `type: /path`.
    PlainPaths,
    /// Answers in responses: `type: type/1`.
    PlainResponses,
    /// Digests of tokens.
    PlainTokens,
    /// Contacts: `name | post | phone | mail | hours`.
    Contact,
    /// Certificates: not a text; see the upload.
    Certificate,
}

/// What the text of a field is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A string.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Flag,
    /// An array of strings.
    List,
    /// Roles.
    Roles,
    /// A table of versions.
    Versions,
    /// A table of strings.
    Table,
    /// An array of contacts.
    Contacts,
    /// Certificates, which are no text.
    Certificates,
}

/// A field with its key, its shape and whether it must be there.
type Row = (Field, &'static [&'static str], Shape, bool);

const ROWS: &[Row] = &[
    (Field::Id, &["id"], Shape::Text, true),
    (Field::Name, &["name"], Shape::Text, true),
    (Field::Regulation, &["regulation"], Shape::Text, true),
    (Field::Zone, &["zone"], Shape::Text, true),
    (Field::Role, &["role"], Shape::Roles, false),
    (Field::Framing, &["framing"], Shape::Text, false),
    (Field::TransportKind, &["transport", "kind"], Shape::Text, true),
    (Field::TransportUrl, &["transport", "url"], Shape::Text, false),
    (Field::Adapter, &["adapter"], Shape::Text, false),
    (Field::Versions, &["versions"], Shape::Versions, false),
    (Field::InFlightMax, &["in_flight_max"], Shape::Number, false),
    (Field::Notices, &["notices"], Shape::Text, false),
    (Field::Ordered, &["ordered"], Shape::Flag, false),
    (Field::DataClasses, &["data_classes"], Shape::List, false),
    (Field::MediaTypes, &["media_types"], Shape::List, false),
    (Field::PlainAuth, &["plain", "auth"], Shape::Text, false),
    (Field::PlainMethod, &["plain", "method"], Shape::Text, false),
    (Field::PlainPath, &["plain", "path"], Shape::Text, false),
    (Field::PlainPaths, &["plain", "paths"], Shape::Table, false),
    (Field::PlainResponses, &["plain", "responses"], Shape::Table, false),
    (Field::PlainTokens, &["plain", "token_sha256"], Shape::List, false),
    (Field::Contact, &["contact"], Shape::Contacts, false),
    (Field::Certificate, &["certificate"], Shape::Certificates, false),
];

const NO_ROW: Row = (Field::Id, &["id"], Shape::Text, true);

impl Field {
    /// Every field that is filled in, in the order of a form. Certificates have an upload of their own.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.0).filter(|field| *field != Self::Certificate)
    }

    fn row(self) -> &'static Row {
        ROWS.iter().find(|row| row.0 == self).unwrap_or(&NO_ROW)
    }

    /// The id: the path of the key, such as `transport.url`.
    pub fn id(self) -> String {
        self.path().join(".")
    }

    /// The field with this id.
    pub fn parse(id: &str) -> Option<Self> {
        Self::all().find(|field| field.id() == id)
    }

    pub(super) fn path(self) -> &'static [&'static str] {
        self.row().1
    }

    pub(super) fn shape(self) -> Shape {
        self.row().2
    }

    /// Whether every participant has it.
    pub fn is_required(self) -> bool {
        self.row().3
    }

    /// Whether it has one item a line.
    pub fn is_list(self) -> bool {
        match self.shape() {
            Shape::List | Shape::Roles | Shape::Versions | Shape::Table | Shape::Contacts | Shape::Certificates => true,
            Shape::Text | Shape::Number | Shape::Flag => false,
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id())
    }
}

/// Something wrong with a participant, at one of its fields or with the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field; `None`: the whole.
    pub field: Option<Field>,
    /// What is wrong and the way out, in Russian.
    pub ru: String,
    /// The same in English.
    pub en: String,
}

impl fmt::Display for FieldProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = self.field {
            write!(f, "{field}: ")?;
        }
        write!(f, "{} / {}", self.ru, self.en)
    }
}

/// A participant as it is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form(BTreeMap<Field, String>);

impl Form {
    /// The text of a field; empty when it has none.
    pub fn get(&self, field: Field) -> &str {
        self.0.get(&field).map_or("", String::as_str)
    }

    /// Types a field.
    pub fn set(&mut self, field: Field, text: impl Into<String>) {
        self.0.insert(field, text.into());
    }

    /// The form of a file.
    ///
    /// # Errors
    /// When the text is no TOML: its message.
    pub fn read(text: &str) -> Result<Self, String> {
        let document: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| e.message().to_owned())?;
        let read = |field: Field| item(&document, field.path()).map(|item| (field, read(field.shape(), item)));
        Ok(Self(Field::all().filter_map(read).collect()))
    }

    /// The file with what was typed. `old` is the file as it was, empty for a new one; what is unchanged stays as it stands there.
    ///
    /// # Errors
    /// What is missing or has no form at all; whether the rest is right says [`parse`](super::parse).
    pub fn write(&self, old: &str) -> Result<String, Vec<FieldProblem>> {
        let whole =
            |en: String| vec![FieldProblem { field: None, ru: format!("файл не читается: {en}"), en }];
        let before = Self::read(old).map_err(whole)?;
        let mut document: DocumentMut = old.parse().map_err(|e: toml_edit::TomlError| whole(e.message().to_owned()))?;
        let mut problems = Vec::new();
        for field in Field::all() {
            let (new, old) = (self.get(field).trim(), before.get(field).trim());
            if new.is_empty() && field.is_required() {
                let (ru, en) = said("заполните поле", "fill the field in");
                problems.push(FieldProblem { field: Some(field), ru, en });
            } else if new != old
                && !(field.is_list() && same_list(new, old))
                && let Err((ru, en)) = write(&mut document, field, new)
            {
                problems.push(FieldProblem { field: Some(field), ru, en });
            }
        }
        if problems.is_empty() { Ok(document.to_string()) } else { Err(problems) }
    }
}

fn item<'d>(document: &'d DocumentMut, path: &[&str]) -> Option<&'d Item> {
    path.iter().try_fold(document.as_item(), |item, key| item.get(key)).filter(|item| !item.is_none())
}

/// The field whose value stands at this place of a file; lines and columns begin at 1, and a column of 0 means the whole line.
pub(super) fn field_at(text: &str, line: usize, column: usize) -> Option<Field> {
    let document = toml_edit::Document::parse(text).ok()?;
    let start: usize = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let whole = text.get(start..)?.split('\n').next()?;
    let offset = whole.char_indices().nth(column.saturating_sub(1)).map_or(start, |(at, _)| start + at);
    // The transport as a whole stands for its kind.
    let paths = ROWS.iter().map(|row| (row.0, row.1)).chain([(Field::TransportKind, &["transport"][..])]);
    let spans = paths.filter_map(|(field, path)| {
        let item = path.iter().try_fold(document.as_item(), |item, key| item.get(key))?;
        Some((field, spans(item)))
    });
    let holds = |range: &std::ops::Range<usize>| match column {
        0 => range.start >= start && range.start <= start + whole.len(),
        _ => range.contains(&offset),
    };
    let found = spans.flat_map(|(field, ranges)| ranges.into_iter().map(move |range| (field, range)));
    found.filter(|(_, range)| holds(range)).min_by_key(|(_, range)| range.len()).map(|(field, _)| field)
}

fn spans(item: &Item) -> Vec<std::ops::Range<usize>> {
    match item.as_array_of_tables() {
        Some(tables) => tables.iter().filter_map(toml_edit::Table::span).collect(),
        None => item.span().into_iter().collect(),
    }
}
