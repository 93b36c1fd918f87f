//! The linear scan before the tree is built: it finds what is forbidden and what is too much, without a stack that grows
//! with the input, so that the tree builder only ever sees documents of a bounded shape. It does not judge whether the
//! document is well-formed; the tree builder does that.

use crate::domain::{Fault, FaultCode};

use super::Limits;

/// Scans a document. `bytes` need not be UTF-8 yet: everything looked for is ASCII.
pub(super) fn scan(bytes: &[u8], limits: &Limits) -> Result<(), Fault> {
    let start = declaration(bytes)?;
    // The tree builder reserves room by counting these two signs, wherever they stand.
    let starts = bytes.iter().filter(|b| **b == b'<').count();
    let equals = bytes.iter().filter(|b| **b == b'=').count();
    if starts / 2 > limits.nodes_max || equals > limits.equals_max {
        return Err(Fault::new(
            FaultCode::TooManyNodes,
            format!("{starts} signs `<` and {equals} signs `=`; at most {} elements are read", limits.nodes_max),
        ));
    }
    Scanner { bytes, pos: start, limits, nodes: 0, namespaces: 0, scopes: Vec::new(), in_scope: 0 }.run()
}

/// Only the encoding and version of the declaration matter here, and they matter before anything is decoded.
/// Returns where the content begins.
fn declaration(bytes: &[u8]) -> Result<usize, Fault> {
    let bom = if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let rest = bytes.get(bom..).unwrap_or_default();
    if !rest.starts_with(b"<?xml") || !rest.get(5).is_some_and(|b| is_space(*b) || *b == b'?') {
        return Ok(bom);
    }
    let wrong = || Fault::new(FaultCode::NotXml, "line 1: the XML declaration is not well-formed");
    let end = find(rest, 5, b"?>").ok_or_else(wrong)?;
    let mut fields = Pseudo { bytes: rest.get(5..end).unwrap_or_default() };
    let mut field = fields.next().ok_or_else(wrong)?;
    match field {
        Some((b"version", b"1.0")) => {}
        Some((b"version", _)) => return Err(Fault::new(FaultCode::XmlVersion, "line 1: only version 1.0 is read")),
        _ => return Err(wrong()),
    }
    field = fields.next().ok_or_else(wrong)?;
    if let Some((b"encoding", value)) = field {
        if !value.eq_ignore_ascii_case(b"UTF-8") {
            return Err(Fault::new(FaultCode::EncodingForbidden, "line 1: only UTF-8 may be declared"));
        }
        field = fields.next().ok_or_else(wrong)?;
    }
    if let Some((b"standalone", b"yes" | b"no")) = field {
        field = fields.next().ok_or_else(wrong)?;
    }
    if field.is_some() { Err(wrong()) } else { Ok(bom + end + 2) }
}

/// The `name="value"` pairs of the declaration.
struct Pseudo<'a> {
    bytes: &'a [u8],
}

impl<'a> Pseudo<'a> {
    /// `Some(None)` at the end, `None` when the form is wrong.
    fn next(&mut self) -> Option<Option<(&'a [u8], &'a [u8])>> {
        let spaces = self.bytes.iter().take_while(|b| is_space(**b)).count();
        let rest = self.bytes.get(spaces..)?;
        if rest.is_empty() {
            return Some(None);
        }
        if spaces == 0 {
            return None;
        }
        let name_len = rest.iter().take_while(|b| b.is_ascii_lowercase()).count();
        let (name, rest) = rest.split_at_checked(name_len)?;
        let rest = rest.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
        let (quote, rest) = rest.split_first()?;
        if !matches!(quote, b'"' | b'\'') {
            return None;
        }
        let value_len = rest.iter().position(|b| b == quote)?;
        let (value, rest) = rest.split_at_checked(value_len)?;
        self.bytes = rest.get(1..)?;
        Some(Some((name, value)))
    }
}

fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r')
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let first = *what.first()?;
    let mut at = 0;
    loop {
        at += rest.get(at..)?.iter().position(|b| *b == first)?;
        if rest.get(at..)?.starts_with(what) {
            return Some(from + at);
        }
        at += 1;
    }
}

/// The line of a position, from 1.
pub(super) fn line(bytes: &[u8], pos: usize) -> usize {
    bytes.get(..pos).unwrap_or(bytes).iter().filter(|b| **b == b'\n').count() + 1
}

/// What an attribute declares.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Declares {
    Nothing,
    Default,
    Prefix,
}

struct Scanner<'a> {
    bytes: &'a [u8],
    pos: usize,
    limits: &'a Limits,
    nodes: usize,
    namespaces: usize,
    /// How many namespaces each open element declares.
    scopes: Vec<usize>,
    in_scope: usize,
}

