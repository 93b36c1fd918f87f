//! Paths into a body: `requiredDocuments/document`, element names from the root or from a node, of the body's namespace or of the
//! types that all messages share.

use std::fmt;

use roxmltree::Node;

use super::term::is_field;

/// How namespaces of shared types begin.
const SHARED: &str = "urn:mezhved:common:";

/// A path of element names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyPath(Vec<String>);

impl BodyPath {
    /// Parses `a/b/c`; `None` when a name has another form than an element of a body.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let names: Vec<&str> = text.split('/').collect();
        names.iter().all(|n| is_field(n)).then(|| Self(names.into_iter().map(str::to_owned).collect()))
    }

    /// The names in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Every element at the end of the path, in document order.
    pub(super) fn all<'a>(&self, from: Node<'a, 'a>) -> Vec<Node<'a, 'a>> {
        let namespace = from.tag_name().namespace();
        self.0.iter().fold(vec![from], |nodes, name| {
            nodes
                .into_iter()
                .flat_map(|node| node.children())
                .filter(|child| {
                    let tag = child.tag_name();
                    let known = tag.namespace() == namespace || tag.namespace().is_some_and(|n| n.starts_with(SHARED));
                    child.is_element() && tag.name() == name && known
                })
                .collect()
        })
    }

    /// The trimmed text of the first element at the end of the path, if it is there and not empty.
    pub(super) fn text<'a>(&self, from: Node<'a, 'a>) -> Option<&'a str> {
        self.all(from).first().and_then(|node| node.text()).map(str::trim).filter(|text| !text.is_empty())
    }
}

impl fmt::Display for BodyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}
