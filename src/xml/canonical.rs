//! Exclusive XML Canonicalization 1.0 without comments (W3C, <http://www.w3.org/2001/10/xml-exc-c14n#>).

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

/// Writes the exclusive canonical form of an element with all below it, but without `except` (and all below that), into `sink`.
/// There is no InclusiveNamespaces list.
pub fn canonical(apex: Node<'_>, except: Option<Node<'_>>, sink: &mut dyn Sink) {
    let _ = (apex, except, sink);
    todo!()
}

/// The same as [`canonical`], as bytes.
pub fn canonical_bytes(apex: Node<'_>, except: Option<Node<'_>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    canonical(apex, except, &mut bytes);
    bytes
}
