//! What a leaf element holds: texts of a known form, instants, days, numbers, ids. Forms are those of `schemas/common/*/common.xsd`;
//! which letters outside of ASCII a name may have is the schema's to say.

use std::borrow::Cow;
use std::fmt;

use chrono::NaiveDate;

use super::content::{CODE, Content, Misread, Single};
use crate::domain::{CaseId, Digest, MessageId, ParticipantId, RoleCode, Timestamp};
use crate::xml::{Fields, Node, Writer, at, only_attributes, text};

/// A value that is text in its element.
pub(super) trait Value: Sized {
    /// What would have been right.
    const ALLOWED: &'static str;
    /// Whether white space around it does not count, as of everything that is no string in the schema.
    const IS_TRIMMED: bool = false;

    fn parse(text: &str) -> Option<Self>;
    fn text(&self) -> Cow<'_, str>;
}

/// Reads a leaf element.
pub(super) fn read_leaf<T: Value>(node: Node<'_>) -> Result<T, Misread> {
    only_attributes(node, &[], CODE)?;
    let found = text(node, CODE)?;
    let found = if T::IS_TRIMMED { found.trim_matches([' ', '\t', '\n', '\r']) } else { found };
    T::parse(found).ok_or_else(|| at(node, CODE, T::ALLOWED).into())
}

macro_rules! leaf {
    ($($name:ty),*) => {$(
        impl $crate::body::content::Content for $name {
            fn read(node: $crate::xml::Node<'_>) -> Result<Self, $crate::body::Misread> {
                $crate::body::values::read_leaf(node)
            }

            fn write(&self, w: &mut $crate::xml::Writer, element: &str) {
                w.leaf(element, &$crate::body::values::Value::text(self));
            }
        }
    )*};
}
pub(super) use leaf;

/// A text that has no such form. Does not hold the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {allowed}")]
pub struct FormError {
    /// The name of the form.
    pub kind: &'static str,
    /// What would have been right.
    pub allowed: &'static str,
}

/// Texts of a known form.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $check:expr, $allowed:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// Takes a text of this form.
            ///
            /// # Errors
            /// When the text has another form; the error says which is allowed.
            pub fn new(text: impl Into<String>) -> Result<Self, FormError> {
                let (text, check): (String, fn(&str) -> bool) = (text.into(), $check);
                if check(&text) { Ok(Self(text)) } else { Err(FormError { kind: stringify!($name), allowed: $allowed }) }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Value for $name {
            const ALLOWED: &'static str = $allowed;

            fn parse(text: &str) -> Option<Self> {
                Self::new(text).ok()
            }

            fn text(&self) -> Cow<'_, str> {
                self.as_str().into()
            }
        }

        leaf!($name);
    )*};
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// So many characters, no white space at the ends.
fn is_bare(text: &str, chars_max: usize) -> bool {
    !text.is_empty()
        && !text.starts_with(is_space)
        && !text.ends_with(is_space)
        && (text.len() <= chars_max || text.chars().count() <= chars_max)
}

fn is_line(text: &str, chars_max: usize) -> bool {
    is_bare(text, chars_max) && !text.contains(['\n', '\r', '\t'])
}

/// Of the shape of another text, in which `0` stands for any digit and everything else for itself.
fn is_shaped(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(b, s)| if s == b'0' { b.is_ascii_digit() } else { b == s })
}

fn is_sign(c: char, ascii: &str) -> bool {
    c.is_ascii_alphanumeric() || ascii.contains(c) || !c.is_ascii()
}

fn is_name_part(text: &str) -> bool {
    let right = |c: char| !c.is_ascii_digit() && is_sign(c, " '.()-");
    is_line(text, 100) && text.chars().next().is_some_and(char::is_alphabetic) && text.chars().all(right)
}

fn is_month(text: &str) -> bool {
    is_shaped(text, "0000-00") && text.get(5..).is_some_and(|month| ("01"..="12").contains(&month))
}

fn is_phone(text: &str) -> bool {
    let (number, extension) = text.split_once(";ext=").map_or((text, "0"), |(number, extension)| (number, extension));
    let digits = |text: &str, few, many| (few..=many).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    number.strip_prefix('+').is_some_and(|number| digits(number, 8, 15)) && digits(extension, 1, 6)
}

fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    let dotted = |host: &str| {
        let after = host.char_indices().skip(1).find(|(_, c)| *c == '.');
        !host.contains('@') && after.is_some_and(|(index, _)| index + 1 < host.len())
    };
    !text.contains(is_space)
        && text.chars().count() <= 254
        && parts.is_some_and(|(name, host)| !name.is_empty() && dotted(host))
}

