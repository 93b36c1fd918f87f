//! How a typed body is declared: a field says its Rust name, its type and its element, and from that come the struct, the strict
//! reader and the writer. Fields stand in the order of the schema.
//!
//! ```text
//! record! {
//!     /// A measure.
//!     ProgrammeMeasure {
//!         /// One element.
//!         number: Number = "number",
//!         /// None or one.
//!         mark: Option<MeasureResult> = "mark",
//!         /// Elements side by side, so many.
//!         territory: Vec<Oktmo> = ["territory", 0..=50],
//!         /// Elements inside of one that holds nothing else; `Option<Vec<_>>`: the outer one may be absent.
//!         signs: Option<Vec<LevelSign>> = ["signs" / "sign", 1..=23],
//!         /// One of several elements: a type that `choice!` declares.
//!         responsible: Responsible = choice,
//!     }
//! }
//! ```
//!
//! `record!` is a type whose elements are in the namespace of the element that holds them, `common!` one whose elements are in
//! `urn:mezhved:common:1`, `message!` a whole body, `codes!` enumerations. How many there may be is checked on reading; on writing it is
//! the schema that says so, as it does of everything else.

use std::fmt;
use std::ops::RangeInclusive;

use crate::domain::{Fault, FaultCode, MessageType};
use crate::xml::{Fields, Node, WriteError, Writer, only_attributes};

/// The namespace of the shared types.
pub(super) const COMMON: &str = "urn:mezhved:common:1";
/// What a body that is no such message is refused with.
pub(super) const CODE: FaultCode = FaultCode::SchemaInvalid;

/// A body that is not what its type says. Names places only, never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    /// The way to the element, such as `Programme/measures/measure[2]/dueOn`.
    pub path: String,
    /// What is wrong there, with the line.
    pub fault: Fault,
}

impl Misread {
    /// The same, seen from the element around it.
    pub(super) fn inside(self, step: &str) -> Self {
        let path = if self.path.is_empty() { step.to_owned() } else { format!("{step}/{}", self.path) };
        Self { path, ..self }
    }

    /// The fault, with the way to the element in its detail.
    pub fn into_fault(self) -> Fault {
        Fault::new(self.fault.code, self.to_string())
    }

    fn numbered(self, step: &str, index: usize) -> Self {
        self.inside(&format!("{step}[{}]", index + 1))
    }
}

impl From<Fault> for Misread {
    fn from(fault: Fault) -> Self {
        Self { path: String::new(), fault }
    }
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.fault.detail)
    }
}

impl std::error::Error for Misread {}

/// What one element holds.
pub(super) trait Content: Sized {
    /// Reads it out of its element.
    fn read(node: Node<'_>) -> Result<Self, Misread>;
    /// Writes it with its element, named as it shall stand.
    fn write(&self, w: &mut Writer, element: &str);
}

/// One element, or none or one.
pub(super) trait Single: Sized {
    fn take(fields: &mut Fields<'_>, name: &str) -> Result<Self, Misread>;
    fn put(&self, w: &mut Writer, element: &str);
}

impl<T: Content> Single for T {
    fn take(fields: &mut Fields<'_>, name: &str) -> Result<Self, Misread> {
        T::read(fields.required(name)?).map_err(|e| e.inside(name))
    }

    fn put(&self, w: &mut Writer, element: &str) {
        self.write(w, element);
    }
}

impl<T: Content> Single for Option<T> {
    fn take(fields: &mut Fields<'_>, name: &str) -> Result<Self, Misread> {
        fields.optional(name).map(T::read).transpose().map_err(|e| e.inside(name))
    }

    fn put(&self, w: &mut Writer, element: &str) {
        if let Some(content) = self {
            content.write(w, element);
        }
    }
}

/// Elements of one name side by side.
pub(super) fn take_many<T: Content>(
    fields: &mut Fields<'_>,
    name: &str,
    count: &RangeInclusive<usize>,
) -> Result<Vec<T>, Misread> {
    let mut found = Vec::new();
    while let Some(node) = fields.optional(name) {
        let index = found.len();
        found.push(T::read(node).map_err(|e| e.numbered(name, index))?);
    }
    if count.contains(&found.len()) {
        Ok(found)
    } else {
        let allowed = format!("{} of them where {} to {} may be", found.len(), count.start(), count.end());
        Err(Misread::from(fields.wrong(name, &allowed)).inside(name))
    }
}

/// Writes elements of one name side by side.
pub(super) fn put_many<T: Content>(many: &[T], w: &mut Writer, element: &str) {
    many.iter().for_each(|content| content.write(w, element));
}

/// Elements inside of one that holds nothing else.
pub(super) trait Wrapped: Sized {
    fn take(fields: &mut Fields<'_>, outer: &str, name: &str, count: &RangeInclusive<usize>) -> Result<Self, Misread>;
    fn put(&self, w: &mut Writer, outer: &str, element: &str);
}

fn unwrapped<T: Content>(node: Node<'_>, name: &str, count: &RangeInclusive<usize>) -> Result<Vec<T>, Misread> {
    only_attributes(node, &[], CODE)?;
    let mut inner = Fields::of(node, CODE)?;
    let found = take_many(&mut inner, name, count)?;
    inner.end()?;
    Ok(found)
}

impl<T: Content> Wrapped for Vec<T> {
    fn take(fields: &mut Fields<'_>, outer: &str, name: &str, count: &RangeInclusive<usize>) -> Result<Self, Misread> {
        unwrapped(fields.required(outer)?, name, count).map_err(|e| e.inside(outer))
    }

