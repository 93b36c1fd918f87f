//! Strict reading of elements that hold a sequence of fields.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::domain::{Fault, FaultCode, Timestamp};

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
        Self::in_namespace(parent, parent.tag_name().namespace().unwrap_or_default(), code)
    }

    /// The same for children in a namespace that is not the parent's, as those of a type that another schema defines.
    ///
    /// # Errors
    /// The given code when there is other text between the children.
    pub fn in_namespace(parent: Node<'a>, namespace: &'a str, code: FaultCode) -> Result<Self, Fault> {
        let stray = parent.children().find(|n| n.text().is_some_and(|t| n.is_text() && !is_blank(t)));
        if let Some(stray) = stray {
            return Err(at(
                stray,
                code,
                format_args!("element {} holds text between its elements", parent.tag_name().name()),
            ));
        }
        Ok(Self { parent, next: parent.first_element_child(), namespace, code })
    }

    /// The next child, which must have this local name.
    ///
    /// # Errors
    /// The code when it has another or is missing.
    pub fn required(&mut self, name: &str) -> Result<Node<'a>, Fault> {
        self.optional(name).ok_or_else(|| self.missing(name))
    }

    /// A fault that this child is expected where another is met, or none.
    pub fn missing(&self, name: &str) -> Fault {
        let parent = self.parent.tag_name().name();
        let met = self.next.map_or("its end", |n| n.tag_name().name());
        let place = self.next.unwrap_or(self.parent);
        at(place, self.code, format_args!("element {parent}: {name} is expected, {met} is met"))
    }

    /// Whether the next child has this local name.
    pub fn is_next(&self, name: &str) -> bool {
        self.next.is_some_and(|node| {
            let tag = node.tag_name();
            tag.name() == name && tag.namespace().unwrap_or_default() == self.namespace
        })
    }

    /// The next child if it has this local name.
    pub fn optional(&mut self, name: &str) -> Option<Node<'a>> {
        let node = self.next.filter(|_| self.is_next(name));
        if let Some(taken) = node {
            self.next = taken.next_sibling_element();
        }
        node
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
        self.next.map_or(Ok(()), |node| {
            let (parent, name) = (self.parent.tag_name().name(), node.tag_name().name());
            Err(at(node, self.code, format_args!("element {parent}: {name} is unknown or out of its place")))
        })
    }

    /// A fault about the value of a child: says the line, the element and what is allowed.
    pub fn wrong(&self, name: &str, allowed: &str) -> Fault {
        let child = self.parent.children().find(|n| n.is_element() && n.tag_name().name() == name);
        at(child.unwrap_or(self.parent), self.code, format_args!("element {name}: {allowed}"))
    }

    /// The text of the next child, which must have this local name, parsed.
    ///
    /// # Errors
    /// The code when the child is not there or `parse` gives nothing; `allowed` says what would have been right.
    pub fn parsed<T>(&mut self, name: &str, allowed: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
        let text = self.text(name)?;
        parse(text).ok_or_else(|| self.wrong(name, allowed))
    }

    /// The text of the next child if it has this local name, parsed.
    ///
    /// # Errors
    /// The code when `parse` gives nothing; `allowed` says what would have been right.
    pub fn optional_parsed<T>(
        &mut self,
        name: &str,
        allowed: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        let Some(text) = self.optional_text(name)? else { return Ok(None) };
        parse(text).map(Some).ok_or_else(|| self.wrong(name, allowed))
    }
}

/// The text of an element that holds nothing but text. An empty element has the empty text. It is taken exactly, white space included.
///
/// # Errors
/// The given code when it has child elements.
pub fn text<'a>(node: Node<'a>, code: FaultCode) -> Result<&'a str, Fault> {
    match node.first_child() {
        None => Ok(""),
        Some(child) if child.is_text() && child.next_sibling().is_none() => Ok(child.text().unwrap_or_default()),
        Some(child) => Err(at(child, code, format_args!("element {} may hold only text", node.tag_name().name()))),
    }
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
    match node.attributes().find(|a| a.namespace().is_some() || !names.contains(&a.name())) {
        None => Ok(()),
        Some(a) => {
            Err(at(node, code, format_args!("element {}: attribute {} is unknown", node.tag_name().name(), a.name())))
        }
    }
}