fn is_code(text: &str) -> bool {
    RoleCode::parse(text).is_ok()
}

fn is_decimal(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = text.split_once('.').map_or((text, "0"), |(whole, fraction)| (whole, fraction));
    let digits = |text: &str, many| (1..=many).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits(whole, 15) && (whole == "0" || !whole.starts_with('0')) && digits(fraction, 4)
}

fn is_field_name(text: &str) -> bool {
    text.len() <= 60
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

texts! {
    /// One line: 1 to 250 characters, no space at either end.
    Line: |t| is_line(t, 250), "one line of 1 to 250 characters is needed, without spaces at its ends";
    /// Text: 1 to 4000 characters, no white space at either end.
    Text: |t| is_bare(t, 4000), "a text of 1 to 4000 characters is needed, without white space at its ends";
    /// Number of a document, a registration, an outgoing or incoming number: 1 to 60 characters.
    Number: |t| is_line(t, 60), "a number of 1 to 60 characters is needed, without spaces at its ends";
    /// A month without a zone: `2026-05`.
    Month: is_month, "a month such as 2026-05 is needed";
    /// A quarter: `2026-Q2`.
    Quarter: |t| (1..=4).any(|quarter| is_shaped(t, &format!("0000-Q{quarter}"))), "a quarter such as 2026-Q2 is needed";
    /// A year: `2026`.
    Year: |t| is_shaped(t, "0000"), "a year of four digits is needed";
    /// Territory code by OKTMO (OK 033-2013): 8 digits for a municipality, 11 for a settlement.
    Oktmo: |t| is_shaped(t, "00000000") || is_shaped(t, "00000000000"), "a code of 8 or 11 digits is needed";
    /// SNILS written as `000-000-000 00`; its check digits are the catalogue's to check.
    Snils: |t| is_shaped(t, "000-000-000 00"), "a SNILS such as 000-000-000 00 is needed";
    /// Family name, given name or patronymic: letters, space, hyphen, apostrophe, dot, brackets; 1 to 100 characters.
    NamePart: is_name_part, "a part of a name is needed: letters, spaces, hyphens, apostrophes, dots, brackets";
    /// Telephone number with the country code, without spaces; an extension after `;ext=`.
    Phone: is_phone, "a number such as +73462000000 or +73462000000;ext=12 is needed";
    /// E-mail address.
    Email: is_email, "an e-mail address is needed";
    /// Series of an identity document: 1 to 12 letters, digits, hyphens.
    DocumentSeries: |t| is_line(t, 12) && t.chars().all(|c| is_sign(c, "-")), "1 to 12 letters, digits and hyphens are needed";
    /// Number of an identity document: 1 to 30 letters, digits, hyphens, slashes.
    DocumentNumber: |t| is_line(t, 30) && t.chars().all(|c| is_sign(c, "-/")), "1 to 30 letters, digits, hyphens and slashes are needed";
    /// Postal code: 6 digits.
    PostalCode: |t| is_shaped(t, "000000"), "six digits are needed";
    /// House, building or flat: 1 to 20 characters.
    AddressPart: |t| is_line(t, 20), "1 to 20 characters are needed, without spaces at the ends";
    /// A curator's code within the organisation.
    CuratorId: is_code, "a code of 1 to 40 lower-case Latin letters, digits and hyphens is needed";
    /// The value of a figure: a decimal of at most 15 digits and 4 after the point, kept as it was written.
    FigureValue: is_decimal, "a decimal of at most 15 digits and 4 after the point is needed";
    /// Name of a field of structured data.
    FieldName: is_field_name, "1 to 60 Latin letters and digits are needed, the first a lower-case letter";
}

/// An instant with its zone as it was written, kept to the microsecond: `2026-05-06T10:00:00+05:00`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instant {
    at: Timestamp,
    text: String,
}

impl Instant {
    /// The instant.
    pub fn timestamp(&self) -> Timestamp {
        self.at
    }
}

impl From<Timestamp> for Instant {
    fn from(at: Timestamp) -> Self {
        Self { at, text: at.to_string() }
    }
}

impl Value for Instant {
    const ALLOWED: &'static str = "an instant with its zone is needed, such as 2026-05-06T10:00:00+05:00";
    const IS_TRIMMED: bool = true;

    fn parse(text: &str) -> Option<Self> {
        crate::xml::instant(text).map(|at| Self { at, text: text.to_owned() })
    }

    fn text(&self) -> Cow<'_, str> {
        self.text.as_str().into()
    }
}