    fn put(&self, w: &mut Writer, outer: &str, element: &str) {
        w.start(outer, &[]);
        put_many(self, w, element);
        w.end();
    }
}

impl<T: Content> Wrapped for Option<Vec<T>> {
    fn take(fields: &mut Fields<'_>, outer: &str, name: &str, count: &RangeInclusive<usize>) -> Result<Self, Misread> {
        let node = fields.optional(outer);
        node.map(|node| unwrapped(node, name, count)).transpose().map_err(|e| e.inside(outer))
    }

    fn put(&self, w: &mut Writer, outer: &str, element: &str) {
        if let Some(many) = self {
            Wrapped::put(many, w, outer, element);
        }
    }
}

/// A whole body: what its root element holds.
pub trait Message: Sized {
    /// The name of its type.
    const NAME: &'static str;
    /// The major version of its schema.
    const VERSION: u32;

    /// Its type.
    fn kind() -> MessageType {
        MessageType { name: Self::NAME.to_owned(), version: Self::VERSION }
    }

    /// The body, if it is this one.
    fn of(body: &super::Body) -> Option<&Self>;

    /// Reads a body from its root element.
    ///
    /// # Errors
    /// When it is another message, or anything in it is unknown, missing, out of order or of another form.
    fn read(root: Node<'_>) -> Result<Self, Misread>;

    /// Writes the body.
    ///
    /// # Errors
    /// When a value has a character that XML cannot carry.
    fn write(&self) -> Result<Vec<u8>, WriteError>;
}

/// Checks that an element is the root of this message.
pub(super) fn check_root(kind: &MessageType, root: Node<'_>) -> Result<(), Misread> {
    let (tag, own, namespace) = (root.tag_name(), kind.root(), kind.namespace());
    if tag.name() == own && tag.namespace() == Some(&namespace) {
        return Ok(());
    }
    let what = format!("element {own} of {namespace} is expected");
    Err(Misread::from(crate::xml::at(root, CODE, what)).inside(tag.name()))
}

/// Writes a whole body.
pub(super) fn write_root(kind: &MessageType, inside: impl FnOnce(&mut Writer)) -> Result<Vec<u8>, WriteError> {
    let mut w = Writer::new();
    w.start(&kind.root(), &[("xmlns", &kind.namespace()), ("xmlns:c", COMMON)]);
    inside(&mut w);
    w.end();
    w.finish()
}

/// Reads a field, by how it is declared.
macro_rules! take {
    ($fields:ident, choice) => {
        $crate::body::content::Choice::take(&mut $fields)?
    };
    ($fields:ident, $name:literal) => {
        $crate::body::content::Single::take(&mut $fields, $name)?
    };
    ($fields:ident, [$name:literal, $count:expr]) => {
        $crate::body::content::take_many(&mut $fields, $name, &$count)?
    };
    ($fields:ident, [$outer:literal / $name:literal, $count:expr]) => {
        $crate::body::content::Wrapped::take(&mut $fields, $outer, $name, &$count)?
    };
}

/// Writes a field, by how it is declared; the prefix is that of the elements' namespace.
macro_rules! put {
    ($field:expr, $w:ident, $prefix:literal, choice) => {
        $crate::body::content::Choice::put($field, $w)
    };
    ($field:expr, $w:ident, $prefix:literal, $name:literal) => {
        $crate::body::content::Single::put($field, $w, concat!($prefix, $name))
    };
    ($field:expr, $w:ident, $prefix:literal, [$name:literal, $count:expr]) => {
        $crate::body::content::put_many($field, $w, concat!($prefix, $name))
    };
    ($field:expr, $w:ident, $prefix:literal, [$outer:literal / $name:literal, $count:expr]) => {
        $crate::body::content::Wrapped::put($field, $w, concat!($prefix, $outer), concat!($prefix, $name))
    };
}

/// One of several elements.
pub(super) trait Choice: Sized {
    fn take(fields: &mut Fields<'_>) -> Result<Self, Misread>;
    fn put(&self, w: &mut Writer);
}

/// The elements of a type that is in the namespace of the shared types.
pub(super) fn common_fields(node: Node<'_>) -> Result<Fields<'_>, Misread> {
    Ok(Fields::in_namespace(node, COMMON, CODE)?)
}

/// The elements of a type that is in the namespace of the element that holds it.
pub(super) fn own_fields(node: Node<'_>) -> Result<Fields<'_>, Misread> {
    Ok(Fields::of(node, CODE)?)
}

/// A type of elements: how they are found, and the prefix with which they are written.
macro_rules! elements {
    ($open:ident, $prefix:literal; $(#[$doc:meta])* $name:ident {
        $($(#[$field_doc:meta])* $field:ident: $type:ty = $how:tt,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

        impl $crate::body::content::Content for $name {
            fn read(node: $crate::xml::Node<'_>) -> Result<Self, $crate::body::Misread> {
                $crate::xml::only_attributes(node, &[], $crate::body::content::CODE)?;
                let mut fields = $crate::body::content::$open(node)?;
                $(let $field = $crate::body::content::take!(fields, $how);)*
                fields.end()?;
                Ok(Self { $($field,)* })
            }

            fn write(&self, w: &mut $crate::xml::Writer, element: &str) {
                w.start(element, &[]);
                $($crate::body::content::put!(&self.$field, w, $prefix, $how);)*
                w.end();
            }
        }
    };
}

/// A type whose elements are in the namespace of the element that holds them.
macro_rules! record {
    ($($declared:tt)*) => { $crate::body::content::elements! { own_fields, ""; $($declared)* } };
}

/// A type whose elements are in the namespace of the shared types.
macro_rules! common {
    ($($declared:tt)*) => { $crate::body::content::elements! { common_fields, "c:"; $($declared)* } };
}

/// One of several elements, each a variant.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$case_doc:meta])* $case:ident: $type:ty = $how:tt,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name { $($(#[$case_doc])* $case($type),)* }

        impl $crate::body::content::Choice for $name {
            fn take(given: &mut $crate::xml::Fields<'_>) -> Result<Self, $crate::body::Misread> {
                let mut fields = given;
                $(if fields.is_next($crate::body::content::first!($how)) {
                    return Ok(Self::$case($crate::body::content::take!(fields, $how)));
                })*
                let names = [$($crate::body::content::first!($how)),*].join(", ");
                Err(fields.missing(&names).into())
            }

            fn put(&self, w: &mut $crate::xml::Writer) {
                match self { $(Self::$case(inner) => $crate::body::content::put!(inner, w, "", $how),)* }
            }
        }
    };
}

/// The element that begins a field.
macro_rules! first {
    ($name:literal) => {
        $name
    };
    ([$name:literal, $count:expr]) => {
        $name
    };
    ([$outer:literal / $name:literal, $count:expr]) => {
        $outer
    };
}

/// A whole body, with the name and the version of its type.
macro_rules! message {
    ($(#[$doc:meta])* $kind:literal / $version:literal: $name:ident {
        $($(#[$field_doc:meta])* $field:ident: $type:ty = $how:tt,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

        impl $crate::body::Message for $name {
            const NAME: &'static str = $kind;
            const VERSION: u32 = $version;

            fn of(body: &$crate::body::Body) -> Option<&Self> {
                if let $crate::body::Body::$name(body) = body { Some(body) } else { None }
            }

            fn read(root: $crate::xml::Node<'_>) -> Result<Self, $crate::body::Misread> {
                let kind = Self::kind();
                $crate::body::content::check_root(&kind, root)?;
                let read = || {
                    $crate::xml::only_attributes(root, &[], $crate::body::content::CODE)?;
                    let mut fields = $crate::xml::Fields::of(root, $crate::body::content::CODE)?;
                    $(let $field = $crate::body::content::take!(fields, $how);)*
                    fields.end()?;
                    Ok(Self { $($field,)* })
                };
                read().map_err(|e: $crate::body::Misread| e.inside(&kind.root()))
            }

            fn write(&self) -> Result<Vec<u8>, $crate::xml::WriteError> {
                $crate::body::content::write_root(&Self::kind(), |w| {
                    $($crate::body::content::put!(&self.$field, w, "", $how);)*
                })
            }
        }

        impl From<$name> for $crate::body::Body {
            fn from(body: $name) -> Self {
                Self::$name(Box::new(body))
            }
        }
    };
}

/// Enumerations: a variant for each code.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident { $($code:ident = $text:literal),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
            pub enum $name { $(#[doc = concat!("`", $text, "`")] $code,)* }

            impl $name {
                /// Every code, in the order of the schema.
                pub const ALL: &'static [Self] = &[$(Self::$code,)*];

                /// The code as it stands in a body.
                pub const fn as_str(self) -> &'static str {
                    match self { $(Self::$code => $text,)* }
                }

                /// The code of this text; `None` when the list has no such.
                pub fn parse(text: &str) -> Option<Self> {
                    match text { $($text => Some(Self::$code),)* _ => None }
                }
            }

            impl $crate::body::values::Value for $name {
                const ALLOWED: &'static str = "a code of its list is needed";

                fn parse(text: &str) -> Option<Self> {
                    Self::parse(text)
                }

                fn text(&self) -> std::borrow::Cow<'_, str> {
                    self.as_str().into()
                }
            }

            $crate::body::values::leaf!($name);
        )*
    };
}

pub(super) use {choice, codes, common, elements, first, message, put, record, take};
