//! The bounded reader.

use crate::domain::{Fault, FaultCode};

use super::{Node, attribute, scan};

/// How much of a document is read. Every number is the largest that is still taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Size of the whole document in bytes.
    pub bytes_max: usize,
    /// Elements inside of each other, the root counted.
    pub depth_max: usize,
    /// Elements and pieces of text together.
    pub nodes_max: usize,
    /// Attributes of one element, namespace declarations counted.
    pub attributes_max: usize,
    /// Namespace declarations of the whole document.
    pub namespaces_max: usize,
    /// Namespace declarations in force at one place.
    pub namespaces_in_scope_max: usize,
    /// Length of one name with its prefix, in bytes.
    pub name_bytes_max: usize,
    /// Signs `=` in the whole document, for the tree builder reserves room by their number.
    pub equals_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_max: 8 * 1024 * 1024,
            depth_max: 64,
            nodes_max: 200_000,
            attributes_max: 64,
            namespaces_max: 4096,
            namespaces_in_scope_max: 64,
            name_bytes_max: 256,
            equals_max: 1_000_000,
        }
    }
}

/// A document that kept every rule of [`read`].
#[derive(Debug)]
pub struct Document<'a> {
    tree: roxmltree::Document<'a>,
}

impl<'a> Document<'a> {
    /// The root element.
    pub fn root(&self) -> Node<'_> {
        self.tree.root_element()
    }

    /// The line on which a node begins, from 1.
    pub fn line(&self, node: Node<'_>) -> u32 {
        self.tree.text_pos_at(node.range().start).row
    }

    /// The text that was read.
    pub fn source(&self) -> &'a str {
        self.tree.input_text()
    }
}

/// Reads a document: UTF-8 and XML 1.0 only, no DTD, comment or processing instruction, nothing beyond the limits, no
/// `xsi:*` attribute, no Id twice. The first broken rule is the fault; its detail names the line.
///
/// Three rare forms are refused as well, for readers or canonicalizers disagree on them: a carriage return without a line
/// feed, a reference to a character that XML does not have, and a namespace name that is no absolute URI of plain ASCII signs.
///
/// # Errors
/// [`FaultCode::TooLarge`], [`FaultCode::NotUtf8`], [`FaultCode::EncodingForbidden`], [`FaultCode::XmlVersion`],
/// [`FaultCode::DtdForbidden`], [`FaultCode::CommentForbidden`], [`FaultCode::PiForbidden`], [`FaultCode::TooDeep`],
/// [`FaultCode::TooManyNodes`], [`FaultCode::NotXml`], [`FaultCode::XsiForbidden`], [`FaultCode::DuplicateId`].
pub fn read<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Document<'a>, Fault> {
    if bytes.len() > limits.bytes_max {
        let (len, max) = (bytes.len(), limits.bytes_max);
        return Err(Fault::new(FaultCode::TooLarge, format!("{len} bytes; at most {max} are read")));
    }
    let decoded = std::str::from_utf8(bytes);
    // A declared foreign encoding explains broken UTF-8 better than its first wrong byte, and the scan finds it.
    let scanned = scan::scan(bytes, limits);
    let text = match (decoded, scanned) {
        (_, Err(fault)) if fault.code == FaultCode::EncodingForbidden => return Err(fault),
        (Err(e), _) => {
            let line = scan::line(bytes, e.valid_up_to());
            return Err(Fault::new(FaultCode::NotUtf8, format!("line {line}: not UTF-8")));
        }
        (Ok(_), Err(fault)) => return Err(fault),
        (Ok(text), Ok(())) => text,
    };
    let options = roxmltree::ParsingOptions {
        allow_dtd: false,
        nodes_limit: u32::try_from(limits.nodes_max).unwrap_or(u32::MAX).saturating_add(1),
        entity_resolver: None,
    };
    let tree = roxmltree::Document::parse_with_options(text, options)
        .map_err(|e| Fault::new(FaultCode::NotXml, e.to_string()))?;
    let document = Document { tree };
    check_attributes(&document)?;
    Ok(document)
}

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// No `xsi:*`; no Id twice; and nothing that any reader could take for an Id repeats the root's.
fn check_attributes(document: &Document<'_>) -> Result<(), Fault> {
    let root = document.root();
    let root_id = attribute(root, "Id");
    let mut ids = Vec::new();
    for node in root.descendants() {
        for a in node.attributes() {
            if a.namespace() == Some(XSI) {
                let (line, name) = (document.line(node), node.tag_name().name());
                return Err(Fault::new(FaultCode::XsiForbidden, format!("line {line}: element {name} has xsi:{}", a.name())));
            }
            let plain = a.namespace().is_none();
            if (plain && a.name() == "Id") || (a.namespace() == Some(XML) && a.name() == "id") {
                ids.push((a.value(), node));
            } else if plain && a.name().eq_ignore_ascii_case("id") && root_id == Some(a.value()) {
                return Err(duplicate(document, node));
            }
        }
    }
    ids.sort_unstable_by_key(|(id, node)| (*id, node.range().start));
    let twice = ids.windows(2).find_map(|pair| match pair {
        [(a, _), (b, node)] if a == b => Some(*node),
        _ => None,
    });
    twice.map_or(Ok(()), |node| Err(duplicate(document, node)))
}

fn duplicate(document: &Document<'_>, node: Node<'_>) -> Fault {
    let (line, name) = (document.line(node), node.tag_name().name());
    Fault::new(FaultCode::DuplicateId, format!("line {line}: element {name} repeats an Id"))
}