/// Decodes base64 as XML carries it: the standard alphabet with padding; spaces, tabs and line ends are skipped.
pub fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    if text.bytes().any(is_blank_byte) {
        let dense: Vec<u8> = text.bytes().filter(|b| !is_blank_byte(*b)).collect();
        STANDARD.decode(dense).ok()
    } else {
        STANDARD.decode(text).ok()
    }
}

/// Parses an instant as XML carries it: `2026-05-06T10:00:00+05:00`, with up to nine digits after the second (kept to the
/// microsecond) and always with a zone. `None` when the text has another form.
pub fn instant(text: &str) -> Option<Timestamp> {
    let (main, rest) = text.split_at_checked(19)?;
    let shape = |text: &str, shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(b, s)| if s == b'0' { b.is_ascii_digit() } else { b == s })
    };
    let zone = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            fraction.get(digits..).filter(|_| (1..=9).contains(&digits))?
        }
    };
    let zoned = zone == "Z" || shape(zone, "+00:00") || shape(zone, "-00:00");
    // RFC 3339 knows leap seconds, XML Schema does not.
    let right = shape(main, "0000-00-00T00:00:00") && !main.ends_with(":60") && zoned;
    right.then(|| Timestamp::parse(text)).flatten()
}

/// Whether a text is an NCName (Namespaces in XML 1.0): a name without a colon.
pub fn is_ncname(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(is_name_start) && chars.all(|c| is_name_start(c) || is_name_more(c))
}

/// Production 4 of XML 1.0 without the colon.
fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | 'a'..='z' | '_' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
        | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}'
        | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

/// Production 4a without 4.
fn is_name_more(c: char) -> bool {
    matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

fn is_blank_byte(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether a text is only XML white space.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(is_blank_byte)
}

/// A fault at a node, with its line.
pub fn at(node: Node<'_>, code: FaultCode, what: impl fmt::Display) -> Fault {
    let line = node.document().text_pos_at(node.range().start).row;
    Fault::new(code, format!("line {line}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Limits, read};

    #[test]
    fn instants_have_one_form() {
        for good in ["2026-05-06T10:00:00+05:00", "2026-05-06T10:00:00Z", "2026-05-06T10:00:00.1234567-03:30"] {
            assert!(instant(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "2026-05-06",
            "2026-05-06T10:00:00",
            "2026-05-06t10:00:00Z",
            "2026-05-06 10:00:00Z",
            "2026-05-06T10:00:00z",
            "2026-05-06T10:00:60Z",
            "2026-05-06T10:00:00.Z",
            "2026-05-06T10:00:00.1234567890Z",
            "2026-05-06T10:00:00+0500",
            "2026-13-06T10:00:00Z",
            "+2026-05-06T10:00:00Z",
            " 2026-05-06T10:00:00Z",
            "2026-05-06T10:00:00+05:00 ",
            "2026-05-06T10:00:0ы",
        ] {
            assert_eq!(instant(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_attribute_of_a_namespace_is_not_taken_for_one_without() {
        let document = read(b"<a xmlns:p='urn:p' p:b='1'/>", &Limits::default()).unwrap();
        assert_eq!(attribute(document.root(), "b"), None);
        assert!(only_attributes(document.root(), &["b"], FaultCode::NotEnvelope).is_err());
    }

    #[test]
    fn base64_is_strict_but_for_white_space() {
        assert_eq!(base64_bytes(" AA\r\nECAw==\t").as_deref(), Some(&[0, 1, 2, 3][..]));
        for bad in ["AAECAw", "AAECAw=", "AAECAx==", "AA-_", "\u{a0}AAAA", "A"] {
            assert_eq!(base64_bytes(bad), None, "{bad}");
        }
    }

    #[test]
    fn ncnames() {
        for (text, right) in [
            ("a", true),
            ("_1.-b", true),
            ("Имя", true),
            ("", false),
            ("1a", false),
            ("-a", false),
            ("a:b", false),
            ("a b", false),
        ] {
            assert_eq!(is_ncname(text), right, "{text}");
        }
    }
}
