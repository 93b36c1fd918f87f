//! Exclusive XML Canonicalization 1.0 without comments (W3C, <http://www.w3.org/2001/10/xml-exc-c14n#>).
//!
//! The tree is walked along its links, so the stack does not grow with the document, and the bytes go into the sink as they
//! are made. A document of [`super::read`] has no comments and no processing instructions, so none are looked for here.

use super::Node;

/// Takes canonical bytes as they are made.
pub trait Sink {
    /// Takes the next bytes.
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Pieces are gathered up to this many bytes before they go into the sink, for a hasher's call has a price.
const CHUNK_BYTES: usize = 8 * 1024;

/// Writes the exclusive canonical form of an element with all below it, but without `except` (and all below that), into `sink`.
/// There is no InclusiveNamespaces list.
pub fn canonical(apex: Node<'_>, except: Option<Node<'_>>, sink: &mut dyn Sink) {
    let mut walk = Walk {
        source: apex.document().input_text(),
        sink,
        buffer: Vec::with_capacity(CHUNK_BYTES + 512),
        rendered: Vec::new(),
        open: Vec::new(),
        attributes: Vec::new(),
        declarations: Vec::new(),
    };
    let mut node = apex;
    loop {
        if Some(node) != except {
            if let Some(text) = node.text().filter(|_| node.is_text()) {
                walk.escape(text, TEXT);
            } else if node.is_element() {
                walk.start(node);
                if let Some(child) = node.first_child() {
                    node = child;
                    continue;
                }
                walk.end();
            }
        }
        // On to the next node in document order, closing what ends on the way.
        loop {
            if node == apex {
                return walk.flush();
            }
            if let Some(next) = node.next_sibling() {
                node = next;
                break;
            }
            let Some(parent) = node.parent() else { return walk.flush() };
            walk.end();
            node = parent;
        }
    }
}

/// The same as [`canonical`], as bytes.
pub fn canonical_bytes(apex: Node<'_>, except: Option<Node<'_>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    canonical(apex, except, &mut bytes);
    bytes
}

struct Walk<'a, 's> {
    source: &'a str,
    sink: &'s mut dyn Sink,
    buffer: Vec<u8>,
    /// Declarations in the output that are in force: prefix and URI, the innermost last.
    rendered: Vec<(&'a str, &'a str)>,
    /// Open elements: the name as written, and how many declarations were in force before it.
    open: Vec<(&'a str, usize)>,
    attributes: Vec<CanonicalAttribute<'a>>,
    declarations: Vec<(&'a str, &'a str)>,
}

/// Ordered by namespace URI, then local name; those without a namespace come first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct CanonicalAttribute<'a> {
    namespace: &'a str,
    local: &'a str,
    name: &'a str,
    value: &'a str,
}

impl<'a> Walk<'a, '_> {
    fn start(&mut self, node: Node<'a>) {
        let name = self.name_at(node.range().start + 1);
        self.open.push((name, self.rendered.len()));
        self.declarations.clear();
        self.attributes.clear();
        self.utilize(prefix(name), node.tag_name().namespace().unwrap_or_default());
        for a in node.attributes() {
            let name = self.source.get(a.range_qname()).unwrap_or_default();
            let namespace = a.namespace().unwrap_or_default();
            let prefix = prefix(name);
            if !prefix.is_empty() && prefix != "xml" {
                self.utilize(prefix, namespace);
            }
            self.attributes.push(CanonicalAttribute { namespace, local: a.name(), name, value: a.value() });
        }
        self.declarations.sort_unstable();
        self.attributes.sort_unstable();

        self.buffer.push(b'<');
        self.buffer.extend_from_slice(name.as_bytes());
        // The two lists are lent out and put back: their room is used again by the next element.
        let declarations = std::mem::take(&mut self.declarations);
        for (prefix, uri) in &declarations {
            self.buffer.extend_from_slice(if prefix.is_empty() { b" xmlns" } else { b" xmlns:" });
            self.attribute(prefix, uri);
        }
        self.rendered.extend_from_slice(&declarations);
        self.declarations = declarations;
        let attributes = std::mem::take(&mut self.attributes);
        for a in &attributes {
            self.buffer.push(b' ');
            self.attribute(a.name, a.value);
        }
        self.attributes = attributes;
        self.buffer.push(b'>');
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.buffer.extend_from_slice(name.as_bytes());
        self.buffer.extend_from_slice(b"=\"");
        self.escape(value, ATTRIBUTE);
        self.buffer.push(b'"');
    }

    fn end(&mut self) {
        let Some((name, rendered)) = self.open.pop() else { return };
        self.rendered.truncate(rendered);
        self.buffer.extend_from_slice(b"</");
        self.buffer.extend_from_slice(name.as_bytes());
        self.buffer.push(b'>');
        if self.buffer.len() >= CHUNK_BYTES {
            self.flush();
        }
    }

    /// A prefix that the element shows is declared unless the output already has it so.
    fn utilize(&mut self, prefix: &'a str, uri: &'a str) {
        let in_force = self.rendered.iter().rev().find(|(p, _)| *p == prefix).map_or("", |(_, uri)| uri);
        // Only the empty prefix can stand for no namespace, so "nothing in force" and "no namespace" are alike.
        if in_force != uri && !self.declarations.iter().any(|(p, _)| *p == prefix) {
            self.declarations.push((prefix, uri));
        }
    }

    fn name_at(&self, start: usize) -> &'a str {
        let rest = self.source.get(start..).unwrap_or_default();
        let len = rest.bytes().position(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | b'/' | b'>'));
        rest.get(..len.unwrap_or(rest.len())).unwrap_or_default()
    }

    fn escape(&mut self, text: &str, table: EscapeTable) {
        if text.len() >= CHUNK_BYTES {
            self.flush();
            escape(text, table, self.sink);
        } else {
            escape(text, table, &mut self.buffer);
        }
    }

    fn flush(&mut self) {
        self.sink.put(&self.buffer);
        self.buffer.clear();
    }
}

fn prefix(name: &str) -> &str {
    name.split_once(':').map_or("", |(prefix, _)| prefix)
}

/// What is written in the place of a byte, if not itself.
pub(super) type EscapeTable = fn(u8) -> Option<&'static [u8]>;

/// Escapes of character data.
pub(super) const TEXT: EscapeTable = |b| match b {
    b'&' => Some(b"&amp;"),
    b'<' => Some(b"&lt;"),
    b'>' => Some(b"&gt;"),
    b'\r' => Some(b"&#xD;"),
    _ => None,
};

/// Escapes of attribute values.
pub(super) const ATTRIBUTE: EscapeTable = |b| match b {
    b'&' => Some(b"&amp;"),
    b'<' => Some(b"&lt;"),
    b'"' => Some(b"&quot;"),
    b'\t' => Some(b"&#x9;"),
    b'\n' => Some(b"&#xA;"),
    b'\r' => Some(b"&#xD;"),
    _ => None,
};

/// Writes a text with its escapes.
pub(super) fn escape(text: &str, table: EscapeTable, sink: &mut dyn Sink) {
    let bytes = text.as_bytes();
    let mut done = 0;
    for (at, b) in bytes.iter().enumerate().filter(|(_, b)| **b <= b'>') {
        if let Some(replacement) = table(*b) {
            sink.put(bytes.get(done..at).unwrap_or_default());
            sink.put(replacement);
            done = at + 1;
        }
    }
    sink.put(bytes.get(done..).unwrap_or_default());
}
