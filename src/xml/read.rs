//! The bounded reader.

use crate::domain::{Fault, FaultCode};

use super::{Node, scan};

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
/// Two well-formed forms are refused as well, for readers disagree on them: a carriage return without a line feed, and a
/// reference to a character that XML does not have.
///
/// # Errors
/// [`FaultCode::TooLarge`], [`FaultCode::NotUtf8`], [`FaultCode::EncodingForbidden`], [`FaultCode::XmlVersion`],
/// [`FaultCode::DtdForbidden`], [`FaultCode::CommentForbidden`], [`FaultCode::PiForbidden`], [`FaultCode::TooDeep`],
/// [`FaultCode::TooManyNodes`], [`FaultCode::NotXml`], [`FaultCode::XsiForbidden`], [`FaultCode::DuplicateId`].
pub fn read<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Document<'a>, Fault> {
    let _ = (bytes, limits, FaultCode::NotXml, scan::scan);
    todo!()
}
