//! Strict reading of elements that hold a sequence of fields.

use crate::domain::{Fault, FaultCode};

use super::Node;

/// Reads the child elements of one element in their order. Whatever is unknown, missing, doubled or out of order is a fault
/// with the given code, and its detail names the line and the element, never a value.
#[derive(Debug)]
pub struct Fields<'a> {
    parent: Node<'a>,
    next: Option<Node<'a>>,
    namespace: &'a str,
    code: FaultCode,
}

impl<'a> Fields<'a> {
    /// Begins with the first child element of `parent`. Children must be in the parent's own namespace; text between them may be white
    /// space only.
    ///
    /// # Errors
    /// The given code when there is other text between the children.
    pub fn of(parent: Node<'a>, code: FaultCode) -> Result<Self, Fault> {
        let _ = (parent, code);
        todo!()
    }

    /// The next child, which must have this local name.
    ///
    /// # Errors
    /// The code when it has another or is missing.
    pub fn required(&mut self, name: &str) -> Result<Node<'a>, Fault> {
        let _ = (name, self.parent, self.next, self.namespace, self.code);
        todo!()
    }

    /// The next child if it has this local name.
    pub fn optional(&mut self, name: &str) -> Option<Node<'a>> {
        let _ = name;
        todo!()
    }

    /// The text of the next child, which must have this local name, no attributes and no children.
    ///
    /// # Errors
    /// The code when it is not so.
    pub fn text(&mut self, name: &str) -> Result<&'a str, Fault> {
        let node = self.required(name)?;
        only_attributes(node, &[], self.code)?;
        text(node, self.code)
    }

    /// The text of the next child if it has this local name; it must have no attributes and no children.
    ///
    /// # Errors
    /// The code when it has.
    pub fn optional_text(&mut self, name: &str) -> Result<Option<&'a str>, Fault> {
        let Some(node) = self.optional(name) else { return Ok(None) };
        only_attributes(node, &[], self.code)?;
        text(node, self.code).map(Some)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// The code when a child is left.
    pub fn end(self) -> Result<(), Fault> {
        todo!()
    }

    /// A fault about one child's value: says the line and the element.
    pub fn wrong(&self, name: &str, problem: &str) -> Fault {
        let _ = (name, problem);
        todo!()
    }
}

/// The text of an element that holds nothing but text. An empty element has the empty text. It is taken exactly, white space included.
///
/// # Errors
/// The given code when it has child elements.
pub fn text<'a>(node: Node<'a>, code: FaultCode) -> Result<&'a str, Fault> {
    let _ = (node, code);
    todo!()
}

/// The value of an attribute without a namespace. (roxmltree's own `attribute("a")` also finds `x:a`.)
pub fn attribute<'a>(node: Node<'a>, name: &str) -> Option<&'a str> {
    node.attributes().find(|a| a.namespace().is_none() && a.name() == name).map(|a| a.value())
}

/// Checks that an element has no attributes but these (without a namespace).
///
/// # Errors
/// The given code when it has another.
pub fn only_attributes(node: Node<'_>, names: &[&str], code: FaultCode) -> Result<(), Fault> {
    let _ = (node, names, code);
    todo!()
}

/// Decodes base64 as XML carries it: the standard alphabet with padding; spaces, tabs and line ends are skipped.
pub fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    let _ = text;
    todo!()
}

/// Whether a text is an NCName (Namespaces in XML 1.0): a name without a colon.
pub fn is_ncname(text: &str) -> bool {
    let _ = text;
    todo!()
}
