//! The one XML writer.

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
        let _ = (name, attributes, &self.out, &self.open, &self.error);
        todo!()
    }

    /// Ends the element that was started last.
    pub fn end(&mut self) {
        todo!()
    }

    /// Writes text into the open element.
    pub fn text(&mut self, text: &str) {
        let _ = text;
        todo!()
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
        let _ = (name, attributes, bytes);
        todo!()
    }

    /// Writes a piece of XML as it is. The caller answers for its form.
    pub fn raw(&mut self, xml: &[u8]) {
        self.out.extend_from_slice(xml);
    }

    /// The document.
    ///
    /// # Errors
    /// When a value had a character that XML cannot carry, or elements are left open.
    pub fn finish(self) -> Result<Vec<u8>, WriteError> {
        todo!()
    }
}
