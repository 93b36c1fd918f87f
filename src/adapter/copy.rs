//! Parts of a body that are the same in two versions of a message, written as they are.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use minijinja::Error;

use super::OUTPUT_BYTES_MAX;
use super::render::{Syntax, escape};
use super::tree::{NodeKind, Tree};
use super::view::refuse;

impl Tree {
    /// Whether a template may copy parts of this body.
    pub(super) fn copies(&self) -> bool {
        self.copies.is_some()
    }

    /// The child elements with these names, in the order of the names, with everything in them. All of it counts as read.
    pub(super) fn copy(&self, index: usize, names: &[String]) -> Result<String, Error> {
        let mut out = String::new();
        for name in names {
            for child in self.children(index, name) {
                match self.node(child).map(|node| &node.kind) {
                    Some(NodeKind::Element(_)) => self.write(child, None, &mut out)?,
                    _ => return Err(refuse(format!("{}: only elements can be copied", self.path(child)))),
                }
            }
        }
        // A step of the engine may copy much, so what is copied is bounded as a whole.
        let before = self.copied_bytes.fetch_add(out.len(), Ordering::Relaxed);
        if before.saturating_add(out.len()) > OUTPUT_BYTES_MAX {
            return Err(refuse(format!("more than {OUTPUT_BYTES_MAX} bytes are copied")));
        }
        Ok(out)
    }

    fn write(&self, index: usize, around: Option<usize>, out: &mut String) -> Result<(), Error> {
        let Some(node) = self.node(index) else { return Ok(()) };
        let NodeKind::Element(text) = &node.kind else { return Ok(()) };
        self.mark_read(index);
        out.push('<');
        out.push_str(&node.name);
        if around != Some(node.namespace) {
            let namespace = self.namespaces.get(node.namespace).map_or("", String::as_str);
            let written = match &self.copies {
                Some((from, to)) if from == namespace => to,
                Some(_) | None => namespace,
            };
            write!(out, " xmlns=\"{}\"", escape(written, Syntax::Xml)?).unwrap_or_default();
        }
        for child in &node.children {
            if let Some((name, value)) = self.node(*child).and_then(|c| match &c.kind {
                NodeKind::Attribute(value) => Some((&c.name, value)),
                NodeKind::Element(_)
                | NodeKind::Object
                | NodeKind::Text(_)
                | NodeKind::Integer(_)
                | NodeKind::Flag(_) => None,
            }) {
                self.mark_read(*child);
                write!(out, " {name}=\"{}\"", escape(value, Syntax::Xml)?).unwrap_or_default();
            }
        }
        out.push('>');
        out.push_str(&escape(text, Syntax::Xml)?);
        for child in &node.children {
            self.write(*child, Some(node.namespace), out)?;
        }
        write!(out, "</{}>", node.name).unwrap_or_default();
        Ok(())
    }
}
