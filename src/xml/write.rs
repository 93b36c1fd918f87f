//! The one XML writer. It shares its escapes with the canonical form, so a value comes back exactly from every reader.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::canonical::{ATTRIBUTE, EscapeTable, TEXT, escape};
use super::scan::is_char;

/// What could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// A value has a character that XML 1.0 cannot carry.
    #[error("element {element} would hold the character U+{code:04X}, which XML cannot carry")]
    Character {
        /// The element that would hold it.
        element: String,
        /// The character's code.
        code: u32,
    },
    /// More elements were ended than started, or the document was finished with open ones.
    #[error("elements are not closed in pairs near {element}")]
    Unbalanced {
        /// The element at hand.
        element: String,
    },
}

/// Writes elements with their text escaped, so that every reader gets exactly the given value back. Names and namespace
/// declarations are given as they shall stand: `start("e:Envelope", &[("xmlns:e", NAMESPACE)])`.
///
/// A value that XML cannot carry is reported by [`Writer::finish`].
#[derive(Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
    open: Vec<String>,
    error: Option<WriteError>,
}

impl Writer {
    /// Begins with nothing written. There is no XML declaration: UTF-8 and 1.0 are what a document without one is.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts an element.
    pub fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.open.push(name.to_owned());
        self.out.push(b'<');
        self.out.extend_from_slice(name.as_bytes());
        for (key, value) in attributes {
            self.out.push(b' ');
            self.out.extend_from_slice(key.as_bytes());
            self.out.extend_from_slice(b"=\"");
            self.value(value, ATTRIBUTE);
            self.out.push(b'"');
        }
        self.out.push(b'>');
    }

    /// Ends the element that was started last.
    pub fn end(&mut self) {
        let Some(name) = self.open.pop() else {
            return self.fail(WriteError::Unbalanced { element: "the end of the document".to_owned() });
        };
        self.out.extend_from_slice(b"</");
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b'>');
    }

    /// Writes text into the open element.
    pub fn text(&mut self, text: &str) {
        self.value(text, TEXT);
    }

    fn value(&mut self, value: &str, table: EscapeTable) {
        if let Some(c) = value.chars().find(|c| !is_char(u32::from(*c))) {
            let element = self.open.last().cloned().unwrap_or_default();
            self.fail(WriteError::Character { element, code: u32::from(c) });
        }
        escape(value, table, &mut self.out);
    }

    /// The first error is the one that is told.
    fn fail(&mut self, error: WriteError) {
        self.error.get_or_insert(error);
    }

    /// Writes an element that holds only text.
    pub fn leaf(&mut self, name: &str, text: &str) {
        self.start(name, &[]);
        self.text(text);
        self.end();
    }

    /// Writes an element that holds only text, if there is one.
    pub fn optional(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.leaf(name, text);
        }
    }

    /// Writes an element that holds bytes as base64.
    pub fn base64(&mut self, name: &str, attributes: &[(&str, &str)], bytes: &[u8]) {
        self.start(name, attributes);
        self.out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
        self.end();
    }

    /// Writes a piece of XML as it is. The caller answers for its form.
    pub fn raw(&mut self, xml: &[u8]) {
        self.out.extend_from_slice(xml);
    }

    /// The document.
    ///
    /// # Errors
    /// When a value had a character that XML cannot carry, or elements are left open.
    pub fn finish(mut self) -> Result<Vec<u8>, WriteError> {
        if let Some(element) = self.open.pop() {
            self.fail(WriteError::Unbalanced { element });
        }
        self.error.map_or(Ok(self.out), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Limits, attribute, read};

    #[test]
    fn a_value_comes_back_exactly() {
        let value = "a\tb\nc\r\nd \r<&>\"' ]]> \u{1F600}\u{85}\u{2028}\u{FFFD} ";
        let mut w = Writer::new();
        w.start("a", &[("b", value)]);
        w.leaf("c", value);
        w.optional("d", None);
        w.base64("e", &[], &[0, 255]);
        w.end();
        let bytes = w.finish().unwrap();
        let document = read(&bytes, &Limits::default()).unwrap();
        assert_eq!(attribute(document.root(), "b"), Some(value));
        assert_eq!(document.root().first_element_child().unwrap().text(), Some(value));
        assert_eq!(bytes, crate::xml::canonical_bytes(document.root(), None), "what is written is in canonical form");
    }

    #[test]
    fn what_xml_cannot_carry_is_reported() {
        let mut w = Writer::new();
        w.start("a", &[]);
        w.leaf("b", "x\u{0}y");
        w.end();
        assert_eq!(w.finish(), Err(WriteError::Character { element: "b".to_owned(), code: 0 }));
        let mut w = Writer::new();
        w.start("a", &[]);
        assert!(matches!(w.finish(), Err(WriteError::Unbalanced { .. })));
        let mut w = Writer::new();
        w.end();
        assert!(matches!(w.finish(), Err(WriteError::Unbalanced { .. })));
    }
}