impl Scanner<'_> {
    fn run(mut self) -> Result<(), Fault> {
        loop {
            let rest = self.rest();
            let Some(text_len) = rest.iter().position(|b| *b == b'<') else {
                return self.text(rest.len());
            };
            self.text(text_len)?;
            let rest = self.rest();
            match rest.get(1) {
                Some(b'?') => return Err(self.instruction()),
                Some(b'!') => self.bang()?,
                Some(b'/') => self.end_tag()?,
                _ => self.start_tag()?,
            }
        }
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.pos..).unwrap_or_default()
    }

    fn fault(&self, code: FaultCode, what: impl std::fmt::Display) -> Fault {
        Fault::new(code, format!("line {}: {what}", line(self.bytes, self.pos)))
    }

    fn instruction(&self) -> Fault {
        let rest = self.rest();
        if rest.starts_with(b"<?xml") && rest.get(5).is_some_and(|b| is_space(*b)) {
            self.fault(FaultCode::NotXml, "the XML declaration must stand at the very beginning, and only there")
        } else {
            self.fault(FaultCode::PiForbidden, "a processing instruction")
        }
    }

    fn bang(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        if rest.starts_with(b"<![CDATA[") {
            let len = find(rest, 9, b"]]>")
                .ok_or_else(|| self.fault(FaultCode::NotXml, "a CDATA section without its end"))?;
            let part = rest.get(..len).unwrap_or_default();
            self.lone_return(part)?;
            self.pos += len + 3;
            return self.node();
        }
        Err(if rest.starts_with(b"<!--") {
            self.fault(FaultCode::CommentForbidden, "a comment")
        } else if rest.starts_with(b"<!DOCTYPE") {
            self.fault(FaultCode::DtdForbidden, "a document type declaration")
        } else {
            self.fault(FaultCode::NotXml, "`<!` begins nothing known")
        })
    }

    fn node(&mut self) -> Result<(), Fault> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes_max {
            return Err(self.fault(FaultCode::TooManyNodes, format!("more than {} nodes", self.limits.nodes_max)));
        }
        Ok(())
    }

    fn text(&mut self, len: usize) -> Result<(), Fault> {
        if len == 0 {
            return Ok(());
        }
        let part = self.bytes.get(self.pos..self.pos + len).unwrap_or_default();
        self.value(part)?;
        self.pos += len;
        self.node()
    }

    /// Character data or an attribute's value: no carriage return without a line feed, no reference to what is no character.
    fn value(&self, part: &[u8]) -> Result<(), Fault> {
        self.lone_return(part)?;
        let mut at = 0;
        while let Some(found) = find(part, at, b"&#") {
            let digits = part.get(found + 2..).unwrap_or_default();
            let (digits, radix) = digits.strip_prefix(b"x").map_or((digits, 10), |d| (d, 16));
            let len = digits.iter().take_while(|b| b.is_ascii_hexdigit()).count();
            let code = digits
                .get(..len)
                .and_then(|d| std::str::from_utf8(d).ok())
                .and_then(|d| u32::from_str_radix(d, radix).ok());
            if !code.is_some_and(is_char) {
                return Err(self.fault(FaultCode::NotXml, "a reference to a character that XML does not have"));
            }
            at = found + 2;
        }
        Ok(())
    }

    fn lone_return(&self, part: &[u8]) -> Result<(), Fault> {
        let mut at = 0;
        while let Some(found) = find(part, at, b"\r") {
            if part.get(found + 1) != Some(&b'\n') {
                return Err(self.fault(FaultCode::NotXml, "a carriage return without a line feed"));
            }
            at = found + 2;
        }
        Ok(())
    }

    fn end_tag(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        if rest.get(2) == Some(&b':') {
            return Err(self.fault(FaultCode::NotXml, "a name begins with a colon"));
        }
        let len = rest
            .iter()
            .position(|b| *b == b'>')
            .ok_or_else(|| self.fault(FaultCode::NotXml, "a tag without its end"))?;
        self.pos += len + 1;
        let closed = self.scopes.pop().ok_or_else(|| self.fault(FaultCode::NotXml, "more elements end than begin"))?;
        self.in_scope = self.in_scope.saturating_sub(closed);
        Ok(())
    }

    fn start_tag(&mut self) -> Result<(), Fault> {
        self.node()?;
        self.pos += 1;
        self.name()?;
        let (mut attributes, mut declared) = (0, 0);
        let mut plain_declared = false;
        loop {
            self.pos += self.rest().iter().take_while(|b| is_space(**b)).count();
            match self.rest() {
                [b'>', ..] => {
                    self.pos += 1;
                    return self.open(declared);
                }
                [b'/', b'>', ..] => {
                    self.pos += 2;
                    return if self.scopes.len() >= self.limits.depth_max { Err(self.too_deep()) } else { Ok(()) };
                }
                [] => return Err(self.fault(FaultCode::NotXml, "a tag without its end")),
                _ => {}
            }
            attributes += 1;
            if attributes > self.limits.attributes_max {
                let max = self.limits.attributes_max;
                return Err(self.fault(FaultCode::TooManyNodes, format!("an element with more than {max} attributes")));
            }
            let declares = self.attribute()?;
            declared += usize::from(declares != Declares::Nothing);
            if declares == Declares::Default && std::mem::replace(&mut plain_declared, true) {
                return Err(self.fault(FaultCode::NotXml, "the default namespace is declared twice"));
            }
            if self.in_scope + declared > self.limits.namespaces_in_scope_max
                || self.namespaces > self.limits.namespaces_max
            {
                return Err(self.fault(FaultCode::TooManyNodes, "too many namespace declarations"));
            }
        }
    }

    fn open(&mut self, declared: usize) -> Result<(), Fault> {
        if self.scopes.len() >= self.limits.depth_max {
            return Err(self.too_deep());
        }
        self.scopes.push(declared);
        self.in_scope += declared;
        Ok(())
    }

    fn too_deep(&self) -> Fault {
        self.fault(FaultCode::TooDeep, format!("more than {} elements inside of each other", self.limits.depth_max))
    }

    /// Steps over a name and returns it.
    fn name(&mut self) -> Result<&[u8], Fault> {
        let start = self.pos;
        let len = self.rest().iter().take_while(|b| !is_space(**b) && !matches!(b, b'=' | b'>' | b'/' | b'<')).count();
        if len > self.limits.name_bytes_max {
            return Err(
                self.fault(FaultCode::TooManyNodes, format!("a name longer than {} bytes", self.limits.name_bytes_max))
            );
        }
        if len == 0 || self.rest().first() == Some(&b':') {
            return Err(self.fault(FaultCode::NotXml, "a name is missing or begins with a colon"));
        }
        self.pos += len;
        Ok(self.bytes.get(start..start + len).unwrap_or_default())
    }

    /// Steps over an attribute; says whether it declares a namespace.
    fn attribute(&mut self) -> Result<Declares, Fault> {
        let name = self.name()?;
        let declares = match name {
            b"xmlns" => Declares::Default,
            // The tree builder takes `a:xmlns` for a declaration of the default namespace.
            _ if name.ends_with(b":xmlns") => {
                return Err(self.fault(FaultCode::NotXml, "an attribute with the local name xmlns"));
            }
            _ if name.starts_with(b"xmlns:") => Declares::Prefix,
            _ => Declares::Nothing,
        };
        let rest = self.rest();
        let after = rest.trim_ascii_start().strip_prefix(b"=").map(<[u8]>::trim_ascii_start);
        let Some((quote @ (b'"' | b'\''), value)) = after.and_then(<[u8]>::split_first) else {
            return Err(self.fault(FaultCode::NotXml, "an attribute without a quoted value"));
        };
        let len = value.iter().position(|b| b == quote);
        let len = len.ok_or_else(|| self.fault(FaultCode::NotXml, "an attribute's value without its end"))?;
        let value_bytes = value.get(..len).unwrap_or_default();
        self.value(value_bytes)?;
        if declares == Declares::Prefix && len == 0 {
            return Err(self.fault(FaultCode::NotXml, "a namespace prefix is bound to nothing"));
        }
        if declares != Declares::Nothing && len > 0 && !is_absolute_uri(value_bytes) {
            return Err(
                self.fault(FaultCode::NotXml, "a namespace name must be an absolute URI, without quotes and `&`")
            );
        }
        let step = rest.len() - value.len() + len + 1;
        self.pos += step;
        self.namespaces += usize::from(declares != Declares::Nothing);
        Ok(declares)
    }
}

/// Canonicalization must fail on a relative namespace name (Canonical XML 1.0, 1.3), and on other strange ones its
/// implementations differ: libxml2 neither takes what is no URI nor escapes `&` and quotes. Characters are those of RFC 3986.
fn is_absolute_uri(name: &[u8]) -> bool {
    let scheme = name.iter().take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)).count();
    let chars = name.iter().all(|b| b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$()*+,;=%".contains(b));
    let escapes = name
        .split(|b| *b == b'%')
        .skip(1)
        .all(|rest| matches!(rest, [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()));
    chars && escapes && name.first().is_some_and(u8::is_ascii_alphabetic) && name.get(scheme) == Some(&b':')
}

/// Production 2 of XML 1.0.
pub(super) fn is_char(code: u32) -> bool {
    matches!(code, 0x9 | 0xA | 0xD | 0x20..=0xD7FF | 0xE000..=0xFFFD | 0x1_0000..=0x10_FFFF)
}