impl Value for NaiveDate {
    const ALLOWED: &'static str = "a date without a zone is needed, such as 2026-05-06";
    const IS_TRIMMED: bool = true;

    fn parse(text: &str) -> Option<Self> {
        is_shaped(text, "0000-00-00").then(|| text.parse().ok()).flatten()
    }

    fn text(&self) -> Cow<'_, str> {
        self.to_string().into()
    }
}

impl Value for bool {
    const ALLOWED: &'static str = "true or false is needed";
    const IS_TRIMMED: bool = true;

    fn parse(text: &str) -> Option<Self> {
        match text {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    fn text(&self) -> Cow<'_, str> {
        (if *self { "true" } else { "false" }).into()
    }
}

/// A confirmation: only `true`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmed;

impl Value for Confirmed {
    const ALLOWED: &'static str = "true is needed";
    const IS_TRIMMED: bool = true;

    fn parse(text: &str) -> Option<Self> {
        (text == "true").then_some(Self)
    }

    fn text(&self) -> Cow<'_, str> {
        "true".into()
    }
}

/// Whole numbers within bounds, written without leading zeros.
macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident: $type:ty, $bounds:expr, $allowed:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name($type);

        impl $name {
            /// Takes a number within the bounds.
            ///
            /// # Errors
            /// When it is outside of them.
            pub fn new(number: $type) -> Result<Self, FormError> {
                let error = FormError { kind: stringify!($name), allowed: $allowed };
                if $bounds.contains(&number) { Ok(Self(number)) } else { Err(error) }
            }

            /// The number.
            pub fn get(self) -> $type {
                self.0
            }
        }

        impl Value for $name {
            const ALLOWED: &'static str = $allowed;
            const IS_TRIMMED: bool = true;

            fn parse(text: &str) -> Option<Self> {
                let right = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
                right.then(|| text.parse().ok()).flatten().and_then(|number| Self::new(number).ok())
            }

            fn text(&self) -> Cow<'_, str> {
                self.0.to_string().into()
            }
        }

        leaf!($name);
    )*};
}

numbers! {
    /// Number of a family member within this document, 1 to 99.
    MemberNumber: u8, (1..=99), "a number of 1 to 99 is needed";
    /// Version of a document, 1 to 9999.
    Version: u16, (1..=9999), "a number of 1 to 9999 is needed";
    /// How many, 0 to 9999999.
    Count: u32, (0..=9_999_999), "a number of 0 to 9999999 is needed";
}

macro_rules! ids {
    ($($name:ty, $allowed:literal, $parse:expr, $text:expr;)*) => {$(
        impl Value for $name {
            const ALLOWED: &'static str = $allowed;

            fn parse(text: &str) -> Option<Self> {
                let parse: fn(&str) -> Option<Self> = $parse;
                parse(text)
            }

            fn text(&self) -> Cow<'_, str> {
                let text: fn(&Self) -> Cow<'_, str> = $text;
                text(self)
            }
        }

        leaf!($name);
    )*};
}

ids! {
    CaseId, "a UUID in lower case is needed", |t| Self::parse(t).ok(), |id| id.to_string().into();
    MessageId, "a UUID of version 7 in lower case is needed",
        |t| Self::parse(t).ok().filter(|id| id.is_time_ordered()), |id| id.to_string().into();
    Digest, "a SHA-256 in base64 is needed", |t| Self::parse_base64(t).ok(), |digest| digest.to_base64().into();
    ParticipantId, "an id of 1 to 40 lower-case Latin letters, digits and hyphens is needed",
        |t| Self::parse(t).ok(), |id| id.as_str().into();
    RoleCode, "a role of 1 to 40 lower-case Latin letters, digits and hyphens is needed",
        |t| Self::parse(t).ok(), |role| role.as_str().into();
}

leaf!(Instant, NaiveDate, bool, Confirmed);

/// What was, if that is known, and what is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<T> {
    /// As before.
    pub old: Option<T>,
    /// As it is now.
    pub new: T,
}

impl<T: Content> Content for Change<T> {
    fn read(node: Node<'_>) -> Result<Self, Misread> {
        only_attributes(node, &[], CODE)?;
        let mut fields = Fields::of(node, CODE)?;
        let old = Single::take(&mut fields, "old")?;
        let new = Single::take(&mut fields, "new")?;
        fields.end()?;
        Ok(Self { old, new })
    }

    fn write(&self, w: &mut Writer, element: &str) {
        w.start(element, &[]);
        Single::put(&self.old, w, "old");
        Single::put(&self.new, w, "new");
        w.end();
    }
}
